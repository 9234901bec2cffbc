// What a photo's file carries besides pixels. The download keeps what stays true; of the rest a note tells.
//
// { exif, xmp, iptc: bytes or null, texts: chunks of PNG as they are, comments: [bytes], dpi: [across, down] or
//   null, profile: bytes or null, alpha: whether there may be transparency, bits: of a channel,
//   left: names of what is left out }

import { readBoxes } from './boxes.js';
import { bytesOf, text, viewOf } from './bytes.js';
import { readJpeg, readPng, readWebp } from './containers.js';

const ORIENTATION = 0x0112;
const BRANDS = /^(avif|avis|heic|heix|hevc|mif1|msf1)$/;

export async function readMetadata(file) {
  const found = {
    exif: null, xmp: null, iptc: null, texts: [], comments: [], dpi: null, profile: null, alpha: true, bits: 8, left: new Set(),
  };
  const start = await bytesOf(file, 0, 16);
  try {
    if (start[0] === 0xff && start[1] === 0xd8) await readJpeg(file, found);
    else if (text(start, 1, 3) === 'PNG') await readPng(file, found);
    else if (text(start, 8, 4) === 'WEBP') await readWebp(file, found);
    else if (text(start, 4, 4) === 'ftyp' && BRANDS.test(text(start, 8, 4))) await readBoxes(file, found);
    else if (text(start, 0, 2) === 'BM') found.alpha = false;
    else found.left.add('all that the file says besides its pixels');
    if (found.exif) found.exif = upright(found.exif);
  } catch {
    found.exif = null;
    found.left.add('damaged parts of what the file says besides its pixels');
  }
  if (found.xmp) found.xmp = uprightXmp(found.xmp);
  return found;
}

// What a visitor should know of a download, in sentences; empty where nothing is lost.
export function whatIsLost({ bits, profile, left }) {
  const words = [];
  if (bits > 8) words.push('This picture has ' + bits + ' bits a channel; the download has 8, which is what a browser reads.');
  if (profile && !isSrgb(profile)) words.push('Its colour profile was followed; the download is in sRGB.');
  if (left.size) words.push('Left out of the download: ' + [...left].join(', ') + '.');
  return words.join(' ');
}

// Whether an ICC profile calls itself sRGB, in letters of one byte or of two.
function isSrgb(profile) {
  const words = new TextDecoder('latin1').decode(profile).replaceAll('\0', '');
  return words.includes('sRGB');
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
