// The visitor's own machine as a back end of the page (demo/server.js is the other one): a worker answers
// the calls that a server would. Nothing leaves the machine.
//
// `start` = { worker, base, model, threads, device }, the worker's address and what its head comment asks
// for. `on.progress({ loaded, total, what })` while files come, `on.ready(facts)`, `on.failed()`, and
// `on.note(sentence)` for what the visitor should read.

function makeDevice(start, on) {
  const waiting = new Map(); // id -> { done, failed }
  const prints = new Map(); // stem -> File, once fetched
  let worker = null, ready = null, isReady = false, count = 0;

  function send(name, data) {
    const id = ++count;
    return new Promise((done, failed) => {
      waiting.set(id, { done, failed });
      worker.postMessage({ id, name, data }, data.filter((one) => one instanceof ImageBitmap));
    });
  }

  function heard({ id, result, error, progress, note }) {
    if (progress) return on.progress(progress);
    if (note) return on.note(note);
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.done(result);
    else call?.failed(new Error(error));
  }

  // The next call begins anew; the work is the page's, so nothing of it is lost.
  function stop(words) {
    worker?.terminate();
    worker = ready = null;
    isReady = false;
    for (const { failed } of waiting.values()) failed(new Error(words));
    waiting.clear();
  }

  async function begin() {
    worker = new Worker(start.worker, { type: 'module' });
    worker.onmessage = ({ data }) => heard(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      stop('Colouring stopped on this device' + (event.message ? ' (' + event.message + ')' : '') + '. Your work is kept; try again.');
    };
    try {
      on.ready(await send('start', [{ ...start, worker: undefined }]));
      isReady = true;
    } catch (error) {
      stop(error.message);
      on.failed();
      throw error;
    }
  }

  async function ask(name, data) {
    await (ready ??= begin());
    return send(name, data);
  }

  // The File of an example print; any other value as it is.
  async function fetched(value) {
    if (!value?.stem) return value;
    if (!prints.has(value.stem)) {
      const answer = await fetch(value.url).catch(() => null);
      if (!answer?.ok) throw new Error('This print could not be fetched. Is the network off? Try again.');
      prints.set(value.stem, new File([await answer.blob()], value.stem + '.jpg', { type: 'image/jpeg', lastModified: 0 }));
    }
    return prints.get(value.stem);
  }

  const filesOf = async (data) => Promise.all(data.map(fetched));

  // Pictures in an answer as data URLs, wherever they are in it.
  async function shown(value) {
    if (value instanceof Blob) return dataUrl(value);
    if (Array.isArray(value)) return Promise.all(value.map(shown));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(async ([key, part]) => [key, await shown(part)]);
    return Object.fromEntries(await Promise.all(entries));
  }

  // What goes wrong with a live picture, as a server's refusal: its sentence is for the visitor.
  const refusing = (answer) => answer.catch((error) => Promise.reject(Object.assign(error, { status: 400 })));

  return {
    name: 'device',
    call: async (name, ...data) => {
      const answer = await ask(name, await filesOf(data));
      return name === 'colorize_with_hints' ? answer : shown(answer);
    },
    render: async (photo, hints, model) => (await shown(await ask('render', await filesOf([photo, hints, model])))).after,
    save: (file) => {
      const url = URL.createObjectURL(file);
      saveAs(url, file.name);
      setTimeout(() => URL.revokeObjectURL(url), 60000);
    },
    makeLink: () => ({
      join: async () => ({ place: 0, ...(await refusing(ask('join', []))) }),
      leave: () => worker && send('leave', []).catch(() => {}),
      frame: async (wish, canvas) => refusing(ask('frame', [wish, await createImageBitmap(canvas)])),
    }),
    start: () => (ready ??= begin()),
    stop: () => stop('Colouring was stopped.'),
    isReady: () => isReady,
  };
}

// What makeDevice starts with, for files as the static site has them below an address.
const addressesBelow = (base) => ({
  worker: new URL('worker/worker.js', base).href,
  model: new URL('model/model.json', base).href,
  base,
  threads: crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1,
  device: 'auto',
});

function deviceWords({ device, threads }) {
  if (device === 'webgpu') return '· graphics processor';
  return threads > 1 ? '· ' + threads + ' threads' : '· one thread';
}

function makeDeviceStatus(root) {
  const get = (id) => root.querySelector('#' + id);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const say = (words) => (get('device-words').textContent = words);
  return {
    progress: ({ loaded, total, what }) => {
      get('device-bar').hidden = false;
      get('device-bar').value = total ? loaded / total : 0;
      say('· ' + what + ', ' + megabytes(loaded) + ' of ' + megabytes(total) + ' MB');
    },
    ready: (facts) => {
      get('device-bar').hidden = true;
      say(deviceWords(facts));
    },
    failed: () => {
      get('device-bar').hidden = true;
      say('');
    },
  };
}
