// The colouring desk: photographs opened, encoded once, rendered with hints: demo/photo/desk.py.

import { Canvas } from './canvas.js';
import { hintsOf, number, readWork } from './marks.js';
import { readMetadata } from './metadata.js';
import { Photo, jpeg } from './picture.js';
import { pngFile } from './png.js';

const PREVIEW_SIDE = 1024;
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
    for await (const { top, bytes: rows } of this.strips(canvas, work, sheet.scale)) bytes.set(rows, top * before.width * 4);
    return { width: before.width, height: before.height, bytes };
  }

  async *strips(canvas, work, scale) {
    const hints = await this.withColors(hintsOf(work.marks, scale));
    yield* canvas.painted(await canvas.colors(hints, work.vividness), hints);
  }

  // Hints with their a*b*.
  async withColors(hints) {
    if (!hints.length) return hints;
    const { runtime } = this;
    const pixels = runtime.bytes(Uint8Array.from(hints.flatMap(({ rgb }) => [...rgb, 255])), 1, hints.length, 4);
    const { data } = (await runtime.run('lab', { pixels })).lab;
    return hints.map((hint, at) => ({ ...hint, ab: [data[hints.length + at], data[2 * hints.length + at]] }));
  }

  async fullSize(file, hints = '', vividness = null) {
    const work = readWork(hints);
    if (vividness !== null && vividness !== undefined) work.vividness = number(vividness, 'vividness', 0, 1);
    const photo = await Photo.open(file);
    try {
      const metadata = await readMetadata(file);
      const canvas = await Canvas.open(this.runtime, photo);
      const strips = this.strips(canvas, work, 1);
      const png = await pngFile(photo.width, photo.height, strips, metadata);
      if (metadata.bits > 8) this.note('This scan has ' + metadata.bits + ' bits a channel; the download has 8, which is what a browser reads.');
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
    if (this.sheets.size > MOST_SHEETS) this.sheets.delete(this.sheets.keys().next().value);
    return found;
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
