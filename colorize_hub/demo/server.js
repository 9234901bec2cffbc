// Talks to the page's own endpoints, by name, as any client of its API does.

// Addresses are those of the browser, never the server's own: a proxy may stand between.
const pageUrl = (path) => new URL(path, document.baseURI).href;
const API = pageUrl('gradio_api');

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
  const spelled = new DOMParser().parseFromString(result?.error ?? '', 'text/html');
  throw new Error(spelled.body.textContent || 'The server could not do that. Try again.');
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

// Runs one job at a time; of those asked for meanwhile, only the last.
function latestOnly(job) {
  let running = null;
  let waiting = false;
  const run = async () => {
    do {
      waiting = false;
      await job();
    } while (waiting);
    running = null;
  };
  return () => {
    waiting = true;
    running ??= run();
    return running;
  };
}
