// Photographs: decoded by the browser, upright, in sRGB, and read in strips of rows.

const MOST_PIXELS = 200e6;
const STRIP_PIXELS = 1 << 19; // what is worked on at a time
const JPEG_QUALITY = 0.92;

// Anything with { width, height, rows(top, count) }: rows of RGBA bytes that stay the caller's.
export class Pixels {
  constructor(width, height, bytes) {
    Object.assign(this, { width, height, bytes });
  }

  rows(top, count) {
    return this.bytes.subarray(top * this.width * 4, (top + count) * this.width * 4);
  }
}

export class Photo {
  // Raises a sentence where the file cannot be read.
  static async open(file) {
    const name = file?.name || 'The picture';
    if (!(file instanceof Blob)) throw new Error('Drop a photo, paste one, or choose a file.');
    if (!file.size) throw new Error(name + ' is empty (0 bytes): copy or download it again.');
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: 'from-image', premultiplyAlpha: 'none' });
    } catch {
      throw new Error(name + ' is not a picture that this browser can read, or it is damaged. Save it as ' + remedy(name));
    }
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) {
      bitmap.close();
      throw new Error(name + ' has ' + Math.round((width * height) / 1e6) + ' megapixels; at most ' + MOST_PIXELS / 1e6 + ' can be coloured here.');
    }
    if (width * height < 2) throw new Error(name + ' is a single pixel; there is nothing to colour.');
    return new Photo(bitmap);
  }

  constructor(bitmap) {
    Object.assign(this, { bitmap, width: bitmap.width, height: bitmap.height, canvas: null });
  }

  rows(top, count) {
    if (this.canvas?.height !== count) this.canvas = new OffscreenCanvas(this.width, count);
    const context = this.canvas.getContext('2d', { willReadFrequently: true });
    context.globalCompositeOperation = 'copy';
    context.drawImage(this.bitmap, 0, -top);
    return context.getImageData(0, 0, this.width, count).data;
  }

  // All pixels, the long side at most `side`.
  preview(side) {
    return drawn(this.bitmap, ...fitted(this, side));
  }

  close() {
    this.bitmap.close();
    this.canvas = null;
  }
}

// A TIFF may have 16 bits, which only the library keeps.
const remedy = (name) => (/\.tiff?$/i.test(name) ? 'PNG; the library (colorize-hub photo) reads TIFF, and keeps its 16 bits.' : 'JPEG or PNG.');

// [top, count] of every strip of a picture.
export function* strips({ width, height }) {
  const most = Math.max(1, Math.floor(STRIP_PIXELS / width));
  for (let top = 0; top < height; top += most) yield [top, Math.min(most, height - top)];
}

// Width and height, the long side at most `side`.
export function fitted({ width, height }, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return [width, height].map((length) => Math.max(1, Math.round(length * scale)));
}

function drawn(image, width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, width, height);
  return new Pixels(width, height, context.getImageData(0, 0, width, height).data);
}

const imageOf = ({ width, height, bytes }) =>
  new ImageData(new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.length), width, height);

export const bitmapOf = (pixels) => createImageBitmap(imageOf(pixels));

// RGBA bytes again, the long side at most `side`.
export async function reduced(pixels, side) {
  if (Math.max(pixels.width, pixels.height) <= side) return pixels;
  return drawn(await bitmapOf(pixels), ...fitted(pixels, side));
}

// A JPEG file of RGBA bytes, the long side at most `side`; what is transparent shows white.
export async function jpeg(pixels, side = Infinity) {
  const shown = await reduced(pixels, side);
  const canvas = new OffscreenCanvas(shown.width, shown.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.putImageData(imageOf(shown), 0, 0);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = 'white';
  context.fillRect(0, 0, shown.width, shown.height);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY });
}

// A PNG file of RGBA bytes.
export function png(pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d', { willReadFrequently: true }).putImageData(imageOf(pixels), 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
