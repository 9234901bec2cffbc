// The server as a back end of the page. Talks to the page's own endpoints, by name, as any client of its
// API does.
//
// A back end is { name, call(name, ...data), render(photo, hints, model), save(file), makeLink() }. A photo is a
// File, or one of the example prints. Pictures come as data URLs. web/device.js is the other one.

// Addresses are those of the browser, never the server's own: a proxy may stand between.
const pageUrl = (path) => new URL(path, document.baseURI).href;
const API = pageUrl('gradio_api');
const VISITOR = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('');

async function callEndpoint(name, ...data) {
  const asked = await fetch(API + '/call/' + name, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ data }),
  });
  if (!asked.ok) throw new Error('The server is busy or gone (' + asked.status + '). Try again.');
  const { event_id } = await asked.json();
  const answer = await (await fetch(API + '/call/' + name + '/' + event_id)).text();
  const events = [...answer.matchAll(/^event: (\w+)\ndata: (.*)$/gm)];
  const [, kind, text] = events.filter((event) => event[1] !== 'heartbeat').pop() ?? [];
  const result = JSON.parse(text ?? 'null');
  if (kind === 'complete') return result[0];
  throw whatWentWrong(result);
}

function whatWentWrong(answer) {
  const spelled = new DOMParser().parseFromString(answer?.error ?? '', 'text/html');
  return new Error(spelled.body.textContent || 'The server could not do that. Try again.');
}

async function uploadFile(file) {
  const form = new FormData();
  form.append('files', file);
  const sent = await fetch(API + '/upload', { method: 'POST', body: form });
  if (!sent.ok) throw new Error(file.name + ' could not be sent (' + sent.status + ').');
  return fileData((await sent.json())[0]);
}

const fileData = (path) => ({ path, meta: { _type: 'gradio.FileData' } });
const fileUrl = (path) => API + '/file=' + path.split('/').map(encodeURIComponent).join('/');

function makeServer() {
  const sent = new WeakMap(); // File -> what the calls take for it

  async function sending(value) {
    if (value?.stem) return fileData(value.path); // a print
    if (!(value instanceof File)) return value;
    if (!sent.has(value)) sent.set(value, await uploadFile(value));
    return sent.get(value);
  }

  // Files go up once, and again if the server no longer has them.
  async function withFiles(data, call) {
    const all = () => Promise.all(data.map(sending));
    try {
      return await call(...(await all()));
    } catch (error) {
      const files = data.filter((value) => value instanceof File);
      if (!files.length || !/no longer kept/.test(error.message)) throw error;
      for (const file of files) sent.delete(file);
      return call(...(await all()));
    }
  }

  // A photo in colour as a data URL; null where a newer render of this page took its place.
  async function renderPhoto(photo, hints, model) {
    const asked = await fetch(pageUrl('desk/render'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ photo, hints, model, visitor: VISITOR }),
    });
    if (asked.status === 204) return null;
    if (!asked.ok) throw whatWentWrong(await asked.json().catch(() => null));
    return dataUrl(await asked.blob());
  }

  return {
    name: 'server',
    call: (name, ...data) => withFiles(data, (...ready) => callEndpoint(name, ...ready)),
    render: (photo, hints, model) => withFiles([photo], (data) => renderPhoto(data, hints, model)),
    save: (file) => saveAs(fileUrl(file.path), file.orig_name ?? file.path.split('/').pop()),
    makeLink,
  };
}
