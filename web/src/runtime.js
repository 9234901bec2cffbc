// The runtime and the model's graphs: named arrays in, named arrays out.

import { compressedFile, keptText, modelFile, tidy } from './files.js';

const BINARY_BYTES = { wasm: 3_700_000, webgpu: 6_600_000 }; // about, for the progress
const MODULES = { wasm: ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded'], webgpu: ['ort.webgpu.min.mjs', 'ort-wasm-simd-threaded.asyncify'] };
const FORMAT = 1;
// The network runs where it is fastest; pixels are bytes, which only the processor has.
const ON_GPU = new Set(['see', 'look', 'colors', 'pick', 'cells', 'relate', 'krige', 'attend', 'attend_few']);
// What only other graphs there ask for stays in its memory.
const STAYS = { see: ['maps'], look: ['maps', 'logits'], cells: ['place', 'roots', 'seen'] };
const FIRST = ['light', 'reduce', 'resize', 'see', 'look', 'colors', 'paint']; // without these there is no colour
const NEXT = ['lab', 'cells', 'relate', 'krige', 'attend_few', 'spots', 'pick', 'suggest', 'attend']; // for a click, then for many

// The graphics processor is gone, with all that was in its memory; the same call works again, elsewhere.
export class DeviceLost extends Error {}

export class Runtime {
  // See worker.js; `on` = { progress, note }.
  static async open({ base, model, threads = 1, device = 'auto' }, on) {
    const self = new Runtime();
    self.on = on;
    self.device = await chosen(device);
    const manifest = await readManifest(model);
    Object.assign(self, { config: manifest.config, takes: manifest.takes, fewHints: manifest.few_hints });
    const entries = Object.entries(manifest.graphs);
    const total = entries.reduce((sum, [, { bytes }]) => sum + bytes, 0) + BINARY_BYTES[self.device];
    let loaded = 0;
    const heard = (bytes) => {
      loaded += bytes;
      on.progress({ loaded: Math.min(loaded, total), total, what: 'the model' });
    };
    const url = ({ file }) => new URL(file, model).href;
    const files = entries.map(async ([name, entry]) => [name, await modelFile(url(entry), entry, { heard, note: on.note })]);
    const [ort, ...graphs] = await Promise.all([importRuntime(new URL('runtime/', base), self.device, threads, heard), ...files]);
    self.ort = ort;
    self.threads = ort.env.wasm.numThreads;
    Object.assign(self, { graphs: Object.fromEntries(graphs), entries: manifest.graphs });
    self.sessions = {};
    for (const name of FIRST) await self.session(name);
    self.isLost = false;
    if (self.device === 'webgpu') ort.env.webgpu.device.lost.then(() => (self.isLost = true));
    tidy([model, ...entries.map(([, entry]) => url(entry))]).catch(() => {});
    return self;
  }

  has(name) {
    return name in this.graphs;
  }

  session(name) {
    return (this.sessions[name] ??= this.create(name));
  }

  // Gets one more graph ready, while nobody waits; whether there was one.
  async warm() {
    const next = NEXT.find((name) => this.has(name) && !(name in this.sessions));
    if (next) await this.session(next);
    return !!next;
  }

  isOnGpu(name) {
    return this.device === 'webgpu' && ON_GPU.has(name);
  }

  async create(name) {
    const { InferenceSession } = this.ort;
    const onGpu = this.isOnGpu(name);
    return InferenceSession.create(new Uint8Array(this.graphs[name]), {
      executionProviders: [onGpu ? 'webgpu' : 'wasm'],
      ...(onGpu && { preferredOutputLocation: Object.fromEntries((STAYS[name] ?? []).map((output) => [output, 'gpu-buffer'])) }),
      // All are simplified already, which takes long here; those with weights have them unpacked and fused.
      graphOptimizationLevel: this.entries[name].halved ? 'all' : 'disabled',
      logSeverityLevel: 3,
    });
  }

  // Runs a graph: { name: tensor } to { name: tensor }. Raises DeviceLost once, where the graphics processor fails.
  async run(name, inputs) {
    const onGpu = this.isOnGpu(name);
    try {
      if (!onGpu) await fetched(inputs);
      const found = await (await this.session(name)).run(inputs);
      if (!onGpu || !this.isLost) return found;
    } catch (error) {
      if (this.device !== 'webgpu' || !(onGpu || this.isLost)) throw error;
    }
    this.device = 'wasm';
    this.sessions = {};
    this.on.note('The graphics processor stopped answering, so colouring goes on without it, more slowly.');
    throw new DeviceLost();
  }

  floats(values, ...dims) {
    return new this.ort.Tensor('float32', values, dims);
  }

  bytes(values, ...dims) {
    return new this.ort.Tensor('uint8', values, dims);
  }

  whole(...values) {
    return this.indices(values);
  }

  indices(values) {
    return new this.ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
  }

  scalar(value) {
    return new this.ort.Tensor('float32', Float32Array.of(value), []);
  }
}

// Brings what lies with the graphics processor to where the others compute.
const fetched = (inputs) => Promise.all(Object.values(inputs).map((one) => one.location === 'gpu-buffer' && one.getData(true)));

async function chosen(device) {
  if (device === 'wasm' || !self.navigator?.gpu) return 'wasm';
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (!adapter) return 'wasm';
  return device === 'auto' && (adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) ? 'wasm' : 'webgpu';
}

async function readManifest(url) {
  const found = JSON.parse((await keptText(url)) ?? 'null');
  if (!found) throw new Error('The model could not be fetched. Is the network off? Try again.');
  if (found.format !== FORMAT) throw new Error('The model is of another version than the page. Load the page again.');
  return found;
}

async function importRuntime(folder, device, threads, heard) {
  const [module, name] = MODULES[device];
  const [ort, wasmBinary] = await Promise.all([
    import(new URL(module, folder).href),
    compressedFile(new URL(name + '.wasm.gz', folder).href, heard),
  ]);
  const { wasm } = ort.env;
  wasm.wasmPaths = { mjs: new URL(name + '.mjs', folder).href };
  wasm.wasmBinary = wasmBinary;
  wasm.numThreads = self.crossOriginIsolated ? Math.max(1, threads) : 1;
  wasm.proxy = false;
  return ort;
}
