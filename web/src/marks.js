// What a visitor changed in a picture, as the JSON that the page keeps and saves: demo/photo/marks.py.

const FORMAT = 'colorize-hub hints 1';
const MOST_HINTS = 10000;
const SPACING = 0.75; // of the brush radius between two hints of a stroke
const MOST_NODES = 64;
const MOST_LETTERS = 4000000;
const SAME_SHAPE = 0.02; // how far two aspect ratios may be apart
const LARGEST = 2 ** 53;

const NONE = { marks: [], vividness: null, take: null, palette: [], size: null };

const shown = (value) => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 30 ? text.slice(0, 27) + '…' : text;
};

export function number(value, name, least, most) {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new Error(name + ' must be a number ' + least + '..' + most + ', got ' + shown(value) + '.');
}

export function whole(value, name, least, most = LARGEST) {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(name + ' must be a whole number ' + least + '..' + most + ', got ' + shown(value) + '.');
}

// { marks: [{ points, rgb, radius }], vividness, take, palette, size }; nothing at all is no hints.
export function readWork(text) {
  if (text === null || text === undefined) return NONE;
  if (typeof text !== 'string') throw new Error('hints must be text, got ' + shown(text) + '.');
  if (text.length > MOST_LETTERS) throw new Error('hints has ' + text.length + ' characters; at most ' + MOST_LETTERS + ' are taken.');
  if (!text.trim()) return NONE;
  let read;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new Error('The hints are not JSON: ' + error.message);
  }
  if (Array.isArray(read)) read = { marks: read };
  if (read === null || typeof read !== 'object') throw new Error('The hints must be a JSON list, or an object with a list of marks.');
  const { marks = [], vividness, take, palette, size } = read;
  if (!Array.isArray(marks)) throw new Error('marks must be a list, got ' + shown(marks) + '.');
  return {
    marks: marks.map((mark, at) => readMark(mark, 'hint ' + (at + 1))),
    vividness: vividness === null || vividness === undefined ? null : number(vividness, 'vividness', 0, 1),
    take: take === null || take === undefined ? null : whole(take, 'take', 0),
    palette: readPalette(palette),
    size: readSize(size),
  };
}

export const writeWork = ({ size, vividness, take, palette, marks }) => ({ format: FORMAT, size, vividness, take, palette, marks });

// The work, its marks moved to a picture of another size but equal shape.
export function fitWork(work, width, height) {
  const size = [width, height];
  if (!work.size || (work.size[0] === width && work.size[1] === height)) return { ...work, size };
  const [across, down] = [width / work.size[0], height / work.size[1]];
  if (Math.abs(across / down - 1) > SAME_SHAPE) {
    throw new Error(
      'These hints belong to a picture of ' + work.size.join(' x ') + ' pixels, and this one is ' + size.join(' x ') +
        '. Open the picture they were made for.',
    );
  }
  const marks = work.marks.map(({ points, rgb, radius }) => ({
    points: points.map(([x, y]) => [x * across, y * down]), rgb, radius: radius === null ? null : radius * across,
  }));
  return { ...work, marks, size };
}

// { x, y, rgb, radius } that marks stand for, in a picture `scale` times as large as the original.
export function hintsOf(marks, scale = 1) {
  const hints = [];
  for (const { points, rgb, radius } of marks) {
    for (const [x, y] of along(points, (radius ?? 0) * SPACING)) {
      hints.push({ x: x * scale, y: y * scale, rgb, radius: radius === null ? null : radius * scale });
      if (hints.length > MOST_HINTS) throw new Error('These are more than ' + MOST_HINTS + ' hints. Use a wider brush, or fewer strokes.');
    }
  }
  return hints;
}

// The first point, points every `spacing`, and the last; all, if spacing is 0.
function* along(points, spacing) {
  yield points[0];
  if (points.length > 1 && spacing <= 0) return yield* points.slice(1);
  let since = 0; // how far the line has come from the last hint
  for (let at = 1; at < points.length; at++) {
    const [[x, y], [nextX, nextY]] = [points[at - 1], points[at]];
    const length = Math.hypot(nextX - x, nextY - y);
    if (length === 0) continue;
    let way = spacing - since;
    for (; way < length; way += spacing) yield [x + ((nextX - x) * way) / length, y + ((nextY - y) * way) / length];
    since = length - (way - spacing);
  }
  if (since > spacing / 2) yield points.at(-1);
}

function readMark(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error(name + ' must be an object with x, y and rgb, got ' + shown(value) + '.');
  }
  const { points = [[value.x, value.y]], rgb, radius } = value;
  if (!Array.isArray(points) || !points.length) throw new Error('points of ' + name + ' must be a list of [x, y], got ' + shown(points) + '.');
  if (!Array.isArray(rgb) || rgb.length !== 3) throw new Error('rgb of ' + name + ' must be three numbers 0..255, got ' + shown(rgb) + '.');
  return {
    points: points.map((point) => readPoint(point, name)),
    rgb: rgb.map((part) => Math.round(number(part, 'rgb of ' + name, 0, 255))),
    radius: radius === null || radius === undefined ? null : number(radius, 'radius of ' + name, 0, 1e6),
  };
}

function readPoint(value, name) {
  if (!Array.isArray(value) || value.length !== 2) throw new Error('A place of ' + name + ' must be two numbers x and y, got ' + shown(value) + '.');
  return value.map((part) => number(part, 'x and y of ' + name, -1e6, 1e6));
}

function readPalette(value) {
  if (!value || (Array.isArray(value) && !value.length)) return [];
  if (!Array.isArray(value) || value.length > MOST_NODES) throw new Error('palette must be a list of at most ' + MOST_NODES + ', got ' + shown(value) + '.');
  const nodes = value.map((node) => {
    if (!Array.isArray(node) || node.length !== 5) throw new Error('A node of palette must be five numbers, got ' + shown(node) + '.');
    return node.map((part) => number(part, 'palette', -1000, 1000));
  });
  return nodes.sort(([one], [other]) => one - other);
}

function readSize(value) {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value) || value.length !== 2) throw new Error('size must be [width, height] in pixels, got ' + shown(value) + '.');
  return value.map((side) => Math.trunc(number(side, 'size', 1, 1e6)));
}
