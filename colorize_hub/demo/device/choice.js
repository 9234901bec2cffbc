// Where pictures are coloured: on the server, or on this device once it is ready. The choice is remembered;
// without one, a device with WebGPU is used. It is a back end too, see server.js.

const CHOICE = 'colorize-on-device';

function makeChoice(root, server) {
  const box = root.querySelector('#on-device');
  const words = root.querySelector('#device-words');
  const on = { ...makeDeviceStatus(root), note: () => {}, changed: () => {} };
  const device = makeDevice(addressesBelow(pageUrl('device/')), on);
  let named = ''; // a model that only the server has

  // What lies on the server, as a frame of a film does, is coloured there.
  const placeFor = (data) => (data.some((one) => one?.meta?._type === 'gradio.FileData') ? server : now());
  const now = () => (box.checked && !named && device.isReady() ? device : server);

  // The server goes on until the device is ready, and where it cannot be.
  async function prepare() {
    words.hidden = !box.checked;
    try {
      if (box.checked) await device.start();
    } catch (error) {
      box.checked = false;
      on.note(error.message + ' The server colours in its place.');
    }
    root.querySelector('#live-frames').textContent = FRAMES[now().name];
    on.changed();
  }

  async function choose() {
    const kept = remembered();
    box.checked = kept === 'yes' || (kept === null && (await hasGraphics()));
    if (box.checked) prepare();
  }

  box.addEventListener('change', () => {
    remember(box.checked ? 'yes' : 'no');
    prepare();
  });
  choose();

  return {
    get name() {
      return now().name;
    },
    async call(name, ...data) {
      if (name !== 'use_model') return placeFor(data).call(name, ...data);
      const found = await server.call(name, ...data);
      if (found.model && box.checked) on.note('This model runs on the server.');
      named = found.model;
      return found;
    },
    render: (...asked) => placeFor(asked).render(...asked),
    save: (file) => (file instanceof Blob ? device : server).save(file),
    makeLink: () => linkOf({ server: server.makeLink(), device: device.makeLink() }, () => now().name),
    on,
  };
}

// A link that takes its seat where pictures are coloured at that time; a change is a seat lost.
function linkOf(links, name) {
  let seat = 'server';
  return {
    join: () => links[(seat = name())].join(),
    leave: () => links[seat].leave(),
    frame: (...asked) => {
      if (seat === name()) return links[seat].frame(...asked);
      links[seat].leave();
      throw Object.assign(new Error('The seat is elsewhere now.'), { status: 409 });
    },
  };
}

const FRAMES = {
  server: 'Frames go to this server, come back in colour, and are not kept.',
  device: 'Frames are coloured on this device and go nowhere.',
};

async function hasGraphics() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return !!adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}

function remembered() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null; // a browser that keeps nothing for this page
  }
}

function remember(value) {
  try {
    localStorage.setItem(CHOICE, value);
  } catch {
    // as above
  }
}

function startWithChoice(root, examples) {
  const choice = makeChoice(root, makeServer());
  const page = startPage(root, choice, examples);
  choice.on.note = (words) => page.message(words, 'note');
  choice.on.changed = page.again;
}
