// The time of a film: its shots as a strip of pictures, the frames of one as a slider, and on which frames the
// marks are seen. It knows no server; what the visitor does comes out through `on`: frame(number),
// picture(number) -> a picture's address.

function makeStrip(root, on) {
  const get = (id) => root.querySelector('#film-' + id);
  const [box, slider, list] = ['time', 'frame', 'strip'].map(get);
  const strip = { shots: [], frame: 0 };
  let [marks, current, stop] = [[], null, null];

  // --- words ------------------------------------------------------------------------------------
  function timeCode(seconds) {
    const whole = Math.floor(seconds + 1e-6);
    const two = (value) => String(value).padStart(2, '0');
    const hours = Math.floor(whole / 3600);
    return (hours ? hours + ':' : '') + two(Math.floor(whole / 60) % 60) + ':' + two(whole % 60);
  }

  strip.shotOf = (frame) => strip.shots.findLastIndex(([first]) => first <= frame);

  // --- the shots --------------------------------------------------------------------------------
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      target.wanted = isIntersecting;
      if (isIntersecting) load(target);
    }
  }, { root: list, rootMargin: '0px 300px' });

  let loading = 0;
  const waiting = new Set();

  // Two at a time, of those that are in sight.
  async function load(button) {
    if (!button.stale) return;
    if (loading === 2) return waiting.add(button);
    loading++;
    button.stale = false;
    const picture = await on.picture(button.keyframe).catch(() => null);
    if (picture && button.isConnected) button.querySelector('img').src = picture;
    loading--;
    const next = [...waiting].find((one) => one.wanted && one.isConnected);
    waiting.clear();
    for (const one of list.querySelectorAll('button')) if (one.wanted && one.stale && one !== next) waiting.add(one);
    if (next) load(next);
  }

  function shotButton([first, frames, start], number) {
    const item = document.createElement('li');
    item.innerHTML = '<button type="button" tabindex="-1"><img alt="" draggable="false"><span></span><em></em></button>';
    const button = item.firstElementChild;
    button.keyframe = first + (frames >> 1);
    button.stale = true;
    button.querySelector('span').textContent = number + 1 + ' · ' + timeCode(start);
    button.setAttribute('aria-label', 'Shot ' + (number + 1) + ' at ' + timeCode(start) + ', ' + frames + ' frames');
    button.addEventListener('click', () => on.frame(button.keyframe));
    seen.observe(button);
    return item;
  }

  // While the film is read the last shots still change; those before stay as they are.
  strip.setShots = (shots, facts) => {
    box.style.setProperty('--shape', facts.width / facts.height);
    const same = shots.findIndex((shot, at) => shot.join() !== strip.shots[at]?.join());
    const from = same < 0 ? shots.length : same;
    while (list.children.length > from) {
      seen.unobserve(list.lastElementChild.firstElementChild);
      list.lastElementChild.remove();
    }
    strip.shots = shots;
    list.append(...shots.slice(from).map((shot, at) => shotButton(shot, from + at)));
    box.hidden = !shots.length;
    if (shots.length) show();
  };

  strip.forget = () => {
    list.replaceChildren();
    strip.shots = [];
    box.hidden = true;
    marks = [];
  };

  // The pictures of shots whose colours changed are asked for anew, when they are in sight.
  strip.renew = (frame) => {
    for (const [at, item] of [...list.children].entries()) {
      if (frame !== null && at !== strip.shotOf(frame)) continue;
      item.firstElementChild.stale = true;
      if (item.firstElementChild.wanted) load(item.firstElementChild);
    }
  };

  // One of the shots can be reached with the Tab key; arrow keys lead to the others.
  function tabStop(button) {
    if (stop) stop.tabIndex = -1;
    stop = button;
    stop.tabIndex = 0;
  }

  list.addEventListener('keydown', (event) => {
    const at = [...list.children].indexOf(event.target.closest('li'));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: list.children.length - 1 }[event.key];
    if (to === undefined || !list.children[to]) return;
    event.preventDefault();
    tabStop(list.children[to].firstElementChild);
    list.children[to].firstElementChild.focus();
  });

  // --- the frames -------------------------------------------------------------------------------
  function show() {
    const number = Math.max(0, strip.shotOf(strip.frame));
    const [first, frames, start, end] = strip.shots[number];
    Object.assign(slider, { min: first, max: first + frames - 1, value: strip.frame });
    const seconds = start + ((end - start) * (strip.frame - first)) / frames;
    const words = 'Frame ' + strip.frame + ' · ' + timeCode(seconds);
    get('code').textContent = words;
    slider.setAttribute('aria-valuetext', words + ', shot ' + (number + 1) + ' of ' + strip.shots.length);
    get('before').disabled = strip.frame <= 0;
    get('after').disabled = strip.frame >= strip.shots.at(-1)[0] + strip.shots.at(-1)[1] - 1;
    const button = list.children[number].firstElementChild;
    if (current !== button) {
      current?.removeAttribute('aria-current');
      button.setAttribute('aria-current', 'true');
      tabStop(button);
      current = button;
    }
    showLives(first, frames);
  }

  // Share of the slider's way, as its thumb has it.
  const share = (frame, first, frames) => (100 * (frame - first)) / Math.max(1, frames - 1);

  function showLives(first, frames) {
    const here = marks.filter((mark) => strip.shotOf(mark.frame) === strip.shotOf(first));
    get('lives').replaceChildren(...here.map((mark) => {
      const line = document.createElement('li');
      const runs = mark.lives.map(([from, to]) => from + ' to ' + to).join(', ');
      line.innerHTML = '<span class="for-readers"></span>';
      line.firstElementChild.textContent = 'Mark of frame ' + mark.frame + ': seen on frames ' + runs;
      line.title = line.firstElementChild.textContent;
      line.style.setProperty('--colour', css(mark.rgb));
      for (const [from, to] of mark.lives) {
        const bar = document.createElement('i');
        bar.style.left = share(from, first, frames) + '%';
        bar.style.width = share(to, first, frames) - share(from, first, frames) + '%';
        line.append(bar);
      }
      const home = document.createElement('b');
      home.style.left = share(mark.frame, first, frames) + '%';
      line.append(home);
      return line;
    }));
  }

  strip.setFrame = (frame, scroll = true) => {
    strip.frame = frame;
    show();
    const item = list.children[strip.shotOf(frame)];
    if (scroll && item) list.scrollTo({ left: item.offsetLeft - list.offsetLeft - list.clientWidth / 2 + 50 });
  };

  // `lives`: of the shot at hand; `all`: every mark of the film, for the dots on the strip.
  strip.setMarks = (lives, all) => {
    marks = lives;
    for (const item of list.children) item.querySelector('em').replaceChildren();
    for (const mark of all) {
      const dots = list.children[strip.shotOf(mark.frame)]?.querySelector('em');
      if (!dots || dots.children.length > 4) continue;
      const dot = document.createElement('i');
      dot.style.setProperty('--colour', css(mark.rgb));
      dots.append(dot);
    }
    show();
  };

  slider.addEventListener('input', () => on.frame(Number(slider.value)));
  get('before').addEventListener('click', () => on.frame(strip.frame - 1));
  get('after').addEventListener('click', () => on.frame(strip.frame + 1));
  return strip;
}
