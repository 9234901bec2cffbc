// One picture, encoded once, coloured as often as a person changes their mind: inference/canvas.py.

import { hintedPixels } from './hints.js';
import { spreadHints } from './kriging.js';
import { strips } from './picture.js';

const GRID = 32; // working sizes are multiples of it
const MOST_ELONGATED = 4; // a panorama's long side is worked on at most this many times the short side
const KEPT_PIXELS = 1 << 20; // of pictures whose lightness is kept between two clicks
const LEAST_MASS = 0.01; // of the likeliest colour's: a less likely one is no suggestion

export class Canvas {
  // `source` is a Photo or Pixels, and stays the caller's; `size` is the working short side.
  static async open(runtime, source, size = runtime.config.size) {
    const canvas = new Canvas();
    Object.assign(canvas, { runtime, source, takes: new Map(), lights: new Map() });
    const shape = workingShape(source.height, source.width, size);
    canvas.lightness = await canvas.reducedLightness(shape);
    await canvas.look(shape);
    return canvas;
  }

  async look(shape) {
    const { runtime, lightness } = this;
    const { maps: detail } = await runtime.run('see', { lightness });
    const small = overviewShape(shape, runtime.config.overview);
    let overview = detail;
    if (small) {
      const { resized } = await runtime.run('resize', { planes: lightness, size: runtime.whole(...small) });
      overview = (await runtime.run('see', { lightness: resized })).maps;
    }
    const { maps, logits, strength } = await runtime.run('look', { detail, overview });
    for (const one of new Set([detail, overview])) one.dispose();
    Object.assign(this, { maps, logits, strength: strength.data[0], grid: logits.dims.slice(2) });
  }

  // Lets go what lies in the memory of a graphics processor, which nobody else frees.
  close() {
    const made = [...this.takes.values()].flatMap(({ logits, cells }) => [logits, ...Object.values(cells ?? {})]);
    for (const one of new Set([this.maps, this.logits, ...made])) one.dispose();
    this.takes.clear();
  }

  // a*b* as a tensor (1, 2, h, w) at stride 4. Hints are { x, y, ab: [a, b], radius } in pixels of the source;
  // a take is a variation, null for the likeliest colours.
  async colors(hints = [], vividness = null, take = null) {
    const { runtime } = this;
    const seen = await this.tilted(take);
    const wanted = vividness ?? runtime.config.vividness;
    const { source, grid, strength } = this;
    if (!hints.length) return this.decoded(seen, wanted, strength * runtime.config.chroma_scale);
    const cells = await this.cellsOf(seen);
    return spreadHints(runtime, { source, grid, cells }, hints, await this.decoded(seen, wanted, strength));
  }

  async cellsOf(seen) {
    const { runtime, maps, lightness } = this;
    return (seen.cells ??= await runtime.run('cells', { logits: seen.logits, maps, lightness }));
  }

  // Makes ready what hints need; whether there was anything to do.
  async warm() {
    const seen = await this.tilted(null);
    if (seen.cells) return false;
    await this.cellsOf(seen);
    return true;
  }

  // What is likely in a take, with what was made of it: { logits, cells, decoded }.
  async tilted(take) {
    if (!this.takes.has(take)) {
      const { runtime } = this;
      const logits = take === null ? this.logits : (await runtime.run('tilt', { logits: this.logits, take: runtime.whole(take) })).tilted;
      const others = [...this.takes.keys()].filter((one) => one !== null);
      if (take !== null && others.length) this.forget(others[0]);
      this.takes.set(take, { logits, cells: null, decoded: new Map() });
    }
    return this.takes.get(take);
  }

  forget(take) {
    const { logits, cells } = this.takes.get(take);
    for (const one of [logits, ...Object.values(cells ?? {})]) one.dispose();
    this.takes.delete(take);
  }

  async decoded({ logits, decoded }, vividness, chroma) {
    const key = vividness + ' ' + chroma;
    if (!decoded.has(key)) {
      if (decoded.size > 3) decoded.clear();
      const { runtime } = this;
      const scalars = { vividness: runtime.scalar(vividness), chroma_scale: runtime.scalar(chroma) };
      decoded.set(key, (await runtime.run('colors', { logits, ...scalars })).ab);
    }
    return decoded.get(key);
  }

