// The live picture: takes frames from the camera, has them coloured, two at a time, and shows them.
//
// `hints` = [{ key, x, y, frame, rgb, seen }] (x, y: shares of the picture) belong to the page and go along with
// every frame; the answer says where each is now. So nothing is lost when the server forgets.

function makeLive(root, backend, on) {
  const video = root.querySelector('#live-video');
  const link = backend.makeLink();
  const view = makeLiveView(root, on);
  const camera = makeCamera(video, on);
  const MOST_UNANSWERED = 2;
  const live = { hints: [], selected: null, likely: null, running: false, paused: false, vividness: null, smoothing: 0.8 };
  const taken = Array.from({ length: MOST_UNANSWERED + 1 }, () => document.createElement('canvas'));
  let seated = false, seating = false, side = 640, number = 0, shown = 0, unanswered = 0, still = 0, names = 0;
  let calm = 0, device = '', times = [], changes = 0, kept = null;
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- the seat ---------------------------------------------------------------------------------
  async function takeSeat() {
    seated = false;
    if (seating) return;
    seating = true;
    while (live.running && !seated) {
      try {
        const { place, fresh } = await link.join();
        if (place) view.status(waitingWords(place));
        else if (live.running) await sitDown(fresh);
        else link.leave();
      } catch (error) {
        if (error.status === 404) return (seating = false), fail('This server has no live picture.');
        if (error.status < 500) return (seating = false), fail(error.message);
        view.status('The server does not answer. Trying again…');
      }
      if (live.running && !seated) await sleep(1000);
    }
    seating = false;
  }

  const waitingWords = (place) =>
    'Two people are using the live picture. ' + (place === 1 ? 'You are next.' : 'You are number ' + place + ' in the queue.');

  // A server that remembers nothing gets the frame shown last first: the hints are true of that one.
  async function sitDown(fresh) {
    seated = true;
    view.status('');
    const last = shown ? view.before : kept;
    if (fresh && last && live.hints.length) {
      for (const hint of live.hints) hint.frame = number + 1;
      await send(last);
    }
    if (live.paused) again();
  }

  // --- frames -----------------------------------------------------------------------------------
  function next() {
    if (!live.running) return;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(onFrame);
    else requestAnimationFrame(onFrame);
  }

  function onFrame() {
    next();
    if (live.paused || !video.videoWidth) return;
    if (!shown) view.grey(video);
    if (seated && unanswered < MOST_UNANSWERED && performance.now() > calm) send(video);
  }

  const again = latestOnly(async () => {
    if (live.running && live.paused && seated) await send(video);
  });

  async function send(source) {
    const began = performance.now();
    const [frame, change] = [++number, changes];
    const picture = taken[frame % taken.length];
    const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
    const scale = Math.min(1, side / Math.max(width, height));
    picture.width = Math.round(width * scale);
    picture.height = Math.round(height * scale);
    picture.getContext('2d').drawImage(source, 0, 0, picture.width, picture.height);
    unanswered++;
    try {
      const answer = await link.frame(wish(frame), picture);
      if (live.running) show(answer, picture, began, change);
      answer.picture.close();
    } catch (error) {
      failed(error);
    } finally {
      unanswered--;
    }
  }

  const wish = (frame) => ({
    frame, vividness: live.vividness, smoothing: live.smoothing, hints: live.hints, model: on.model(),
    suggest: live.selected && live.likely?.key !== live.selected ? live.selected : '',
  });

  function show({ facts, picture: coloured }, before, began, change) {
    side = facts.side;
    if (facts.frame > shown) {
      shown = facts.frame;
      view.show(before, coloured);
      view.upToDate(change === changes);
      for (const found of facts.hints) Object.assign(live.hints.find((one) => one.key === found.key) ?? {}, found);
      view.place(live.hints);
      times = [...times, { at: performance.now(), took: performance.now() - began }].slice(-60);
    }
    if (facts.likely) {
      live.likely = facts.likely;
      live.refresh();
    }
  }

  function failed(error) {
    if (!live.running) return;
    if (error.status === 400) {
      calm = performance.now() + 2000;
      on.message(error.message);
    } else if (error.status !== 429) {
      if (error.status !== 409) view.status('The server does not answer. Trying again…');
      takeSeat();
    }
  }

  setInterval(() => {
    const within = (ms) => times.filter(({ at }) => at > performance.now() - ms);
    const lately = within(2000).length > 3 ? within(2000) : within(8000).slice(-4);
    const took = lately.map((one) => one.took).sort((one, other) => one - other)[lately.length >> 1];
    const span = lately.length > 1 ? (lately.at(-1).at - lately[0].at) / (lately.length - 1) : 0;
    view.speed(live.running && !live.paused && span ? { fps: 1000 / span, ms: took } : null);
  }, 500);

  // --- on, off, still ---------------------------------------------------------------------------
  live.start = async (which = device) => {
    device = which;
    on.message('');
    view.status('Waiting for the camera…');
    try {
      await camera.start(device);
    } catch (error) {
      return fail(error.message);
    }
    if (!video.offsetParent) return live.stop(); // another tab was chosen meanwhile
    shown = live.running ? shown : 0;
    if (!live.running) view.mirror(camera.facesUser());
    Object.assign(live, { running: true, paused: false });
    view.status('');
    live.refresh();
    next();
    if (!seated) takeSeat();
    view.cameras(await camera.list());
  };

  live.stop = () => {
    if (live.running) link.leave();
    live.running = seated = false;
    camera.stop();
    if (shown) {
      kept = Object.assign(document.createElement('canvas'), { width: view.before.width, height: view.before.height });
      kept.getContext('2d').drawImage(view.before, 0, 0);
    }
    view.status('');
    live.refresh();
  };

  function fail(words) {
    live.stop();
    on.message(words);
  }
  on.cameraLost = fail;

  live.pause = () => {
    live.paused = !live.paused;
    live.paused ? video.pause() : video.play().catch(() => {});
    live.change();
  };

  live.snapshot = async () => {
    const file = await camera.still();
    const { videoWidth, videoHeight } = video;
    const marks = live.hints
      .filter((hint) => hint.rgb && hint.seen)
      .map(({ x, y, rgb }) => ({ points: [[x * videoWidth, y * videoHeight]], rgb, radius: null }));
    on.snapshot(file, marks, live.vividness);
  };

  // --- colours ----------------------------------------------------------------------------------
  live.pick = (x, y) => {
    if (!shown) return;
    if (live.hints.filter((hint) => hint.rgb).length >= 24) return on.message('These are the most colours that can be fixed. Remove one first.');
    const key = 'hint-' + ++names;
    live.hints = [...live.hints.filter((hint) => hint.rgb), { key, x, y, frame: shown, rgb: null, seen: true }];
    live.select(key);
  };

  live.select = (key) => {
    Object.assign(live, { selected: key, likely: null });
    live.change();
  };

  live.colour = (rgb) => {
    const hint = live.hints.find((one) => one.key === live.selected);
    if (!hint) return;
    hint.rgb = rgb;
    live.change();
  };

  live.remove = (key) => {
    live.hints = live.hints.filter((hint) => hint.key !== key);
    if (live.selected === key) live.selected = null;
    live.change();
  };

  live.clear = () => {
    Object.assign(live, { hints: [], selected: null, likely: null });
    live.change();
  };

  live.change = () => {
    changes++;
    view.upToDate(false);
    live.refresh();
    again();
  };

  live.refresh = () => view.refresh(live);

  addEventListener('pagehide', () => live.running && link.leave());
  addEventListener('pageshow', (event) => event.persisted && live.running && takeSeat());
  return live;
}
