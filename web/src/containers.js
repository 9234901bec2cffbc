// What JPEG, PNG and WebP files carry besides pixels, into what metadata.js describes.

import { bytesOf, text, viewOf } from './bytes.js';

const EXIF = 'Exif\0\0';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const MORE_XMP = 'http://ns.adobe.com/xmp/extension/\0';
const PROFILE = 'ICC_PROFILE\0';
const PHOTOSHOP = 'Photoshop 3.0\0';
const IPTC = 0x0404; // the number of Photoshop's resource
const PNG_XMP = 'XML:com.adobe.xmp\0';
const INCH_MM = 25.4;
const TEXTS = ['tEXt', 'zTXt', 'iTXt'];
// Chunks about the old pixels, or that make sense with them only.
const OF_PIXELS = ['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'cICP', 'sBIT', 'bKGD', 'hIST', 'sPLT', 'tIME'];
const FURTHER = 'further pictures in it';
const OF_PROGRAMS = 'data of other programs';

export const exifOf = (block) => (text(block, 0, EXIF.length) === EXIF ? block.slice(EXIF.length) : block);

export async function readJpeg(file, found) {
  found.alpha = false;
  const profile = [];
  for (let at = 2; ; ) {
    const start = await bytesOf(file, at, 4);
    const kind = viewOf(start).getUint16(0);
    if (kind === 0xffda || kind < 0xff00) break; // the pixels begin
    const size = viewOf(start).getUint16(2);
    if ((kind & 0xfff0) === 0xffe0 || kind === 0xfffe) readSegment(kind & 0xff, await bytesOf(file, at + 4, size - 2), found, profile);
    at += 2 + size;
  }
  if (profile.length) found.profile = new Uint8Array(await new Blob(profile).arrayBuffer());
}

function readSegment(kind, block, found, profile) {
  const begins = (name) => text(block, 0, name.length) === name;
  if (kind === 0xe0 && begins('JFIF\0')) found.dpi ??= jfifResolution(viewOf(block));
  else if (kind === 0xe1 && begins(EXIF)) found.exif ??= block.slice(EXIF.length);
  else if (kind === 0xe1 && begins(XMP)) found.xmp ??= block.slice(XMP.length);
  else if (kind === 0xe1 && begins(MORE_XMP)) found.left.add('the second part of its XMP');
  else if (kind === 0xe2 && begins(PROFILE)) profile.push(block.slice(PROFILE.length + 2));
  else if (kind === 0xe2 && begins('MPF\0')) found.left.add(FURTHER);
  else if (kind === 0xed && begins(PHOTOSHOP)) found.iptc ??= iptcAmong(block.subarray(PHOTOSHOP.length));
  else if (kind === 0xfe) found.comments.push(block);
  else if (kind !== 0xe0 && kind !== 0xee) found.left.add(OF_PROGRAMS); // 0xee says how the pixels are coded
}

function jfifResolution(view) {
  const inches = { 1: 1, 2: INCH_MM / 10 }[view.getUint8(7)];
  return inches ? [view.getUint16(8) * inches, view.getUint16(10) * inches] : null;
}

// IPTC records among Photoshop's resources; null where there are none.
function iptcAmong(block) {
  const view = viewOf(block);
  for (let at = 0; at + 12 <= block.length && text(block, at, 4) === '8BIM'; ) {
    const nameEnd = at + 7 + block[at + 6];
    const start = nameEnd + (nameEnd % 2);
    const size = view.getUint32(start);
    if (view.getUint16(at + 4) === IPTC) return block.slice(start + 4, start + 4 + size);
    at = start + 4 + size + (size % 2);
  }
  return null;
}

export async function readPng(file, found) {
  found.alpha = false;
  for (let at = 8; at < file.size; ) {
    const start = await bytesOf(file, at, 8);
    const [size, kind] = [viewOf(start).getUint32(0), text(start, 4, 4)];
    if (kind !== 'IDAT' && kind !== 'fdAT') await readChunk(kind, await bytesOf(file, at + 8, size), found);
    at += size + 12;
  }
}

async function readChunk(kind, content, found) {
  if (kind === 'IHDR') [found.bits, found.alpha] = [Math.max(8, content[8]), content[9] >= 4];
  else if (kind === 'tRNS') found.alpha = true;
  else if (kind === 'eXIf') found.exif = content;
  else if (kind === 'pHYs') found.dpi = pngResolution(viewOf(content));
  else if (kind === 'iCCP') found.profile = await unpacked(content.subarray(content.indexOf(0) + 2));
  else if (kind === 'iTXt' && isPlainXmp(content)) found.xmp = content.slice(content.indexOf(0, content.indexOf(0, PNG_XMP.length + 2) + 1) + 1);
  else if (TEXTS.includes(kind)) found.texts.push({ kind, content });
  else if (kind === 'acTL') found.left.add(FURTHER);
  else if (!OF_PIXELS.includes(kind) && kind !== 'fcTL') found.left.add(OF_PROGRAMS);
}

const isPlainXmp = (content) => text(content, 0, PNG_XMP.length) === PNG_XMP && !content[PNG_XMP.length];

const pngResolution = (view) => (view.getUint8(8) === 1 ? [0, 4].map((at) => (view.getUint32(at) * INCH_MM) / 1000) : null);

async function unpacked(bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer());
}

export async function readWebp(file, found) {
  for (let at = 12; at + 8 <= file.size; ) {
    const start = await bytesOf(file, at, 9);
    const [kind, size] = [text(start, 0, 4), viewOf(start).getUint32(4, true)];
    const content = () => bytesOf(file, at + 8, size);
    if (kind === 'VP8 ') found.alpha = false;
    else if (kind === 'VP8X') found.alpha = !!(start[8] & 16);
    else if (kind === 'EXIF') found.exif = exifOf(await content());
    else if (kind === 'XMP ') found.xmp = await content();
    else if (kind === 'ICCP') found.profile = await content();
    else if (kind === 'ANIM') found.left.add(FURTHER);
    at += 8 + size + (size % 2);
  }
}
