// What AVIF and HEIC files carry besides pixels (ISO/IEC 14496-12 and 23008-12): metadata.js says into what.

import { bytesOf, text, viewOf } from './bytes.js';
import { exifOf } from './containers.js';

const XMP = 'application/rdf+xml';

export async function readBoxes(file, found) {
  const meta = (await topBoxes(file)).find(({ kind }) => kind === 'meta');
  if (!meta) return;
  const inside = await bytesOf(file, meta.from, meta.to - meta.from);
  const parts = [...boxes(inside, 4)];
  const part = (name) => parts.find(({ kind }) => kind === name);
  readProperties(inside, part('iprp'), found);
  const places = part('iloc') ? placesOf(viewOf(inside), part('iloc')) : new Map();
  for (const { id, kind } of part('iinf') ? itemsOf(inside, part('iinf')) : []) {
    if (kind !== 'Exif' && kind !== XMP) continue;
    const place = places.get(id);
    const content = place?.inside === false && (await bytesOf(file, place.from, place.size));
    if (!content) found.left.add(kind === XMP ? 'XMP' : 'EXIF');
    else if (kind === XMP) found.xmp = content;
    else found.exif = exifOf(content.slice(4 + viewOf(content).getUint32(0)));
  }
}

// Boxes of a file: { kind, from, to } of what each holds.
async function topBoxes(file) {
  const found = [];
  for (let at = 0; at + 8 <= file.size && found.length < 1000; ) {
    const start = await bytesOf(file, at, 16);
    const { size, header } = sizeOf(viewOf(start), 0, file.size - at);
    found.push({ kind: text(start, 4, 4), from: at + header, to: at + size });
    at += size;
  }
  return found;
}

function sizeOf(view, at, rest) {
  const size = view.getUint32(at);
  const [whole, header] = size === 1 ? [Number(view.getBigUint64(at + 8)), 16] : [size || rest, 8];
  if (whole < header || whole > rest) throw new Error('a box that ends elsewhere');
  return { size: whole, header };
}

function* boxes(bytes, from, to = bytes.length) {
  for (let at = from; at + 8 <= to; ) {
    const { size, header } = sizeOf(viewOf(bytes), at, to - at);
    yield { kind: text(bytes, at + 4, 4), from: at + header, to: at + size };
    at += size;
  }
}

// Bits and profile of the pictures, and whether one of them is of opacity.
function readProperties(bytes, properties, found) {
  found.alpha = false;
  const holder = properties && [...boxes(bytes, properties.from, properties.to)].find(({ kind }) => kind === 'ipco');
  for (const { kind, from, to } of holder ? boxes(bytes, holder.from, holder.to) : []) {
    if (kind === 'pixi') found.bits = Math.max(found.bits, ...bytes.subarray(from + 5, to));
    if (kind === 'colr' && ['prof', 'rICC'].includes(text(bytes, from, 4))) found.profile = bytes.slice(from + 4, to);
    if (kind === 'auxC' && text(bytes, from, to - from).includes('auxiliary:alpha')) found.alpha = true;
  }
}

// { id, kind } of every item; the kind of XMP is its media type.
function* itemsOf(bytes, { from, to }) {
  const view = viewOf(bytes);
  const first = from + 4 + (view.getUint8(from) ? 4 : 2);
  for (const box of boxes(bytes, first, to)) {
    const version = view.getUint8(box.from);
    if (box.kind !== 'infe' || version < 2) continue;
    const id = version === 2 ? view.getUint16(box.from + 4) : view.getUint32(box.from + 4);
    const at = box.from + (version === 2 ? 8 : 10);
    const kind = text(bytes, at, 4);
    if (kind !== 'mime') yield { id, kind };
    else yield { id, kind: text(bytes, at + 4, box.to - at - 4).split('\0')[1] }; // after its name
  }
}

// Where each item lies: id -> { from, size, inside: whether not in the file itself }.
function placesOf(view, { from }) {
  const version = view.getUint8(from);
  const [offsetSize, lengthSize] = [view.getUint8(from + 4) >> 4, view.getUint8(from + 4) & 15];
  const [baseSize, indexSize] = [view.getUint8(from + 5) >> 4, version ? view.getUint8(from + 5) & 15 : 0];
  let at = from + 6;
  const read = (size) => {
    at += size;
    if (size === 8) return Number(view.getBigUint64(at - 8));
    return { 0: () => 0, 2: () => view.getUint16(at - 2), 4: () => view.getUint32(at - 4) }[size]();
  };
  const places = new Map();
  for (let left = read(version < 2 ? 2 : 4); left > 0; left--) {
    const id = read(version < 2 ? 2 : 4);
    const inside = version ? (read(2) & 15) !== 0 : false;
    read(2); // the file itself
    const base = read(baseSize);
    const extents = read(2);
    for (let extent = 0; extent < extents; extent++) {
      read(indexSize);
      const [offset, size] = [read(offsetSize), read(lengthSize)];
      places.set(id, { from: base + offset, size, inside: inside || extents > 1 });
    }
  }
  return places;
}
