// How large a live picture can be: demo/live/pace.py, for the visitor's own machine.

const LEVELS = [ // long side of the picture, working short side, time in terms of the cheapest
  { side: 320, size: 96, cost: 1 },
  { side: 400, size: 96, cost: 1.2 },
  { side: 480, size: 128, cost: 1.7 },
  { side: 640, size: 128, cost: 2.2 },
  { side: 640, size: 160, cost: 3.2 },
  { side: 640, size: 192, cost: 3.8 },
  { side: 640, size: 256, cost: 5.5 },
];
const START = 2;
// ms of a frame: slower than `slow`, and it goes down; the next level may be expected to take `easy`. A graphics
// processor is to show 30 pictures a second, and what is left goes into their size.
const GOALS = { wasm: { slow: 180, easy: 140 }, webgpu: { slow: 45, easy: 30 } };
const FRAMES = 6; // at one level before it is judged
const PATIENCE = 20; // frames at ease before more is tried
const MOST_PATIENCE = 640;
const SHARE = 0.25; // of a new time in the mean

export class Pace {
  constructor(device) {
    Object.assign(this, { goal: GOALS[device], at: START, mean: 0, frames: 0, eased: 0, patience: PATIENCE, climbed: false });
  }

  get level() {
    return LEVELS[this.at];
  }

  add(ms) {
    this.frames++;
    if (this.frames <= 2) return void (this.mean = ms); // the first frames at a level also warm up
    this.mean += (ms - this.mean) * SHARE;
    if (this.frames < FRAMES) return;
    const above = LEVELS[Math.min(this.at + 1, LEVELS.length - 1)];
    if (this.mean > this.goal.slow) {
      if (this.climbed) this.patience = Math.min(this.patience * 2, MOST_PATIENCE); // that was one too many
      this.go(-1);
    } else if ((this.mean * above.cost) / this.level.cost < this.goal.easy) {
      if (++this.eased >= this.patience) this.go(1);
    } else Object.assign(this, { eased: 0, climbed: false });
  }

  go(step) {
    const next = Math.min(Math.max(this.at + step, 0), LEVELS.length - 1);
    if (next !== this.at) Object.assign(this, { at: next, frames: 0, climbed: step > 0 });
    this.eased = 0;
  }
}
