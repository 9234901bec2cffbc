// A lossless PNG file, written strip by strip: never the whole picture in memory (PNG, third edition).

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
const [UP, SUB] = [2, 1]; // filters of a row
const [RGB, RGBA] = [2, 6];
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) sum = TABLE[(sum ^ bytes[at]) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

function chunk(kind, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(content, 8);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(4, bytes.length - 4)));
  return bytes;
}

// `strips` yields { top, count, bytes } of RGBA from the top down; `metadata` is of readMetadata.
export async function pngFile(width, height, strips, metadata) {
  const channels = metadata.alpha ? 4 : 3;
  const parts = [SIGNATURE, chunk('IHDR', header(width, height, metadata.alpha ? RGBA : RGB)), chunk('sRGB', Uint8Array.of(0))];
  parts.push(...carried(metadata));
  const packer = new CompressionStream('deflate');
  const packed = collect(packer.readable, parts);
  const writer = packer.writable.getWriter();
  let above = new Uint8Array(width * channels);
  for await (const { count, bytes } of strips) {
    const lines = new Uint8Array(count * (1 + width * channels));
    for (let row = 0; row < count; row++) {
      const line = packedRow(bytes, row * width * 4, width, channels);
      filter(line, above, channels, lines.subarray(row * (1 + line.length), (row + 1) * (1 + line.length)));
      above = line;
    }
    await writer.write(lines);
  }
  await Promise.all([writer.close(), packed]);
  parts.push(chunk('IEND', new Uint8Array(0)));
  return new Blob(parts, { type: 'image/png' });
}

function header(width, height, kind) {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set([8, kind, 0, 0, 0], 8);
  return bytes;
}

// Chunks of what readMetadata found.
function carried({ exif, xmp, iptc, texts, comments, dpi }) {
  const parts = texts.map(({ kind, content }) => chunk(kind, content));
  if (exif) parts.push(chunk('eXIf', exif));
  if (xmp) parts.push(chunk('iTXt', wideText('XML:com.adobe.xmp', xmp)));
  if (iptc) parts.push(chunk('tEXt', iptcText(iptc)));
  for (const comment of comments) parts.push(chunk('iTXt', wideText('Comment', asUtf8(comment))));
  if (dpi) parts.push(chunk('pHYs', resolution(dpi)));
  return parts;
}

function wideText(keyword, utf8) {
  const bytes = new Uint8Array(keyword.length + 5 + utf8.length); // not compressed, no language
  bytes.set(new TextEncoder().encode(keyword));
  bytes.set(utf8, keyword.length + 5);
  return bytes;
}

// PNG has no place of its own for IPTC; this is where ImageMagick and ExifTool put it and look for it.
function iptcText(records) {
  const size = records.length;
  const resource = Uint8Array.of(...[56, 66, 73, 77, 4, 4, 0, 0], size >>> 24, size >>> 16, size >>> 8, size, ...records, ...(size % 2 ? [0] : []));
  const hex = Array.from(resource, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const lines = hex.match(/.{1,72}/g).join('\n');
  return new TextEncoder().encode('Raw profile type iptc\0\niptc\n' + String(resource.length).padStart(8) + '\n' + lines + '\n');
}

function asUtf8(bytes) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return bytes;
  } catch {
    return new TextEncoder().encode(new TextDecoder('latin1').decode(bytes));
  }
}

function resolution(dpi) {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  dpi.forEach((one, at) => view.setUint32(4 * at, Math.round(one / 0.0254)));
  bytes[8] = 1; // a metre
  return bytes;
}

async function collect(readable, parts) {
  for (const reader = readable.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    parts.push(chunk('IDAT', value));
  }
}

function packedRow(bytes, from, width, channels) {
  if (channels === 4) return bytes.slice(from, from + width * 4);
  const line = new Uint8Array(width * 3);
  for (let at = 0, to = 0; to < line.length; at += 4) {
    line[to++] = bytes[from + at];
    line[to++] = bytes[from + at + 1];
    line[to++] = bytes[from + at + 2];
  }
  return line;
}

// Differences from the row above or from the pixel before, whichever looks smaller on a sample.
function filter(line, above, channels, out) {
  let [up, sub] = [0, 0];
  for (let at = channels; at < line.length; at += 61) {
    up += Math.abs(line[at] - above[at]);
    sub += Math.abs(line[at] - line[at - channels]);
  }
  out[0] = up <= sub ? UP : SUB;
  const other = up <= sub ? above : null;
  if (other) for (let at = 0; at < line.length; at++) out[at + 1] = line[at] - other[at];
  else {
    for (let at = 0; at < channels; at++) out[at + 1] = line[at];
    for (let at = channels; at < line.length; at++) out[at + 1] = line[at] - line[at - channels];
  }
}
