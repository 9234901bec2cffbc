// The colouring desk: photographs opened, encoded once, rendered with hints: demo/photo/desk.py.

import { Canvas } from './canvas.js';
import { fitWork, hintsOf, number, readWork, whole, writeWork } from './marks.js';
import { readMetadata, whatIsLost } from './metadata.js';
import { Photo, fitted, jpeg, reduced } from './picture.js';
import { pngFile } from './png.js';
import { unsurePlaces } from './places.js';

const PREVIEW_SIDE = 1024;
const PALETTE_SIDE = 512; // of what palettes are compared on
const UNSURE_SIDE = 320;
const TAKE_SIDE = 480;
const TAKES = 4;
const MOST_SHEETS = 4;

export class Desk {
  constructor(runtime, note) {
    Object.assign(this, { runtime, note, sheets: new Map() });
  }

  async openPhoto(photo, hints = '') {
    const sheet = await this.sheet(photo);
    const { width, height } = sheet;
    const { after } = await this.render(photo, hints);
    return { width, height, vividness: this.runtime.config.vividness, before: await jpeg(sheet.before), after };
  }

  async render(photo, hints = '') {
    const work = readWork(hints);
    const sheet = await this.sheet(photo);
    return { after: await jpeg(await this.preview(sheet, work)) };
  }

  // The preview in colour: { width, height, bytes }.
  async preview(sheet, work) {
    const { canvas, before } = sheet;
    const bytes = new Uint8Array(before.bytes.length);
    for await (const { top, bytes: rows } of this.strips(canvas, work, sheet.scale, before)) bytes.set(rows, top * before.width * 4);
    return { width: before.width, height: before.height, bytes };
  }

  // Strips in colour, with what a reference lends; `before` is the photo at preview size.
  async *strips(canvas, work, scale, before) {
    const { runtime } = this;
    const nodes = work.palette.length && runtime.floats(Float32Array.from(work.palette.flat()), work.palette.length, 5);
    const hints = await this.withColors(hintsOf(work.marks, scale), canvas.source, nodes, before);
    const ab = await canvas.colors(hints, work.vividness, this.known(work.take));
    for await (const { top, count, bytes } of canvas.painted(ab, hints)) {
      if (!nodes) yield { top, count, bytes };
      else {
        const pixels = runtime.bytes(bytes, count, canvas.source.width, 4);
        yield { top, count, bytes: (await runtime.run('transfer', { pixels, nodes })).painted.data };
      }
    }
  }

  known(take) {
    return take === null ? null : whole(take, 'take', 0, this.runtime.takes - 1);
  }

  // Hints with their a*b*; under a palette, those that it turns into what is wanted.
  async withColors(hints, { width, height } = {}, nodes = null, before = null) {
    if (!hints.length) return hints;
    const { runtime } = this;
    let pixels = runtime.bytes(Uint8Array.from(hints.flatMap(({ rgb }) => [...rgb, 255])), 1, hints.length, 4);
    if (nodes) {
      const greys = hints.map(({ x, y }) => {
        const column = Math.min(Math.floor((x * before.width) / width), before.width - 1);
        const row = Math.min(Math.floor((y * before.height) / height), before.height - 1);
        return before.rows(row, 1).subarray(4 * column, 4 * column + 4);
      });
      const grey = runtime.bytes(Uint8Array.from(greys.flatMap((one) => [...one])), 1, hints.length, 4);
      const { data } = (await runtime.run('before_transfer', { wanted: pixels, grey, nodes })).rgb;
      const opaque = hints.flatMap((_, at) => [...data.subarray(3 * at, 3 * at + 3), 255]);
      pixels = runtime.bytes(Uint8Array.from(opaque), 1, hints.length, 4);
    }
    const { data } = (await runtime.run('lab', { pixels })).lab;
    return hints.map((hint, at) => ({ ...hint, ab: [data[hints.length + at], data[2 * hints.length + at]] }));
  }

  async suggest(photo, x, y) {
    const { width, height, scale, canvas } = await this.sheet(photo);
    for (const [at, axis] of [[x, 'x'], [y, 'y']]) number(at, axis, -1e9, 1e9);
    if (!(x >= 0 && x < width && y >= 0 && y < height)) {
      throw new Error('(' + x + ', ' + y + ') lies outside the photo of ' + width + ' x ' + height + ' pixels.');
    }
    return canvas.suggest(x * scale, y * scale);
  }

