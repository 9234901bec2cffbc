// The controls beside the picture. They say what the visitor wants; `desk.js` does it.

const toHex = (rgb) => '#' + rgb.map((part) => part.toString(16).padStart(2, '0')).join('');
const fromHex = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const sameRgb = (one, other) => !!one && !!other && one.join() === other.join();

// A button for a colour: { rgb, share of likeliness or nothing, label or nothing }.
function swatchOf({ rgb, share, label }, chosen, choose) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'swatch';
  const percent = share === undefined ? '' : share < 0.01 ? '<1%' : Math.round(share * 100) + '%';
  button.setAttribute('aria-label', [label ?? 'Colour', toHex(rgb), percent].join(' ').trim());
  button.setAttribute('aria-pressed', sameRgb(rgb, chosen));
  button.innerHTML = '<i></i><span></span>';
  button.firstElementChild.style.background = css(rgb);
  button.lastElementChild.textContent = label ?? percent;
  button.addEventListener('click', choose);
  return button;
}

function makePanel(root, on) {
  const get = (id) => root.querySelector('#' + id);
  const panel = {};
  const click = (id, job) => get(id).addEventListener('click', job);

  for (const id of ['undo', 'redo', 'clear', 'download', 'another', 'unsure', 'borrow', 'share']) {
    click(id, () => on[id]());
  }
  click('delete', () => on.removeSelected());
  click('save-hints', () => on.saveHints());
  click('zoom-in', () => on.zoom(1.5));
  click('zoom-out', () => on.zoom(1 / 1.5));
  click('zoom-fit', () => on.zoom(0));
  const tools = [...root.querySelectorAll('[data-tool]')];
  for (const button of tools) button.addEventListener('click', () => on.tool(button.dataset.tool));
  panel.tool = (name) => {
    for (const button of tools) button.setAttribute('aria-pressed', button.dataset.tool === name);
    get('view').dataset.tool = name;
    get('brush-field').hidden = name !== 'brush';
  };

  // --- files: a button opens each input; a photo may also be dropped or pasted anywhere -------
  const files = { file: 'open', 'reference-file': 'reference-open', 'hints-file': 'load-hints' };
  const takers = { file: 'photo', 'reference-file': 'openReference', 'hints-file': 'loadHints' };
  for (const [input, button] of Object.entries(files)) {
    click(button, () => get(input).click());
    get(input).addEventListener('change', () => {
      const [file] = get(input).files;
      if (file) on[takers[input]](file);
      get(input).value = '';
    });
  }
  const offer = (event, list) => {
    const [file] = list ?? [];
    if (!file) return;
    event.preventDefault();
    if (file.name.endsWith('.json')) on.work(file);
    else if (/^video\//.test(file.type) || /\.(mkv|avi|mov)$/i.test(file.name)) on.film(file);
    else if (event.target.closest?.('#reference-card')) on.openReference(file);
    else on.photo(file);
  };
  document.addEventListener('paste', (event) => offer(event, event.clipboardData?.files));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    offer(event, event.dataTransfer?.files);
  });
  for (const button of root.querySelectorAll('.example')) {
    const print = on.examples.find((one) => one.stem === button.dataset.stem);
    button.firstElementChild.src = print.url;
    button.addEventListener('click', () => on.example(print));
  }

  // --- colours --------------------------------------------------------------------------------
  panel.swatches = (colours, chosen, help) => {
    get('colour-help').textContent = help;
    get('swatches').replaceChildren(
      ...colours.map((one) => swatchOf(one, chosen, () => on.colour(one.rgb))),
    );
    if (chosen) get('picker').value = toHex(chosen);
  };
  get('picker').addEventListener('input', (event) => on.colour(fromHex(event.target.value), true));
  get('picker').addEventListener('change', (event) => on.colour(fromHex(event.target.value)));
  panel.marking = (selected, any) => {
    get('delete').hidden = !selected;
    get('clear').disabled = !any;
  };
  panel.history = (back, forth) => {
    get('undo').disabled = !back;
    get('redo').disabled = !forth;
  };

  // --- sliders --------------------------------------------------------------------------------
  const brush = get('brush');
  const tellBrush = () => {
    get('brush-value').textContent = brush.value + '%';
    on.brush(Number(brush.value) / 100);
  };
  brush.addEventListener('input', tellBrush);
  const vividness = get('vividness');
  panel.vividness = (value) => {
    vividness.value = value;
    get('vividness-value').textContent = Math.round(value * 100) + '%';
  };
  vividness.addEventListener('input', () => on.vividness(Number(vividness.value), true));
  vividness.addEventListener('change', () => on.vividness(Number(vividness.value)));

  // --- takes, unsure, reference, model --------------------------------------------------------
  panel.takes = (takes, chosen) => {
    const open = takes !== null;
    get('another').setAttribute('aria-expanded', open);
    get('takes').hidden = !open;
    get('takes').replaceChildren(
      ...(takes ?? []).map(({ take, picture }, index) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'take';
        button.setAttribute('aria-label', take === null ? 'The likeliest colours' : 'Take ' + index);
        button.setAttribute('aria-pressed', take === chosen);
        const image = document.createElement('img');
        image.src = picture;
        image.alt = '';
        button.append(image);
        button.addEventListener('click', () => on.chooseTake(take));
        return button;
      }),
    );
  };
  panel.unsure = (map) => {
    get('unsure').setAttribute('aria-pressed', !!map);
    get('unsure-map').hidden = get('unsure-help').hidden = !map;
    if (map) get('unsure-map').src = map;
  };
  const reference = get('reference');
  panel.reference = (url) => {
    reference.hidden = false;
    reference.src = url;
    get('borrow').disabled = false;
    get('reference-card').open = true;
  };
  panel.palette = (lent) => {
    get('borrow').textContent = lent ? 'Take palette off' : 'Carry palette over';
    get('borrow').disabled = !lent && reference.hidden;
  };
  reference.addEventListener('click', (event) => {
    const box = reference.getBoundingClientRect();
    const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    on.taken(colourAt(reference, clamp(at[0], 0, 0.999), clamp(at[1], 0, 0.999)));
  });
  get('model-form').addEventListener('submit', (event) => {
    event.preventDefault();
    on.model(get('model').value.trim());
  });
  // Only who sits at the server's machine can name any folder there.
  const atTheMachine = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
  if (atTheMachine) get('model').placeholder = 'user/model or a folder';
  panel.model = (name) => {
    const own = (get('model-name').dataset.own ??= get('model-name').textContent);
    get('model-name').textContent = name || own;
    get('model').value = name;
  };

  // --- words ----------------------------------------------------------------------------------
  let hiding = null;
  panel.message = (text, kind = 'error') => {
    clearTimeout(hiding);
    const box = get('message');
    box.hidden = !text;
    box.dataset.kind = kind;
    box.firstElementChild.textContent = text;
    hiding = setTimeout(() => (box.hidden = true), 12000);
  };
  get('message').lastElementChild.addEventListener('click', () => panel.message(''));
  panel.caption = (text) => (get('caption').textContent = text);
  panel.download = (text, running) => {
    get('download').disabled = running;
    get('download').textContent = running ? 'Making the full-size PNG…' : 'Download full size';
    get('download-status').textContent = text;
  };
  let waiting = null;
  panel.busy = (text) => {
    clearTimeout(waiting);
    const box = get('busy');
    if (!text) box.hidden = true;
    else waiting = setTimeout(() => Object.assign(box, { hidden: false, textContent: text }), 350);
  };
  panel.start = tellBrush;
  return panel;
}