  // Likely colours of a place in pixels of the source, the likeliest first: { rgb, share }.
  async suggest(x, y) {
    const { runtime, source, grid, logits } = this;
    const cell = runtime.whole(Math.floor((y * grid[0]) / source.height), Math.floor((x * grid[1]) / source.width));
    const at = Math.floor(x) * 4;
    const pixel = runtime.bytes(source.rows(Math.floor(y), 1).slice(at, at + 4), 1, 1, 4);
    const { here } = await runtime.run('pick', { logits, cell });
    const { rgb, share } = await runtime.run('suggest', { logits: here, pixel });
    const found = Array.from(share.data, (mass, one) => ({ rgb: Array.from(rgb.data.subarray(3 * one, 3 * one + 3)), share: mass }));
    found.sort((one, other) => other.share - one.share);
    return found.filter((one) => one.share >= LEAST_MASS * found[0].share);
  }

  // How sure the model is, 0..1, on a grid of some rows and columns.
  async certainty(rows, columns) {
    const { runtime, logits } = this;
    return (await runtime.run('certainty', { logits, size: runtime.whole(rows, columns) })).sure.data;
  }

  // Strips in the colours of ab, from the top: { top, count, bytes }, RGBA; hinted pixels are as hinted.
  async *painted(ab, hints = []) {
    const { runtime, source } = this;
    for (const [top, count] of strips(source)) {
      const rows = source.rows(top, count);
      const light = await this.light(top, count, rows);
      const { painted } = await runtime.run('paint', { light, ab, place: runtime.whole(top, source.height) });
      for (let at = 3; at < rows.length; at += 4) painted.data[at] = rows[at]; // opacity
      if (hints.length) await paintHinted(runtime, source, rows, painted.data, top, count, hints);
      yield { top, count, bytes: painted.data };
    }
  }

  // L* of a strip as a tensor (count, W); that of a picture of few pixels is kept.
  async light(top, count, rows = this.source.rows(top, count)) {
    if (this.lights.has(top)) return this.lights.get(top);
    const { runtime, source } = this;
    const { light } = await runtime.run('light', { pixels: runtime.bytes(rows, count, source.width, 4) });
    if (source.width * source.height <= KEPT_PIXELS) this.lights.set(top, light);
    return light;
  }

  // L* at working size, (1, 1, h, w): the strips add up to a picture of h rows, which is then reduced in width.
  async reducedLightness([rows, columns]) {
    const { runtime, source } = this;
    const { width, height } = source;
    const scale = height / rows;
    const reach = Math.max(scale, 1);
    const narrow = new Float32Array(rows * width);
    for (const [top, count] of strips(source)) {
      const first = Math.max(0, Math.floor((top + 0.5 - reach) / scale - 0.5));
      const last = Math.min(rows, Math.ceil((top + count - 0.5 + reach) / scale - 0.5) + 1);
      const place = runtime.whole(top, height, rows, first, last - first);
      const { data } = (await runtime.run('reduce', { light: await this.light(top, count), place })).part;
      for (let at = 0, to = first * width; at < data.length; at++, to++) narrow[to] += data[at];
    }
    const size = runtime.whole(rows, columns);
    return (await runtime.run('resize', { planes: runtime.floats(narrow, 1, 1, rows, width), size })).resized;
  }
}

// Paints the pixels of a strip that hints fix, each with its own ab.
async function paintHinted(runtime, { width, height }, rows, painted, top, count, hints) {
  const { places, owners } = hintedPixels(hints, [height, width], top, count);
  if (!places.length) return;
  const [from, to] = [rows, painted].map((bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
  const pixels = new Uint32Array(places.length);
  const ab = new Float32Array(2 * places.length);
  places.forEach((place, at) => {
    pixels[at] = from[place];
    [ab[at], ab[places.length + at]] = hints[owners[at]].ab;
  });
  const found = await runtime.run('spots', {
    pixels: runtime.bytes(new Uint8Array(pixels.buffer), 1, places.length, 4),
    ab: runtime.floats(ab, 2, 1, places.length),
  });
  const exact = found.painted.data;
  const levels = new Uint32Array(exact.buffer, exact.byteOffset, places.length);
  places.forEach((place, at) => (to[place] = levels[at]));
}

// network/working.py
function workingShape(height, width, size) {
  const short = Math.min(height, width);
  return [height, width].map((side) => {
    const cells = (Math.min(side / short, MOST_ELONGATED) * size) / GRID;
    return Math.max(1, halfToEven(cells)) * GRID;
  });
}

function halfToEven(value) {
  const whole = Math.floor(value);
  const part = value - whole;
  return part > 0.5 || (part === 0.5 && whole % 2) ? whole + 1 : whole;
}

function overviewShape([height, width], overview) {
  if (!(overview > 0 && overview < Math.min(height, width))) return null;
  return workingShape(height, width, overview);
}
