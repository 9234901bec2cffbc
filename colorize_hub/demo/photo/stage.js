// The picture: zoom, pan, the before/after divider, marks and strokes. It knows no server; what the
// visitor does comes out through `on`: pick(x, y), stroke(points), select(index), move(index, x, y),
// remove(index), taken(rgb). Places are pixels of the original photo.

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const css = (rgb) => 'rgb(' + rgb.join(',') + ')';

function makeStage(root, on) {
  const ids = ['view', 'sheet', 'after', 'before', 'divider', 'cross', 'strokes', 'marks'];
  const [view, sheet, after, before, divider, cross, strokes, marksBox] = ids.map((id) => root.querySelector('#' + id));
  const stage = { tool: 'point', width: 1, height: 1, brush: 20, colour: null, doubts: [] };
  let fit = 1, zoom = 1, left = 0, top = 0, split = 0.5, cursor = null;

  function place() {
    const box = view.getBoundingClientRect();
    fit = Math.min(box.width / stage.width, box.height / stage.height);
    const scale = fit * zoom;
    const free = [box.width - stage.width * scale, box.height - stage.height * scale];
    left = free[0] > 0 ? free[0] / 2 : clamp(left, free[0], 0);
    top = free[1] > 0 ? free[1] / 2 : clamp(top, free[1], 0);
    sheet.style.width = stage.width * scale + 'px';
    sheet.style.height = stage.height * scale + 'px';
    sheet.style.transform = 'translate(' + left + 'px,' + top + 'px)';
    view.dataset.zoomed = zoom > 1;
    drawSplit();
    for (const button of marksBox.children) put(button, button.at);
    drawCross();
  }

  function put(node, [x, y]) {
    node.style.left = (100 * x) / stage.width + '%';
    node.style.top = (100 * y) / stage.height + '%';
  }

  function zoomTo(wanted, x, y) {
    const box = view.getBoundingClientRect();
    x ??= box.width / 2;
    y ??= box.height / 2;
    const next = clamp(wanted, 1, 12);
    left = x - ((x - left) * next) / zoom;
    top = y - ((y - top) * next) / zoom;
    zoom = next;
    place();
  }

  function drawSplit() {
    const box = view.getBoundingClientRect();
    const shown = stage.width * fit * zoom;
    const edge = clamp(left + shown * split, 0, box.width);
    divider.style.left = edge + 'px';
    divider.setAttribute('aria-valuenow', Math.round(split * 100));
    before.style.clipPath = 'inset(0 ' + 100 * (1 - clamp((edge - left) / shown, 0, 1)) + '% 0 0)';
  }

  stage.compare = (share) => {
    split = clamp(share, 0, 1);
    drawSplit();
  };

  const toPhoto = (event) => {
    const box = sheet.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return [x * stage.width, y * stage.height];
  };
  const inside = ([x, y]) => x >= 0 && y >= 0 && x < stage.width && y < stage.height;
  const within = ([x, y]) => [clamp(x, 0, stage.width - 0.01), clamp(y, 0, stage.height - 0.01)];
  const rounded = (at) => within(at).map((value) => Math.round(value * 100) / 100);

  // --- pointers: one draws or drags, two pinch ----------------------------------------------
  const fingers = new Map();
  let action = null, pinch = null;

  view.addEventListener('pointerdown', (event) => {
    if (event.target.closest('#divider, .mark') || event.button === 2) return;
    fingers.set(event.pointerId, event);
    view.setPointerCapture(event.pointerId);
    if (fingers.size === 2) {
      action = null;
      drawLine(null);
      pinch = { ...spanOf(), zoom };
      return;
    }
    const at = toPhoto(event);
    const panning = stage.tool === 'hand' || event.button === 1;
    action = { kind: panning ? 'pan' : stage.tool, from: event, last: event, points: [at] };
  });

  view.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event);
    if (pinch) {
      const now = spanOf();
      [left, top] = [left + now.x - pinch.x, top + now.y - pinch.y];
      Object.assign(pinch, { x: now.x, y: now.y });
      zoomTo((pinch.zoom * now.size) / pinch.size, now.x, now.y);
    } else if (action?.kind === 'pan') {
      left += event.clientX - action.last.clientX;
      top += event.clientY - action.last.clientY;
      action.last = event;
      place();
    } else if (action?.kind === 'brush') {
      for (const part of event.getCoalescedEvents?.() ?? [event]) action.points.push(toPhoto(part));
      drawLine(action.points);
    }
  });

  function finish(event) {
    if (!fingers.delete(event.pointerId)) return;
    if (pinch) {
      if (!fingers.size) pinch = null;
      return;
    }
    const done = action;
    action = null;
    drawLine(null);
    if (!done || event.type === 'pointercancel') return;
    const still = Math.hypot(event.clientX - done.from.clientX, event.clientY - done.from.clientY) < 8;
    if (done.kind === 'brush') {
      const points = done.points.filter(inside).map(rounded);
      if (points.length) on.stroke(points);
    } else if (done.kind !== 'pan' && still && inside(done.points[0])) act(rounded(done.points[0]));
  }
  view.addEventListener('pointerup', finish);
  view.addEventListener('pointercancel', finish);

  function act(at) {
    const share = [at[0] / stage.width, at[1] / stage.height];
    stage.tool === 'dropper' ? on.taken(colourAt(after, ...share)) : on.pick(...at);
  }

  function spanOf() {
    const [one, two] = [...fingers.values()];
    const box = view.getBoundingClientRect();
    return {
      x: (one.clientX + two.clientX) / 2 - box.left,
      y: (one.clientY + two.clientY) / 2 - box.top,
      size: Math.max(20, Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY)),
    };
  }

  view.addEventListener('wheel', (event) => {
    if (zoom === 1 && event.deltaY > 0) return; // the page scrolls
    event.preventDefault();
    const box = view.getBoundingClientRect();
    const step = Math.exp(-clamp(event.deltaY, -60, 60) * 0.006);
    zoomTo(zoom * step, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  // --- divider --------------------------------------------------------------------------------
  let held = null;
  divider.addEventListener('pointerdown', (event) => {
    divider.setPointerCapture(event.pointerId);
    held = { from: event.clientX, onLine: event.target === divider, moved: false };
  });
  divider.addEventListener('pointermove', (event) => {
    if (!held) return;
    held.moved ||= Math.abs(event.clientX - held.from) > 3;
    if (held.moved) stage.compare(toPhoto(event)[0] / stage.width);
  });
  divider.addEventListener('pointerup', (event) => {
    const at = toPhoto(event);
    if (held && !held.moved && held.onLine && inside(at)) act(rounded(at)); // a click beside the grip
    held = null;
  });
  divider.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05, Home: -1, End: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    stage.compare(split + step);
  });

  // --- keyboard -------------------------------------------------------------------------------
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  view.addEventListener('keydown', (event) => {
    if (event.target !== view) return;
    const step = Math.max(stage.width, stage.height) / (event.shiftKey ? 200 : 40);
    if (event.key in arrows) {
      const [x, y] = cursor ?? [stage.width / 2, stage.height / 2];
      cursor = within([x + arrows[event.key][0] * step, y + arrows[event.key][1] * step]);
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (cursor) act(rounded(cursor));
    } else if (event.key === '+' || event.key === '=') zoomTo(zoom * 1.5);
    else if (event.key === '-') zoomTo(zoom / 1.5);
    else return;
    event.preventDefault();
    drawCross();
  });
  view.addEventListener('blur', () => (cross.hidden = true));

  function drawCross() {
    cross.hidden = !cursor || document.activeElement !== view;
    if (!cursor) return;
    cross.style.left = left + cursor[0] * fit * zoom + 'px';
    cross.style.top = top + cursor[1] * fit * zoom + 'px';
  }

  // --- marks ----------------------------------------------------------------------------------
  const polyline = (points, rgb, radius, kind) => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
    line.setAttribute('points', points.map((at) => at.join(',')).join(' '));
    line.setAttribute('stroke', rgb ? css(rgb) : '#ffffff');
    line.setAttribute('stroke-width', radius * 2);
    line.setAttribute('class', kind);
    return line;
  };

  function drawLine(points) {
    strokes.querySelector('.drawing')?.remove();
    if (points) strokes.append(polyline(points, stage.colour, stage.brush, 'drawing'));
  }

  stage.show = (marks, selected, carried = []) => {
    const focused = [...marksBox.children].indexOf(document.activeElement);
    strokes.setAttribute('viewBox', '0 0 ' + stage.width + ' ' + stage.height);
    strokes.replaceChildren();
    marksBox.replaceChildren(
      ...marks.map((mark, index) => markButton(mark, index, index === selected)),
      ...carried.filter((mark) => mark.points.length).map(carriedButton),
      ...stage.doubts.map(doubtButton),
    );
    const pending = marks[selected];
    if (pending?.points.length > 1) {
      strokes.append(polyline(pending.points, pending.rgb && [255, 255, 255], pending.radius, pending.rgb ? 'chosen' : 'drawing'));
    }
    if (focused >= 0) (marksBox.children[Math.min(focused, marks.length - 1)] ?? view).focus();
  };

  // A mark that was made on another frame of a film: it can only be gone to.
  function carriedButton(mark) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark carried';
    button.style.setProperty('--colour', css(mark.rgb));
    button.title = 'Made on frame ' + mark.frame + ': go there to change it';
    button.setAttribute('aria-label', 'Mark made on frame ' + mark.frame);
    put(button, (button.at = mark.points[mark.points.length >> 1]));
    button.addEventListener('click', () => on.carried(mark));
    return button;
  }

  function doubtButton({ x, y }, index) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark doubt';
    button.textContent = index + 1;
    button.setAttribute('aria-label', 'Unsure place ' + (index + 1));
    put(button, (button.at = [x, y]));
    button.addEventListener('click', () => on.pick(...rounded([x, y])));
    return button;
  }

  function markButton(mark, index, chosen) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark' + (mark.points.length > 1 ? ' stroke' : '');
    button.setAttribute('aria-pressed', chosen);
    const what = mark.points.length > 1 ? 'Stroke ' : 'Mark ';
    button.setAttribute('aria-label', what + (index + 1) + (mark.rgb ? '' : ', no colour yet'));
    button.style.setProperty('--colour', mark.rgb ? css(mark.rgb) : 'transparent');
    button.at = mark.points[mark.points.length >> 1];
    put(button, button.at);
    let drag = null;
    button.addEventListener('pointerdown', (event) => {
      button.setPointerCapture(event.pointerId);
      drag = { from: [event.clientX, event.clientY], moved: false };
    });
    button.addEventListener('pointermove', (event) => {
      if (!drag) return;
      drag.moved ||= Math.hypot(event.clientX - drag.from[0], event.clientY - drag.from[1]) > 4;
      if (drag.moved) put(button, (button.at = rounded(toPhoto(event))));
    });
    button.addEventListener('pointerup', () => {
      if (drag?.moved) on.move(index, ...button.at);
      else on.select(index);
      drag = null;
    });
    button.addEventListener('click', (event) => event.detail || on.select(index)); // screen readers
    button.addEventListener('keydown', (event) => {
      const step = Math.max(stage.width, stage.height) / 200;
      if (event.key === 'Enter' || event.key === ' ') on.select(index);
      else if (event.key === 'Delete' || event.key === 'Backspace') on.remove(index);
      else if (event.key in arrows) {
        const [x, y] = arrows[event.key];
        on.move(index, ...rounded([button.at[0] + x * step, button.at[1] + y * step]));
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return button;
  }

  stage.open = (width, height) => {
    Object.assign(stage, { width, height });
    view.style.setProperty('--shape', height / width);
    zoom = 1;
    cursor = null;
    place();
  };
  stage.zoomBy = (factor) => zoomTo(zoom * factor);
  stage.zoomFit = () => zoomTo(1);
  new ResizeObserver(place).observe(view);
  return stage;
}

// The colour an image shows at a place given as shares of its width and height.
function colourAt(image, x, y) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d');
  const at = [Math.floor(x * image.naturalWidth), Math.floor(y * image.naturalHeight)];
  context.drawImage(image, -at[0], -at[1]);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
