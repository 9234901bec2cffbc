// Spreading hints: hints/kriging.py. The formulas are graphs; here are the linear solve and the order of calls.

import { hintedCells } from './hints.js';

const MOST_ANCHORS = 256; // hinted cells in the regression; the rest follow their neighbours
const ATTENDING = 64 * 64; // cells of a picture that attend to the hints, about
const BLOCK_NUMBERS = 1 << 22;
const ATTENTION_NUMBERS = 8; // that attention keeps for a cell and a hint
const LEAST_TRUST = 1 / 256; // a correction that counts less shows nowhere

// a*b* as a tensor (1, 2, h, w). `canvas` is a Canvas whose cells are read, `own` its a*b* without hints.
export async function spreadHints(runtime, canvas, hints, own) {
  const { source, grid, cells } = canvas;
  const owner = hintedCells(hints, [source.height, source.width], grid);
  const anchors = anchorsOf(owner, grid[1]);
  const wanted = new Float32Array(2 * anchors.length);
  anchors.forEach((cell, at) => ([wanted[at], wanted[anchors.length + at]] = hints[owner[cell]].ab));
  const { system } = await runtime.run('relate', { ...cells, anchors: runtime.indices(anchors) });
  const asked = {
    ...cells,
    own,
    anchors: runtime.indices(anchors),
    wanted: runtime.floats(wanted, 2, anchors.length),
    solver: runtime.floats(inverse(system.data, anchors.length), anchors.length, anchors.length),
  };
  const { ab, trust } = await kriged(runtime, asked, owner.length, anchors.length);
  if (runtime.has('attend')) await correct(runtime, asked, grid, anchors.length, ab, trust);
  owner.forEach((index, cell) => {
    if (index >= 0) [ab[cell], ab[owner.length + cell]] = hints[index].ab;
  });
  return runtime.floats(ab, 1, 2, ...grid);
}

// Of hinted cells at most MOST_ANCHORS, spread over all that are hinted.
function anchorsOf(owner, columns) {
  const cells = [];
  owner.forEach((index, cell) => index >= 0 && cells.push(cell));
  let kept = cells;
  for (let block = 2; kept.length > MOST_ANCHORS; block *= 2) {
    const first = new Map();
    for (const cell of cells) {
      const key = Math.floor(Math.floor(cell / columns) / block) * columns + Math.floor((cell % columns) / block);
      if (!first.has(key)) first.set(key, cell);
    }
    kept = [...first.entries()].sort(([one], [other]) => one - other).map(([, cell]) => cell);
  }
  return kept;
}

// What kriging says of all cells: ab, a plane each, and how far a correction counts.
async function kriged(runtime, asked, count, anchors) {
  const ab = new Float32Array(2 * count);
  const trust = new Float32Array(count);
  for (const [from, to] of blocks(count, anchors)) {
    const at = runtime.indices(range(from, to));
    const found = await runtime.run('krige', { ...asked, at });
    spread(found.ab.data, range(from, to), count, (place, value) => (ab[place] = value));
    trust.set(found.trust.data, from);
  }
  return { ab, trust };
}

// Adds what attention corrects; on a coarser grid if that is large.
async function correct(runtime, asked, [rows, columns], anchors, ab, trust) {
  const apart = Math.max(1, Math.round(Math.sqrt((rows * columns) / ATTENDING)));
  const all = [];
  const from = Math.floor(apart / 2);
  for (let row = from; row < rows; row += apart) for (let column = from; column < columns; column += apart) all.push(row * columns + column);
  const [coarseRows, coarseColumns] = [rows, columns].map((side) => Math.ceil((side - from) / apart));
  const coarse = new Float32Array(2 * all.length);
  const telling = all.map((cell, at) => at).filter((at) => trust[all[at]] > LEAST_TRUST);
  for (const [first, last] of blocks(telling.length, anchors * ATTENTION_NUMBERS)) {
    const places = telling.slice(first, last);
    const at = runtime.indices(places.map((place) => all[place]));
    const { correction } = await runtime.run(anchors > runtime.fewHints ? 'attend' : 'attend_few', { ...asked, at });
    spread(correction.data, places, all.length, (place, value) => (coarse[place] = value));
  }
  let whole = coarse;
  if (apart > 1) {
    const planes = runtime.floats(coarse, 1, 2, coarseRows, coarseColumns);
    whole = (await runtime.run('resize', { planes, size: runtime.whole(rows, columns) })).resized.data;
  }
  for (let at = 0; at < ab.length; at++) ab[at] += whole[at];
}

// (n, 2) rows to two planes of `count`.
function spread(rows, places, count, put) {
  places.forEach((place, at) => {
    put(place, rows[2 * at]);
    put(count + place, rows[2 * at + 1]);
  });
}

const range = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);

function* blocks(count, numbers) {
  const most = Math.max(1, Math.floor(BLOCK_NUMBERS / numbers));
  for (let from = 0; from < count; from += most) yield [from, Math.min(count, from + most)];
}

// The inverse of a symmetric, positive (n, n) matrix, by Gauss and Jordan.
export function inverse(matrix, n) {
  const left = Float64Array.from(matrix);
  const right = new Float64Array(n * n);
  for (let at = 0; at < n; at++) right[at * n + at] = 1;
  for (let pivot = 0; pivot < n; pivot++) {
    const scale = 1 / left[pivot * n + pivot];
    for (let column = 0; column < n; column++) {
      left[pivot * n + column] *= scale;
      right[pivot * n + column] *= scale;
    }
    for (let row = 0; row < n; row++) {
      const factor = left[row * n + pivot];
      if (row === pivot || factor === 0) continue;
      for (let column = 0; column < n; column++) {
        left[row * n + column] -= factor * left[pivot * n + column];
        right[row * n + column] -= factor * right[pivot * n + column];
      }
    }
  }
  return Float32Array.from(right);
}
