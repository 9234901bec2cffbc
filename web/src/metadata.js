// What a photo's file carries besides pixels, of which the download keeps what stays true: EXIF and XMP.

const EXIF = 'Exif\0\0';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const PNG_XMP = 'XML:com.adobe.xmp\0';
const ORIENTATION = 0x0112;
const MOST_BYTES = 1 << 24; // of a block

// { exif, xmp: Uint8Array or null, alpha: whether there may be transparency, bits: of a channel }.
export async function readMetadata(file) {
  const found = { exif: null, xmp: null, alpha: true, bits: 8 };
  const start = await bytesOf(file, 0, 16);
  try {
    if (start[0] === 0xff && start[1] === 0xd8) await readJpeg(file, found);
    else if (text(start, 1, 3) === 'PNG') await readPng(file, found);
    else if (text(start, 8, 4) === 'WEBP') await readWebp(file, found);
    else if (text(start, 0, 2) === 'BM') found.alpha = false;
  } catch {
    // A damaged block says nothing; the pixels were read.
  }
  if (found.exif) found.exif = upright(found.exif);
  if (found.xmp) found.xmp = uprightXmp(found.xmp);
  return found;
}

const bytesOf = async (file, from, count) => new Uint8Array(await file.slice(from, from + Math.min(count, MOST_BYTES)).arrayBuffer());
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const text = (bytes, from, count) => String.fromCharCode(...bytes.subarray(from, from + count));

async function readJpeg(file, found) {
  found.alpha = false;
  for (let at = 2; ; ) {
    const view = viewOf(await bytesOf(file, at, 4));
    const kind = view.getUint16(0);
    if (kind === 0xffda || kind < 0xff00) return; // the pixels begin
    const size = view.getUint16(2);
    if (kind === 0xffe1) {
      const block = await bytesOf(file, at + 4, size - 2);
      if (text(block, 0, EXIF.length) === EXIF) found.exif ??= block.slice(EXIF.length);
      else if (text(block, 0, XMP.length) === XMP) found.xmp ??= block.slice(XMP.length);
    }
    at += 2 + size;
  }
}

async function readPng(file, found) {
  found.alpha = false;
  for (let at = 8; at < file.size; ) {
    const start = await bytesOf(file, at, 8);
    const [size, kind] = [viewOf(start).getUint32(0), text(start, 4, 4)];
    if (kind === 'IHDR') {
      const header = await bytesOf(file, at + 8, 13);
      [found.bits, found.alpha] = [Math.max(8, header[8]), header[9] >= 4];
    }
    if (kind === 'tRNS') found.alpha = true;
    if (kind === 'eXIf') found.exif = await bytesOf(file, at + 8, size);
    if (kind === 'iTXt') {
      const block = await bytesOf(file, at + 8, size);
      const plain = text(block, 0, PNG_XMP.length) === PNG_XMP && !block[PNG_XMP.length];
      if (plain) found.xmp = block.slice(block.indexOf(0, block.indexOf(0, PNG_XMP.length + 2) + 1) + 1);
    }
    at += size + 12;
  }
}

async function readWebp(file, found) {
  for (let at = 12; at + 8 <= file.size; ) {
    const start = await bytesOf(file, at, 9);
    const [kind, size] = [text(start, 0, 4), viewOf(start).getUint32(4, true)];
    if (kind === 'VP8 ') found.alpha = false;
    if (kind === 'VP8X') found.alpha = !!(start[8] & 16);
    if (kind === 'VP8X' && !(start[8] & 12)) return; // neither EXIF nor XMP
    if (kind === 'EXIF') {
      const block = await bytesOf(file, at + 8, size);
      found.exif = text(block, 0, EXIF.length) === EXIF ? block.slice(EXIF.length) : block;
    }
    if (kind === 'XMP ') found.xmp = await bytesOf(file, at + 8, size);
    at += 8 + size + (size % 2);
  }
}

// The pixels are upright now, and the thumbnail of the old picture is not theirs.
function upright(exif) {
  const view = viewOf(exif);
  const little = view.getUint16(0) === 0x4949;
  const start = view.getUint32(4, little);
  const count = view.getUint16(start, little);
  for (let entry = 0; entry < count; entry++) {
    const at = start + 2 + 12 * entry;
    if (view.getUint16(at, little) === ORIENTATION) view.setUint16(at + 8, 1, little);
  }
  view.setUint32(start + 2 + 12 * count, 0, little);
  return exif;
}

function uprightXmp(packet) {
  const words = new TextDecoder().decode(packet);
  const turned = words.replace(/tiff:Orientation="\d+"/, 'tiff:Orientation="1"').replace(/<tiff:Orientation>\d+</, '<tiff:Orientation>1<');
  return new TextEncoder().encode(turned);
}
