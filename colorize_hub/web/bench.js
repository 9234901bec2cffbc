// Measures the machine it is opened on, with the site's own worker: bench/web.html?turns=7&seconds=8
//
// Times are those of the page: a call to the worker, its answer, pictures in it as the page shows them.

const PRINT = 'nagasaki-boats';
const [WIDTH, HEIGHT] = [640, 480];
const REST_MS = 500; // a visitor looks before they do the next thing
const UNANSWERED = 2; // frames under way at once, as of the live picture
const wish = new URLSearchParams(location.search);
const TURNS = Number(wish.get('turns') ?? 7);
const LIVE_MS = 1000 * Number(wish.get('seconds') ?? 8);

const rest = () => new Promise((done) => setTimeout(done, REST_MS));
const median = (values) => values.slice().sort((one, other) => one - other)[values.length >> 1];
const ms = (value) => Math.round(value) + ' ms';

async function timed(job) {
  const began = performance.now();
  await job();
  return performance.now() - began;
}

async function repeated(job) {
  const times = [];
  for (let turn = 0; turn < TURNS; turn++) times.push(await timed(() => job(turn)));
  return ms(median(times));
}

// Part of the print, 640 x 480, `shift` pixels from its left edge.
function drawn(print, shift) {
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT });
  canvas.getContext('2d').drawImage(print, -shift, -10, 720, 540);
  return canvas;
}

async function photographs(print) {
  const files = [];
  for (let number = 0; number <= TURNS; number++) {
    const blob = await new Promise((done) => drawn(print, 5 * number).toBlob(done, 'image/jpeg', 0.92));
    files.push(new File([blob], number + '.jpg', { type: 'image/jpeg', lastModified: number }));
  }
  return files;
}

const work = (count) => JSON.stringify({
  marks: Array.from({ length: count }, (_, at) => ({ points: [[60 + 70 * at, 200 + 90 * (at % 2)]], rgb: [180, 60, 50], radius: null })),
});

// Frames of a picture that drifts, two under way at once: { fps, age, size }.
async function live(device, print) {
  const link = device.makeLink();
  const shown = document.createElement('canvas');
  const [times, ages] = [[], []];
  const end = performance.now() + LIVE_MS;
  let [number, size] = [0, 0];
  await link.join();
  const stream = async () => {
    while (performance.now() < end) {
      const frame = ++number;
      const began = performance.now();
      const { facts, picture } = await link.frame({ frame, hints: [] }, drawn(print, 40 + 40 * Math.sin(frame / 20)));
      Object.assign(shown, { width: picture.width, height: picture.height }).getContext('2d').drawImage(picture, 0, 0);
      picture.close();
      times.push(performance.now());
      ages.push(times.at(-1) - began);
      size = facts.size;
    }
  };
  await Promise.all(Array.from({ length: UNANSWERED }, stream));
  link.leave();
  const late = times.filter((time) => time > end - LIVE_MS / 2); // the size has settled by then
  return { fps: (1000 * (late.length - 1)) / (late.at(-1) - late[0]), age: median(ages.slice(-late.length)), size };
}

const deviceOf = (place, on) => makeDevice({ ...addressesBelow(new URL('../', location.href).href), device: place }, on);

// Rows of the table: [what, value].
async function measured(place, print, say) {
  let facts = null;
  const on = { progress: () => say('Fetching the model…'), ready: (found) => (facts = found), failed() {}, note: say };
  const files = await photographs(print);
  const fetching = deviceOf(place, on);
  await fetching.start(); // so that the files are there
  fetching.stop();
  if (facts.device !== place) throw new Error('There is no ' + place + ' here.');
  say('Starting…');
  const device = deviceOf(place, { ...on, progress() {} });
  const first = await timed(() => device.call('open_photo', files[0], ''));
  await rest();
  say('Opening photographs…');
  const opened = await repeated((turn) => device.call('open_photo', files[turn + 1], ''));
  await rest();
  await device.render(files.at(-1), work(1));
  say('Clicking…');
  const click = await repeated((turn) => device.render(files.at(-1), work(turn + 2)));
  say('Live picture…');
  const { fps, age, size } = await live(device, print);
  device.stop();
  return [
    ['threads', String(facts.threads)], ['first colour, files there', ms(first)], ['640x480 opened', opened], ['a click', click],
    ['live', fps.toFixed(1) + ' fps'], ['live, a frame', ms(age)], ['live, working size', size + ' px'],
  ];
}

async function places() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const { vendor, architecture, description } = adapter?.info ?? {};
  const name = [vendor, architecture, description].filter(Boolean).join(' ');
  return [...(adapter ? [['webgpu', 'WebGPU' + (name && ', ' + name)]] : []), ['wasm', 'WebAssembly']];
}

const cells = (kind, texts) => texts.map((text) => Object.assign(document.createElement(kind), { textContent: text }));

function show(table, columns) {
  const row = (...parts) => {
    const line = document.createElement('tr');
    line.append(...parts);
    return line;
  };
  table.tHead.replaceChildren(row(...cells('th', ['', ...columns.map(({ name }) => name)])));
  const lines = columns[0].rows.map(([what], at) => row(...cells('th', [what]), ...cells('td', columns.map(({ rows }) => rows[at][1]))));
  table.tBodies[0].replaceChildren(...lines);
  table.hidden = false;
}

const markdown = (columns) => [
  '| | ' + columns.map(({ name }) => name).join(' | ') + ' |',
  '|---|' + '--:|'.repeat(columns.length),
  ...columns[0].rows.map(([what], at) => '| ' + what + ' | ' + columns.map(({ rows }) => rows[at][1]).join(' | ') + ' |'),
  '',
  navigator.userAgent,
].join('\n');

async function begin() {
  const get = (name) => document.querySelector(name);
  const say = (words) => (get('#words').textContent = words);
  await keepFiles(new URL('../', location.href));
  const columns = [];
  const run = async () => {
    get('#measure').disabled = true;
    columns.length = 0;
    try {
      const print = await createImageBitmap(await (await fetch('../prints/' + PRINT + '.jpg')).blob());
      for (const [place, name] of await places()) {
        columns.push({ name, rows: await measured(place, print, (words) => say(name + ': ' + words)) });
        show(get('table'), columns);
      }
      say('Done.');
      get('#copy').hidden = false;
    } catch (error) {
      say(error.message);
    }
    get('#measure').disabled = false;
  };
  get('#measure').addEventListener('click', run);
  get('#measure').disabled = false; // not before: the page may be loaded anew for threads
  get('#copy').addEventListener('click', async () => {
    await navigator.clipboard.writeText(markdown(columns)).then(() => say('Copied.'), () => say('Select the table, and copy it.'));
  });
}

begin();
