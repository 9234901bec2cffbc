// Where the model is unsure of the colour, made for looking at: demo/photo/places.py.

import { png } from './picture.js';

const BAND = [0.45, 0.98]; // quantiles of doubt that are clear and strong
const MOST = 0.55; // opacity where the model is least sure
const CELL = 24; // the map is looked through in so many cells on the long side
const COUNT = 5;
const RGB = [255, 64, 160];

// { map: Blob to lay over the photo, places: [{ x, y }] in its pixels, the least sure first }.
export async function unsurePlaces(sure, columns, rows, width, height) {
  const doubt = sure.map((one) => 1 - one);
  const [low, high] = quantiles(doubt, BAND);
  const bytes = new Uint8Array(doubt.length * 4);
  doubt.forEach((one, at) => {
    const strength = high - low > 1e-4 ? Math.min(1, Math.max(0, (one - low) / (high - low))) : 0;
    bytes.set([...RGB, Math.round(strength * MOST * 255)], 4 * at);
  });
  const across = width / columns;
  const down = height / rows;
  const places = peaks(doubt, columns, rows).map(([x, y]) => ({ x: x * across, y: y * down }));
  return { map: await png({ width: columns, height: rows, bytes }), places };
}

function quantiles(values, shares) {
  const ordered = Float32Array.from(values).sort();
  return shares.map((share) => {
    const place = share * (ordered.length - 1);
    const [low, high] = [Math.floor(place), Math.ceil(place)].map((at) => ordered[at]);
    return low + (high - low) * (place % 1);
  });
}

// [x, y] of the cells of the most doubt, each some distance from the others.
function peaks(doubt, width, height) {
  const cell = Math.max(1, Math.max(width, height) / CELL);
  const [rows, columns] = [height, width].map((side) => Math.max(1, Math.round(side / cell)));
  const coarse = means(doubt, width, height, rows, columns);
  const places = [];
  while (places.length < Math.min(COUNT, coarse.length)) {
    const best = coarse.indexOf(Math.max(...coarse));
    if (coarse[best] < 0) break;
    const [row, column] = [Math.floor(best / columns), best % columns];
    places.push([((column + 0.5) * width) / columns, ((row + 0.5) * height) / rows]);
    coarse.forEach((_, at) => {
      const apart = (Math.floor(at / columns) - row) ** 2 + ((at % columns) - column) ** 2;
      if (apart <= (CELL / 5) ** 2) coarse[at] = -1;
    });
  }
  return places;
}

// Each cell the mean of its window.
function means(values, width, height, rows, columns) {
  const windowOf = (cell, cells, side) => [Math.floor((cell * side) / cells), Math.ceil(((cell + 1) * side) / cells)];
  return Array.from({ length: rows * columns }, (_, at) => {
    const [top, bottom] = windowOf(Math.floor(at / columns), rows, height);
    const [left, right] = windowOf(at % columns, columns, width);
    let sum = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += values[y * width + x];
    return sum / ((bottom - top) * (right - left));
  });
}