  async unsure(photo) {
    const { width, height, before, canvas } = await this.sheet(photo);
    const [columns, rows] = fitted(before, UNSURE_SIDE);
    return unsurePlaces(await canvas.certainty(rows, columns), columns, rows, width, height);
  }

  async variations(photo, hints = '', seed = null) {
    const most = this.runtime.takes - TAKES;
    const first = seed === null || seed === undefined ? TAKES * Math.floor(Math.random() * (this.runtime.takes / TAKES)) : whole(seed, 'seed', 0, most);
    const work = readWork(hints);
    const sheet = await this.sheet(photo);
    const found = [];
    for (let take = first; take < first + TAKES; take++) {
      found.push({ take, picture: await jpeg(await this.preview(sheet, { ...work, take }), TAKE_SIDE) });
    }
    return found;
  }

  async borrow(photo, reference, hints = '') {
    const { runtime } = this;
    const there = await this.pixelsOf(reference);
    const sheet = await this.sheet(photo);
    const plain = await this.preview(sheet, { ...readWork(hints), palette: [] });
    const here = await reduced(plain, PALETTE_SIDE);
    const [one, other] = [here, there].map(({ width, height, bytes }) => runtime.bytes(bytes, height, width, 4));
    const { data } = (await runtime.run('match', { here: one, there: other })).nodes;
    const node = (at) => Array.from(data.subarray(5 * at, 5 * at + 5), (value, column) => Number(value.toFixed(column ? 4 : 2)));
    return { palette: Array.from({ length: data.length / 5 }, (_, at) => node(at)) };
  }

  async pixelsOf(file) {
    const photo = await Photo.open(file);
    try {
      return photo.preview(PALETTE_SIDE);
    } finally {
      photo.close();
    }
  }

  readHints(hints, width, height) {
    return writeWork(fitWork(readWork(hints), whole(width, 'width', 1, 1e6), whole(height, 'height', 1, 1e6)));
  }

  useModel(model) {
    if (model) throw new Error('On this device there is only the model of this page. Another one needs a server.');
    return { model: '', vividness: this.runtime.config.vividness };
  }

  // Makes one thing ready that a click on the photo opened last needs; whether there was one.
  async warm() {
    if (!this.sheets.size) return false; // what opens the first photo comes first
    return (await this.runtime.warm()) || (await [...this.sheets.values()].at(-1).canvas.warm());
  }

  async fullSize(file, hints = '', vividness = null) {
    const work = { ...readWork(hints) };
    if (vividness !== null && vividness !== undefined) work.vividness = number(vividness, 'vividness', 0, 1);
    const photo = await Photo.open(file);
    try {
      const before = work.palette.length ? photo.preview(PREVIEW_SIDE) : null;
      const metadata = await readMetadata(file);
      const canvas = await Canvas.open(this.runtime, photo);
      const strips = this.strips(canvas, work, 1, before);
      const png = await pngFile(photo.width, photo.height, strips, metadata);
      canvas.close();
      const lost = whatIsLost(metadata);
      if (lost) this.note(lost);
      return new File([png], file.name.replace(/\.[^.]*$/, '') + '-color.png', { type: 'image/png' });
    } finally {
      photo.close();
    }
  }

  // The open photo at preview size: { width, height, scale, before, canvas }.
  async sheet(file) {
    const key = [file?.name, file?.size, file?.lastModified, file?.type].join('|');
    const found = this.sheets.get(key) ?? (await this.open(file));
    this.sheets.delete(key);
    this.sheets.set(key, found); // used last
    if (this.sheets.size > MOST_SHEETS) {
      const [oldest, { canvas }] = this.sheets.entries().next().value;
      canvas.close();
      this.sheets.delete(oldest);
    }
    return found;
  }

  // What was computed of photos is gone; they come again with the next call.
  forget() {
    this.sheets.clear();
  }

  async open(file) {
    const photo = await Photo.open(file);
    try {
      const before = photo.preview(PREVIEW_SIDE);
      const { width, height } = photo;
      const scale = Math.min(before.width / width, before.height / height);
      return { width, height, scale, before, canvas: await Canvas.open(this.runtime, before) };
    } finally {
      photo.close();
    }
  }
}
