// A hint on a live picture: it stays on its object, and is silent while the object is not seen:
// inference/tracking.py. A grey picture is { width, height, levels: Float32Array 0..255 }.

export const SMALL_SIDE = 192; // pixels of the long side of the pictures that are searched
const SIDES = [19, 29, 41, 57]; // of the template; the first with enough texture is taken
const TEXTURE = 7; // standard deviation, in levels, that can be followed
const REACH = 26; // pixels between two frames
const AGREES = 0.65; // correlation that is the object
const FOUND_AGAIN = 0.8; // likewise, anywhere in the picture
const ANCHORED = 0.75; // correlation from which the first template alone says where
const FADED = 0.92; // the later template is taken anew below this
const FARNESS = 0.08; // correlation that a place at the end of the reach must make up for
const SAME_LEVELS = 22; // change of brightness, less the picture's, of a place without texture
const UNCLEAR = 0.4; // correlation that is forgiven for PATIENCE frames
const PATIENCE = 2;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function cut({ width, levels }, [top, left], [rows, columns]) {
  const part = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = (top + row) * width + left;
    part.set(levels.subarray(from, from + columns), row * columns);
  }
  return { width: columns, height: rows, levels: part };
}

function statistics(levels) {
  let [sum, squares] = [0, 0];
  for (const level of levels) {
    sum += level;
    squares += level * level;
  }
  const mean = sum / levels.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / levels.length - mean * mean)) };
}

export class Tracker {
  // Begins on a frame; x and y are shares of its width and height.
  constructor(grey, x, y) {
    const shape = [grey.height, grey.width];
    const at = [Math.floor(y * grey.height), Math.floor(x * grey.width)];
    Object.assign(this, { seen: true, missed: 0, shape });
    for (const side of SIDES) {
      this.size = shape.map((length) => Math.min(side, length));
      this.corner = at.map((place, axis) => clamp(place - (this.size[axis] >> 1), 0, shape[axis] - this.size[axis]));
      this.first = cut(grey, this.corner, this.size);
      if (statistics(this.first.levels).deviation >= TEXTURE) break;
    }
    const { mean, deviation } = statistics(this.first.levels);
    this.place = at.map((place, axis) => place - this.corner[axis]); // in the template
    this.later = this.first;
    this.flat = deviation < TEXTURE;
    this.level = mean - statistics(grey.levels).mean;
  }

  // Where the place is: x and y, shares of the frame.
  get whereabouts() {
    const [y, x] = this.corner.map((from, axis) => (from + this.place[axis] + 0.5) / this.shape[axis]);
    return { x, y };
  }

  // Moves to where the object is in the next frame, and says if it is seen.
  follow(grey) {
    if (grey.height !== this.shape[0] || grey.width !== this.shape[1]) return void (this.seen = false);
    if (this.flat) {
      const change = statistics(cut(grey, this.corner, this.size).levels).mean - statistics(grey.levels).mean - this.level;
      return void this.judge(Math.abs(change) < SAME_LEVELS ? 1 : 0);
    }
    let { score, corner } = this.seen ? this.find(grey, REACH) : { score: 0, corner: this.corner };
    if (score < AGREES) {
      const elsewhere = this.find(grey, Math.max(...this.shape));
      if (elsewhere.score >= FOUND_AGAIN) ({ score, corner } = elsewhere);
    }
    if (!this.judge(score)) return;
    this.corner = corner;
    if (score < FADED) this.later = cut(grey, corner, this.size);
  }

  find(grey, reach) {
    const found = best(grey, this.first, this.corner, reach);
    if (found.score >= ANCHORED) return found;
    const other = best(grey, this.later, this.corner, reach);
    return other.score > found.score ? other : found;
  }

  // Whether this frame shows the object; a few unclear frames are forgiven.
  judge(score) {
    const agrees = score >= AGREES;
    this.missed = agrees ? 0 : this.missed + 1;
    const forgiven = this.seen && score >= UNCLEAR && this.missed <= PATIENCE;
    this.seen = agrees || forgiven;
    return agrees;
  }
}

// Normalised cross-correlation, and the corner where it is largest; near ones are preferred a little.
export function best(grey, template, corner, reach) {
  const size = [template.height, template.width];
  const low = corner.map((from) => Math.max(from - reach, 0));
  const high = corner.map((from, axis) => Math.min(from + reach, [grey.height, grey.width][axis] - size[axis]));
  const { mean } = statistics(template.levels);
  const centred = template.levels.map((level) => level - mean);
  const power = centred.reduce((sum, level) => sum + level * level, 0);
  const [found, liked] = [{ score: 0, corner }, { value: -Infinity }];
  for (let top = low[0]; top <= high[0]; top++) {
    for (let left = low[1]; left <= high[1]; left++) {
      const score = correlation(grey, centred, power, size, top, left);
      const value = score - (FARNESS * Math.hypot(top - corner[0], left - corner[1])) / reach;
      if (value > liked.value) {
        liked.value = value;
        Object.assign(found, { score, corner: [top, left] });
      }
    }
  }
  return found;
}

function correlation({ width, levels }, centred, power, [rows, columns], top, left) {
  let [product, sum, squares] = [0, 0, 0];
  for (let row = 0, at = 0; row < rows; row++) {
    let from = (top + row) * width + left;
    for (let column = 0; column < columns; column++, at++, from++) {
      const level = levels[from];
      product += level * centred[at];
      sum += level;
      squares += level * level;
    }
  }
  const spread = Math.sqrt(Math.max(0, squares - (sum * sum) / (rows * columns)) * power);
  return spread > 1e-6 ? product / spread : 0;
}
