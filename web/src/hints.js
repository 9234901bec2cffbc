// Hints drawn onto a grid: hints/hint.py. A hint is { x, y, ab, radius } in pixels of the picture.

const HALF_DIAGONAL = Math.SQRT1_2; // of a pixel: a disc reaches every pixel whose square it touches

// Index of the last hint over each cell of rows `from` to `to` of the grid, -1 for none.
function owners(hints, [height, width], [rows, columns], slack, from = 0, to = rows) {
  const owner = new Int32Array((to - from) * columns).fill(-1);
  const down = height / rows;
  const across = width / columns;
  hints.forEach(({ x, y, radius }, index) => {
    if (!(x >= 0 && x < width && y >= 0 && y < height)) {
      throw new Error('A hint at (' + x + ', ' + y + ') lies outside the picture of ' + width + ' x ' + height + ' pixels.');
    }
    if (radius !== null && radius !== undefined) {
      const reach = radius + slack;
      const top = Math.max(from, Math.floor((y - reach) / down - 0.5));
      const bottom = Math.min(to - 1, Math.ceil((y + reach) / down - 0.5));
      for (let row = top; row <= bottom; row++) {
        const apart = (row + 0.5) * down - y;
        const left = reach ** 2 - apart ** 2;
        if (left < 0) continue;
        const first = Math.max(0, Math.floor((x - reach) / across - 0.5));
        const last = Math.min(columns - 1, Math.ceil((x + reach) / across - 0.5));
        for (let column = first; column <= last; column++) {
          if (((column + 0.5) * across - x) ** 2 <= left) owner[(row - from) * columns + column] = index;
        }
      }
    }
    const row = Math.floor((y * rows) / height);
    if (row >= from && row < to) owner[(row - from) * columns + Math.floor((x * columns) / width)] = index;
  });
  return owner;
}

// Which hint fixes each cell of the decoder's grid [h, w], -1 where none does.
export const hintedCells = (hints, pictureSize, grid) => owners(hints, pictureSize, grid, 0);

// Pixels of some rows that hints fix: places in these rows, and the hint of each.
export function hintedPixels(hints, pictureSize, top, count) {
  const owner = owners(hints, pictureSize, pictureSize, HALF_DIAGONAL, top, top + count);
  const places = [];
  owner.forEach((index, place) => index >= 0 && places.push(place));
  return { places, owners: places.map((place) => owner[place]) };
}
