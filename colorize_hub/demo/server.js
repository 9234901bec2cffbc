// Talks to the page's own endpoints, by name, as any client of its API does.

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

// A photo in colour as a data URL; null where a newer render of this page took its place.
async function renderPhoto(photo, hints, model) {
  const asked = await fetch(pageUrl('desk/render'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ photo, hints, model, visitor: VISITOR }),
  });
  if (asked.status === 204) return null;
  if (!asked.ok) throw whatWentWrong(await asked.json().catch(() => null));
  const reader = new FileReader();
  reader.readAsDataURL(await asked.blob());
  await new Promise((done) => (reader.onloadend = done));
  return reader.result;
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

function saveAs(url, name) {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

// Runs so many jobs at a time; of those asked for meanwhile, only the last.
function latestOnly(job, atOnce = 1) {
  let running = 0;
  let waiting = false;
  return async function run() {
    waiting = running >= atOnce;
    if (waiting) return;
    running++;
    try {
      await job();
    } finally {
      running--;
      if (waiting) run();
    }
  };
}
