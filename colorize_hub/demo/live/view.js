// How the live picture is shown: grey beside, over or without; mirrored; marks on it; the panel.

function makeLiveView(root, on) {
  const get = (id) => root.querySelector('#live-' + id);
  const [box, sheet, before, after, pane, marks, divider, cross] =
    ['view', 'sheet', 'before', 'after', 'pane', 'marks', 'divider', 'cross'].map(get);
  const view = { before };
  let split = 0.35, mode = 'over', mirrored = true, cursor = null, hints = [];
  const shownX = (x) => (mirrored ? 1 - x : x);

  // --- places -----------------------------------------------------------------------------------
  function layOut() {
    if (!before.width) return;
    const scaleOf = ([columns, rows]) =>
      Math.min((box.clientWidth - 4 * (columns - 1)) / columns / before.width, (box.clientHeight - 4 * (rows - 1)) / rows / before.height);
    const [row, column] = [[2, 1], [1, 2]];
    const grid = mode !== 'beside' ? [1, 1] : scaleOf(row) > 0.75 * scaleOf(column) ? row : column;
    const scale = scaleOf(grid);
    sheet.style.setProperty('--width', Math.floor(before.width * scale) + 'px');
    sheet.style.setProperty('--height', Math.floor(before.height * scale) + 'px');
    sheet.style.gridTemplateColumns = 'repeat(' + grid[0] + ', auto)';
    box.dataset.mode = mode;
    box.dataset.mirrored = mirrored;
    const hidden = mirrored ? '0 0 0 ' + 100 * (1 - split) + '%' : '0 ' + 100 * (1 - split) + '% 0 0';
    before.style.clipPath = mode === 'over' ? 'inset(' + hidden + ')' : '';
    divider.style.left = 100 * split + '%';
    divider.setAttribute('aria-valuenow', Math.round(100 * split));
    view.place(hints);
  }
  new ResizeObserver(layOut).observe(box);

  function fit(canvas, width, height) {
    if (canvas.width === width && canvas.height === height) return;
    [canvas.width, canvas.height] = [width, height];
    box.style.setProperty('--shape', height / width);
    layOut();
  }

  // Before the first frame in colour: the camera, grey on both sides.
  view.grey = (video) => {
    sheet.hidden = false;
    for (const canvas of [before, after]) {
      fit(canvas, video.videoWidth, video.videoHeight);
      canvas.getContext('2d').drawImage(video, 0, 0);
    }
    after.classList.add('grey');
  };

  view.show = (picture, coloured) => {
    sheet.hidden = false;
    for (const [canvas, source] of [[before, picture], [after, coloured]]) {
      fit(canvas, source.width, source.height);
      canvas.getContext('2d').drawImage(source, 0, 0);
    }
    after.classList.remove('grey');
  };

  // Whether what is shown has all that the visitor asked for.
  view.upToDate = (yes) => (box.ariaBusy = !yes);

  view.mirror = (yes = !mirrored) => {
    mirrored = yes;
    get('mirror').setAttribute('aria-pressed', mirrored);
    layOut();
  };

  view.mode = (name) => {
    mode = name;
    for (const button of modes) button.setAttribute('aria-pressed', button.dataset.mode === name);
    layOut();
  };

  const whereIs = (event) => {
    const area = pane.getBoundingClientRect();
    const [x, y] = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    return [shownX(clamp(x, 0, 0.9999)), clamp(y, 0, 0.9999)];
  };

  // --- marks: kept as they are while frames come, so that they can be clicked and focused ----------
  view.place = (list) => {
    hints = list;
    for (const button of marks.children) {
      const hint = list.find((one) => one.key === button.dataset.key);
      if (!hint) continue;
      button.style.left = 100 * shownX(hint.x) + '%';
      button.style.top = 100 * hint.y + '%';
      button.hidden = !hint.seen;
      const item = itemOf(hint.key);
      if (item) item.querySelector('em').textContent = hint.seen ? '' : 'out of view';
    }
  };

  const itemOf = (key) => [...get('hints').children].find((item) => item.dataset.key === key);

  function markOf(hint, index, selected) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark';
    button.dataset.key = hint.key;
    button.style.setProperty('--colour', hint.rgb ? css(hint.rgb) : 'transparent');
    button.setAttribute('aria-pressed', hint.key === selected);
    button.setAttribute('aria-label', 'Colour ' + (index + 1) + (hint.rgb ? '' : ', not chosen yet'));
    button.addEventListener('click', () => on.live('select', hint.key));
    button.addEventListener('keydown', (event) => {
      if (event.key !== 'Delete' && event.key !== 'Backspace') return;
      event.preventDefault();
      event.stopPropagation();
      on.live('remove', hint.key);
      pane.focus();
    });
    return button;
  }

  function itemFor(hint, index) {
    const item = document.createElement('li');
    item.dataset.key = hint.key;
    item.innerHTML = '<i></i><span></span><em></em><button type="button" class="plain">Remove</button>';
    item.firstElementChild.style.background = css(hint.rgb);
    item.children[1].textContent = 'Colour ' + (index + 1);
    item.lastElementChild.setAttribute('aria-label', 'Remove colour ' + (index + 1));
    item.lastElementChild.addEventListener('click', () => on.live('remove', hint.key));
    return item;
  }

  // --- the panel --------------------------------------------------------------------------------
  view.refresh = ({ hints: list, selected, likely, running, paused, vividness, smoothing }) => {
    const focused = document.activeElement?.dataset?.key;
    marks.replaceChildren(...list.map((hint, index) => markOf(hint, index, selected)));
    [...marks.children].find((one) => one.dataset.key === focused)?.focus();
    const fixed = list.filter((hint) => hint.rgb);
    get('hints').replaceChildren(...fixed.map(itemFor));
    get('clear').hidden = !fixed.length;
    view.place(list);
    const chosen = list.find((hint) => hint.key === selected);
    const colours = chosen && likely?.key === selected ? likely.colours : [];
    get('swatches').replaceChildren(...colours.map((one) => swatchOf(one, chosen.rgb, () => on.live('colour', one.rgb))));
    get('colour-help').textContent = !running ? 'Start the camera. Then click a thing in the picture to fix its colour.'
      : !chosen ? 'Click a thing in the picture, your shirt say, to fix its colour. It stays on it.'
      : !colours.length ? 'Looking…' : 'Likely here. Or take any colour you like.';
    if (chosen?.rgb) get('picker').value = toHex(chosen.rgb);
    get('picker').disabled = !chosen;
    get('welcome').hidden = running;
    get('stop').hidden = !running;
    if (!running && !before.width) sheet.hidden = true;
    for (const name of ['pause', 'snapshot']) get(name).disabled = !running;
    get('pause').setAttribute('aria-pressed', paused);
    get('pause').lastElementChild.textContent = paused ? 'Go on' : 'Pause';
    if (vividness !== null) get('vividness').value = vividness;
    get('vividness-value').textContent = Math.round(100 * get('vividness').value) + '%';
    get('steadiness').value = smoothing;
    get('steadiness-value').textContent = smoothing ? Math.round(100 * smoothing) + '%' : 'off';
  };

  view.speed = (speed) => {
    get('speed').textContent = speed ? Math.round(speed.fps) + ' fps · ' + Math.round(speed.ms) + ' ms' : '';
  };

  view.status = (words) => {
    get('status').hidden = !words;
    get('status').textContent = words;
  };

  view.cameras = (list) => {
    get('camera-field').hidden = list.length < 2;
    get('camera').replaceChildren(...list.map(({ id, name, used }) => new Option(name, id, used, used)));
  };

  // --- what the visitor does --------------------------------------------------------------------
  const modes = [...root.querySelectorAll('#live button[data-mode]')];
  for (const button of modes) button.addEventListener('click', () => view.mode(button.dataset.mode));
  for (const [id, job] of Object.entries({ start: 'start', stop: 'stop', pause: 'pause', snapshot: 'snapshot', clear: 'clear' })) {
    get(id).addEventListener('click', () => on.live(job));
  }
  get('mirror').addEventListener('click', () => view.mirror());
  get('camera').addEventListener('change', (event) => on.live('start', event.target.value));
  get('true').addEventListener('change', (event) => before.classList.toggle('true', event.target.checked));
  get('picker').addEventListener('input', (event) => on.live('colour', fromHex(event.target.value)));
  get('vividness').addEventListener('input', (event) => on.liveSetting('vividness', Number(event.target.value)));
  get('steadiness').addEventListener('input', (event) => on.liveSetting('smoothing', Number(event.target.value)));
  pane.addEventListener('click', (event) => event.target.closest('.mark') || on.live('pick', ...whereIs(event)));
  before.addEventListener('click', (event) => mode === 'over' && on.live('pick', ...whereIs(event)));

  let held = null;
  divider.addEventListener('pointerdown', (event) => {
    divider.setPointerCapture(event.pointerId);
    held = { from: event.clientX, moved: false };
  });
  divider.addEventListener('pointermove', (event) => {
    if (!held) return;
    held.moved ||= Math.abs(event.clientX - held.from) > 3;
    const area = pane.getBoundingClientRect();
    if (held.moved) split = clamp((event.clientX - area.left) / area.width, 0, 1);
    layOut();
  });
  divider.addEventListener('pointerup', (event) => {
    if (held && !held.moved && event.target === divider) on.live('pick', ...whereIs(event));
    held = null;
  });
  divider.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    split = clamp(split + step, 0, 1);
    layOut();
  });

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pane.addEventListener('keydown', (event) => {
    if (event.target !== pane) return;
    if (event.key in arrows) {
      const step = event.shiftKey ? 0.005 : 0.025;
      const [x, y] = cursor ?? [0.5, 0.5];
      cursor = [x + arrows[event.key][0] * step, y + arrows[event.key][1] * step].map((at) => clamp(at, 0, 0.9999));
    } else if ((event.key === 'Enter' || event.key === ' ') && cursor) on.live('pick', shownX(cursor[0]), cursor[1]);
    else return;
    event.preventDefault();
    drawCross();
  });
  pane.addEventListener('blur', () => (cross.hidden = true));

  function drawCross() {
    cross.hidden = !cursor;
    if (!cursor) return;
    cross.style.left = 100 * cursor[0] + '%';
    cross.style.top = 100 * cursor[1] + '%';
  }
  return view;
}
