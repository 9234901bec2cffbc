// The live picture: frames in, frames in colour out, hints that follow their objects: demo/live/session.py.
// The page owns what the visitor wants and sends it with every frame; here is what has to be remembered.

import { Canvas } from './canvas.js';
import { flowBetween, pyramid } from './flow.js';
import { hintedCells } from './hints.js';
import { number, whole } from './marks.js';
import { Pace } from './pace.js';
import { Photo, bitmapOf } from './picture.js';
import { SMALL_SIDE, Tracker } from './tracking.js';

const MOST_HINTS = 24;
const REMEMBERED = 24; // frames that a click may come late
const MOST_FRAMES = 100; // that an average is made of, as steady.memory says

export class Live {
  // `withColors` gives hints their a*b*.
  constructor(runtime, withColors) {
    Object.assign(this, { runtime, withColors, pace: new Pace(runtime.device), trackers: new Map(), lately: new Map(), steady: null });
  }

  // `picture` is an ImageBitmap, and stays the caller's. Gives { facts, picture: ImageBitmap }.
  async frame(value, picture) {
    const began = performance.now();
    const wish = readWish(value);
    const photo = new Photo(picture);
    const pixels = photo.preview(Math.max(photo.width, photo.height));
    if (await this.follow(photo.preview(SMALL_SIDE), wish)) this.steady = null; // what a hint coloured must not stay
    const { side, size } = this.pace.level;
    const canvas = await Canvas.open(this.runtime, pixels, size);
    const facts = { frame: wish.frame, side, size, hints: wish.hints.map(({ key }) => this.whereabouts(key)) };
    try {
      if (this.trackers.has(wish.suggest)) facts.likely = await this.likely(canvas, wish.suggest, pixels);
      const coloured = await bitmapOf(await this.coloured(canvas, wish, pixels));
      this.pace.add(performance.now() - began);
      return { facts, picture: coloured };
    } finally {
      canvas.close();
    }
  }

  async coloured(canvas, wish, pixels) {
    const hints = await this.withColors(this.hintsOf(wish, pixels));
    const ab = await this.steadied(canvas, hints, wish);
    const bytes = new Uint8Array(pixels.bytes.length);
    for await (const strip of canvas.painted(ab, hints)) bytes.set(strip.bytes, strip.top * pixels.width * 4);
    return { ...pixels, bytes };
  }

  // What was computed is gone, and maybe another device computes now: the next frame is the first of its scene.
  forget() {
    Object.assign(this, { steady: null, pace: new Pace(this.runtime.device) });
  }

  // A small frame as trackers see it: with levels of lightness.
  async grey(small) {
    if (small.levels) return small;
    const { width, height, bytes } = small;
    const { runtime } = this;
    const { data } = (await runtime.run('lab', { pixels: runtime.bytes(bytes, height, width, 4) })).lab;
    return Object.assign(small, { levels: data.slice(0, width * height).map((level) => level * 2.55) });
  }

  // Takes the hints along to this frame; new ones begin on the frame that was clicked. Whether one went out of
  // sight or came back.
  async follow(small, wish) {
    const wanted = new Set(wish.hints.map(({ key }) => key));
    for (const key of this.trackers.keys()) if (!wanted.has(key)) this.trackers.delete(key);
    let turned = false;
    for (const tracker of this.trackers.values()) {
      const before = tracker.seen;
      tracker.follow(await this.grey(small));
      turned ||= tracker.seen !== before;
    }
    this.lately.set(wish.frame, small);
    if (this.lately.size > REMEMBERED) this.lately.delete(this.lately.keys().next().value);
    for (const { key, x, y, frame, seen } of wish.hints) {
      if (this.trackers.has(key) || !seen) continue;
      const tracker = new Tracker(await this.grey(this.lately.get(frame) ?? small), x, y);
      if (this.lately.has(frame)) for (const [shot, later] of this.lately) if (shot > frame) tracker.follow(await this.grey(later));
      this.trackers.set(key, tracker);
    }
    return turned;
  }

  whereabouts(key) {
    const tracker = this.trackers.get(key);
    return tracker ? { key, ...tracker.whereabouts, seen: tracker.seen } : { key, seen: false };
  }

  hintsOf(wish, pixels) {
    const found = wish.hints.filter(({ key, rgb }) => rgb && this.trackers.get(key)?.seen);
    return found.map(({ key, rgb }) => ({ ...this.placeOf(key, pixels), rgb, radius: null }));
  }

