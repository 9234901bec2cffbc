// What moved between two frames of a live picture: inference/motion.py looks for it with OpenCV.
//
// Blocks of lightness are matched from coarse to fine. A cell of the grid of colours tries where its
// neighbours went, and then one step around the best; between pixels the error is taken for a parabola.

const REACH = 4; // pixels of a block to each side, less one half
const LEVELS = 4;
const COARSE_STEPS = 2; // pixels to each side that are searched at the coarsest level
const MARGIN = REACH + 1;
const SMOOTH = 6; // levels of lightness, summed over a block, that a pixel of odd motion must make up for

// Lightness (1, 1, h, w) at working size as planes to match, from fine to coarse; the finest has two pixels a cell.
export function pyramid({ data, dims }) {
  let plane = halved({ width: dims[3], height: dims[2], values: data });
  const planes = [padded(plane)];
  while (planes.length < LEVELS && Math.min(plane.width, plane.height) > 4 * REACH) {
    plane = halved(plane);
    planes.push(padded(plane));
  }
  return planes;
}

// Where each cell of `target` was in `source`, both of `pyramid`: two planes x and y, in cells.
export function flowBetween(source, target) {
  let found = null;
  for (let level = target.length - 1; level >= 0; level--) found = matched(source[level], target[level], found);
  const { columns, rows, x, y } = between(source[0], target[0], found);
  const flow = new Float32Array(2 * columns * rows);
  for (let at = 0; at < x.length; at++) [flow[at], flow[x.length + at]] = [x[at] / 2, y[at] / 2];
  return flow;
}

function halved({ width, height, values }) {
  const [columns, rows] = [width >> 1, height >> 1];
  const small = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0, from = 2 * row * width; column < columns; column++, from += 2) {
      small[row * columns + column] = (values[from] + values[from + 1] + values[from + width] + values[from + width + 1]) / 4;
    }
  }
  return { width: columns, height: rows, values: small };
}

// With its edges repeated around it, so that a block may reach over them.
function padded({ width, height, values }) {
  const stride = width + 2 * MARGIN;
  const wide = new Float32Array(stride * (height + 2 * MARGIN));
  for (let row = 0; row < height + 2 * MARGIN; row++) {
    const from = Math.min(Math.max(row - MARGIN, 0), height - 1) * width;
    for (let column = 0; column < stride; column++) wide[row * stride + column] = values[from + Math.min(Math.max(column - MARGIN, 0), width - 1)];
  }
  return { width, height, stride, values: wide };
}

// Sum of differences between blocks around a place of the target and one of the source; more than `most` is
// not summed to the end.
function difference(source, target, column, row, toX, toY, most = Infinity) {
  const { stride, values } = target;
  const { values: others } = source;
  let one = (row + MARGIN - REACH) * stride + column + MARGIN - REACH;
  let other = (toY + MARGIN - REACH) * stride + toX + MARGIN - REACH;
  let sum = 0;
  for (let down = 0; down < 2 * REACH && sum < most; down++, one += stride, other += stride) {
    for (let across = 0; across < 2 * REACH; across++) sum += Math.abs(values[one + across] - others[other + across]);
  }
  return sum;
}

// One vector for every two pixels each way, from those of the coarser level.
function matched(source, target, coarser) {
  const [columns, rows] = [target.width >> 1, target.height >> 1];
  const found = { columns, rows, x: new Int32Array(columns * rows), y: new Int32Array(columns * rows), error: new Float32Array(columns * rows) };
  const steps = coarser ? 1 : COARSE_STEPS;
  let [bestX, bestY, error, liked] = [0, 0, 0, 0];
  const attempt = (column, row, x, y, penalty) => {
    const [toX, toY] = [2 * column + 1 + x, 2 * row + 1 + y];
    if (toX < 0 || toY < 0 || toX > target.width || toY > target.height) return;
    const sum = difference(source, target, 2 * column + 1, 2 * row + 1, toX, toY, liked - penalty);
    if (sum + penalty < liked) [bestX, bestY, error, liked] = [x, y, sum, sum + penalty];
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      [bestX, bestY, error, liked] = [0, 0, Infinity, Infinity];
      for (const [x, y] of guesses(coarser, found, column, row)) attempt(column, row, x, y, 0);
      const [x, y] = [bestX, bestY];
      for (let up = -steps; up <= steps; up++) {
        for (let left = -steps; left <= steps; left++) if (up || left) attempt(column, row, x + left, y + up, SMOOTH);
      }
      const at = row * columns + column;
      [found.x[at], found.y[at], found.error[at]] = [bestX, bestY, error];
    }
  }
  return found;
}

// Where the cell may have gone: nowhere, as the coarser level says around it, or as those before it did.
function* guesses(coarser, found, column, row) {
  yield [0, 0];
  if (coarser) {
    const [near, nearRow] = [Math.min(column >> 1, coarser.columns - 1), Math.min(row >> 1, coarser.rows - 1)];
    const [other, otherRow] = [near + (column % 2 ? 1 : -1), nearRow + (row % 2 ? 1 : -1)];
    for (const [across, down] of [[near, nearRow], [other, nearRow], [near, otherRow]]) {
      if (across < 0 || down < 0 || across >= coarser.columns || down >= coarser.rows) continue;
      const at = down * coarser.columns + across;
      yield [2 * coarser.x[at], 2 * coarser.y[at]];
    }
  }
  const at = row * found.columns + column;
  if (column) yield [found.x[at - 1], found.y[at - 1]];
  if (row) yield [found.x[at - found.columns], found.y[at - found.columns]];
}

// The same with parts of pixels.
function between(source, target, { columns, rows, x, y, error }) {
  const fine = { columns, rows, x: Float32Array.from(x), y: Float32Array.from(y) };
  for (let at = 0; at < x.length; at++) {
    const [column, row] = [2 * (at % columns) + 1, 2 * Math.floor(at / columns) + 1];
    const beside = (across, down) => difference(source, target, column, row, column + x[at] + across, row + y[at] + down);
    const [toX, toY] = [column + x[at], row + y[at]];
    if (toX > 0 && toX < target.width) fine.x[at] += lowest(beside(-1, 0), error[at], beside(1, 0));
    if (toY > 0 && toY < target.height) fine.y[at] += lowest(beside(0, -1), error[at], beside(0, 1));
  }
  return fine;
}

// Where between -1 and 1 a V-shaped error is least, of its values at -1, 0 and 1.
function lowest(before, here, after) {
  const steep = Math.max(before, after) - here;
  return steep > 0 && here <= Math.min(before, after) ? Math.min(Math.max((before - after) / (2 * steep), -0.5), 0.5) : 0;
}
