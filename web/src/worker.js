// Colouring in the visitor's own browser: a worker that answers the calls that the Gradio server answers.
//
//   new Worker('worker.js', { type: 'module' })
//
// In:  { id, name, data: [..] }: an endpoint of the server by its name, with the same arguments in the same
//      order (demo/photo/handlers.py). Where the server takes an uploaded file, here is a File; the same name,
//      size and time is the same photo, so it may come anew with each call. Hints are the same JSON text.
// Out: { id, result }: what the server answers, but pictures are Blobs in place of data URLs;
//      { id, error }: one sentence for the visitor; nothing has changed then, and the work is kept;
//      { progress: { loaded, total, what } }: bytes, while files come;
//      { note }: one sentence that the visitor should read (the graphics processor was lost, a scan of 16 bits
//      is saved with 8); what was asked for goes on.
//
// The first message is { id, name: 'start', data: [{ base, model, threads, device }] }:
//   base      address of the site's folder, with "/" at its end. Below it, as colorize_hub.web.build puts them:
//             runtime/ort.wasm.min.mjs, runtime/ort-wasm-simd-threaded.mjs, runtime/ort-wasm-simd-threaded.wasm.gz
//             and for WebGPU runtime/ort.webgpu.min.mjs and runtime/ort-wasm-simd-threaded.asyncify.{mjs,wasm.gz}:
//             files of onnxruntime-web/dist under their own names, the .wasm compressed with gzip.
//   model     address of model.json, which colorize_hub.export.web writes; its graphs lie beside it.
//   threads   most threads; one where the page is not cross-origin isolated.
//   device    'auto' (WebGPU where there is an adapter), 'wasm' or 'webgpu'.
// Its result is { device: 'webgpu' | 'wasm', threads, vividness, size }. It may be sent again after an error.
//
// Endpoints:
//   open_photo(photo, hints)             { width, height, vividness, before: Blob, after: Blob }
//   render(photo, hints)                 { after: Blob }
//   suggest_colours(photo, x, y)         [{ rgb, share }]
//   unsure(photo)                        { map: Blob, places: [{ x, y }] }
//   variations(photo, hints, seed)       [{ take, picture: Blob }]; a take is below the manifest's `takes`
//   borrow_palette(photo, reference, hints)   { palette }
//   read_hints(hints, width, height)     the hints, fitted
//   use_model(model)                     { model, vividness }; there is only the page's own, named ""
//   colorize_with_hints(photo, hints, vividness)   File "<stem>-color.png", lossless, of the photo's size
//   join()                               { fresh: true } where nothing is remembered of a live picture
//   frame(wish, picture)                 { facts, picture }, see demo/live/session.py; both pictures are ImageBitmaps
//   leave()                              null; the live picture is forgotten

import { Desk } from './desk.js';
import { Live } from './live.js';
import { DeviceLost, Runtime } from './runtime.js';

const IDLE_MS = 100;
let desk = null;
let live = null;

const say = (message, transfer = []) => self.postMessage(message, transfer);

function join() {
  const fresh = !live;
  live ??= new Live(desk.runtime, (hints) => desk.withColors(hints));
  return { fresh };
}

function frame(wish, picture) {
  join();
  return live.frame(wish, picture);
}

function leave() {
  live = null;
  return null;
}

async function start(wish) {
  const runtime = await Runtime.open(wish, {
    progress: (progress) => say({ progress }),
    note: (note) => say({ note }),
  });
  desk = new Desk(runtime, (note) => say({ note }));
  const { device, threads, config } = runtime;
  return { device, threads, vividness: config.vividness, size: config.size };
}

const ENDPOINTS = {
  start,
  open_photo: (photo, hints) => desk.openPhoto(photo, hints),
  render: (photo, hints) => desk.render(photo, hints),
  suggest_colours: (photo, x, y) => desk.suggest(photo, x, y),
  unsure: (photo) => desk.unsure(photo),
  variations: (photo, hints, seed) => desk.variations(photo, hints, seed),
  borrow_palette: (photo, reference, hints) => desk.borrow(photo, reference, hints),
  read_hints: (hints, width, height) => desk.readHints(hints, width, height),
  use_model: (model) => desk.useModel(model),
  join,
  frame,
  leave,
  colorize_with_hints: (photo, hints, vividness) => desk.fullSize(photo, hints, vividness),
};

async function answer({ id, name, data }) {
  try {
    if (!Object.hasOwn(ENDPOINTS, name)) throw new Error('There is no ' + name + ' on this device.');
    if (!desk && name !== 'start') throw new Error('Colouring has not started on this device.');
    const result = await answered(ENDPOINTS[name], data);
    say({ id, result }, result?.picture instanceof ImageBitmap ? [result.picture] : []);
  } catch (error) {
    say({ id, error: sentence(error) });
  }
}

// What an endpoint gives; a second time where the graphics processor was lost meanwhile.
async function answered(endpoint, data) {
  try {
    return await endpoint(...data);
  } catch (error) {
    if (!(error instanceof DeviceLost)) throw error;
    desk.forget();
    live?.forget();
    return await endpoint(...data); // a frame is closed afterwards
  } finally {
    for (const one of data) if (one instanceof ImageBitmap) one.close();
  }
}

function sentence(error) {
  const words = String(error?.message ?? error);
  if (error instanceof RangeError || /memory|allocat/i.test(words)) return 'This needs more memory than the browser gives. Try a smaller picture.';
  return words;
}

// One after the other: all calls share the runtime. When none waits, what the next click needs is made ready.
let last = Promise.resolve();
let waiting = 0;
self.onmessage = ({ data }) => {
  waiting++;
  last = last.then(() => answer(data)).then(() => --waiting || setTimeout(rest, IDLE_MS));
};

function rest() {
  if (waiting || !desk) return;
  last = last.then(() => desk.warm()).then((more) => more && setTimeout(rest), () => {});
}