  placeOf(key, { width, height }) {
    const { x, y } = this.trackers.get(key).whereabouts;
    return { x: Math.min(Math.max(x, 0) * width, width - 1e-3), y: Math.min(Math.max(y, 0) * height, height - 1e-3) };
  }

  async likely(canvas, key, pixels) {
    const { x, y } = this.placeOf(key, pixels);
    return { key, colours: await canvas.suggest(x, y) };
  }

  // a*b* averaged with those of the frames before; hinted cells are as hinted, and a changed wish shows at once.
  async steadied(canvas, hints, wish) {
    const { runtime, steady } = this;
    const own = await canvas.colors(hints, wish.vividness);
    const keep = wish.smoothing ? Math.min(1 - (1 - wish.smoothing) ** 2, 1 - 1 / MOST_FRAMES) : 0;
    if (!keep) return (this.steady = null), own;
    const look = pyramid(canvas.lightness);
    const same = steady && steady.lightness.dims.join() === canvas.lightness.dims.join();
    const before = same ? steady : this.nothing(canvas, look);
    const shift = same && changed(wish, steady) ? await difference(runtime, canvas, own, steady) : zeros(runtime, own.dims);
    const [back, forth] = same ? [flowBetween(before.look, look), flowBetween(look, before.look)] : [null, null];
    const flow = (found) => (found ? runtime.floats(found, ...own.dims.slice(1)) : zeros(runtime, own.dims.slice(1)));
    const found = await runtime.run('steady', {
      lightness: canvas.lightness, before: before.lightness, ab: own, colour: before.kept_colour, frames: before.kept_frames,
      keep: runtime.scalar(keep), shift, back: flow(back), forth: flow(forth),
    });
    this.steady = { ...found, lightness: canvas.lightness, look, hints, ...asked(wish) };
    return withHinted(runtime, canvas, hints, found.steadied, own);
  }

  nothing({ grid, lightness }, look) {
    return { lightness, look, kept_colour: zeros(this.runtime, [3, ...grid]), kept_frames: zeros(this.runtime, grid) };
  }
}

const zeros = (runtime, dims) => runtime.floats(new Float32Array(dims.reduce((one, other) => one * other)), ...dims);

// The first with the hinted cells of the second.
function withHinted(runtime, { source, grid }, hints, steadied, own) {
  if (!hints.length) return steadied;
  const ab = steadied.data.slice();
  hintedCells(hints, [source.height, source.width], grid).forEach((index, cell) => {
    if (index >= 0) for (const at of [cell, grid[0] * grid[1] + cell]) ab[at] = own.data[at];
  });
  return runtime.floats(ab, ...own.dims);
}

// What of a wish changes colours: not where a hint is, for it follows its object.
const asked = ({ vividness, hints }) => ({ vividness, colours: JSON.stringify(hints.map(({ rgb }) => rgb)) });

const changed = (wish, before) => wish.vividness !== before.vividness || asked(wish).colours !== before.colours;

async function difference(runtime, canvas, own, before) {
  const other = await canvas.colors(before.hints, before.vividness);
  return runtime.floats(own.data.map((value, at) => value - other.data[at]), ...own.dims);
}

function readWish(value) {
  if (value === null || typeof value !== 'object') throw new Error("A frame's wish must be an object.");
  const { frame, vividness = null, smoothing = 0.8, hints = [], suggest = '' } = value;
  if (!Array.isArray(hints) || hints.length > MOST_HINTS) throw new Error('hints must be a list of at most ' + MOST_HINTS + '.');
  return {
    frame: whole(frame, 'frame', 0),
    vividness: vividness === null ? null : number(vividness, 'vividness', 0, 1),
    smoothing: number(smoothing, 'smoothing', 0, 1),
    hints: hints.map(readHint),
    suggest,
  };
}

function readHint({ key, x, y, frame, rgb = null, seen }) {
  if (typeof key !== 'string') throw new Error('A hint must be an object with a key.');
  if (rgb !== null && (!Array.isArray(rgb) || rgb.length !== 3)) throw new Error('rgb of a hint must be three numbers 0..255.');
  return {
    key,
    x: Math.min(number(x, 'x', 0, 1), 0.9999),
    y: Math.min(number(y, 'y', 0, 1), 0.9999),
    frame: whole(frame, 'frame', 0),
    rgb: rgb?.map((part) => Math.round(number(part, 'rgb', 0, 255))) ?? null,
    seen: seen !== false,
  };
}
