// The film tab: a film goes up and is read; a frame of it lies on the desk; colours fixed there stay on their
// things through the shot; a shot is previewed, and the film is made.
//
// `film.work` = { marks: [{ frame, points, rgb, radius }], vividness, smoothing } is the visitor's. It is sent whole
// with every call, saved as a file that `colorize-hub video --hints` takes too, and outlives a reload.

function makeFilm(root, photo) {
  const get = (id) => root.querySelector('#film-' + id);
  const { desk, message } = photo;
  const MOST_BYTES = 200e6;
  const KEPT = 'colorize-film';
  const FRESH = { marks: [], vividness: null, smoothing: 0.8 };
  const film = { file: null, data: null, name: '', facts: null, work: FRESH, opened: 0 };
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  place();
  const home = root.querySelector('#desk').parentElement;
  const strip = makeStrip(root, { frame: (frame) => film.go(frame), picture: (frame) => shotPicture(frame) });
  const player = makePlayer(root, { message, screen });

  // Its parts live in the desk, and are seen when the desk is here.
  function place() {
    const sheet = root.querySelector('#desk');
    for (const id of ['screen', 'time', 'open-card', 'card']) get(id).classList.add('film-part');
    sheet.querySelector('.stage .view').after(get('screen'));
    sheet.querySelector('.stage').append(get('time'));
    sheet.querySelector('.panel').prepend(get('open-card'));
    sheet.querySelector('#vividness-card').after(get('card'));
  }

  // --- calls ------------------------------------------------------------------------------------
  film.asText = () => JSON.stringify({
    hints: [],
    size: [film.facts.width, film.facts.height],
    film: { name: film.name, frames: film.facts.frames },
    ...film.work,
  });

  // Asks about the film; sends it again if the server no longer has it.
  async function ask(name, ...rest) {
    const { file } = film;
    try {
      return await callEndpoint(name, film.data, ...rest);
    } catch (error) {
      if (!file || !/no longer kept/.test(error.message)) throw error;
      film.data = await uploadFile(file);
      await read();
      return callEndpoint(name, film.data, ...rest);
    }
  }

  const shotPicture = async (frame) => (await ask('shot_picture', film.asText(), frame, desk.model)).picture;

  // --- a film comes -----------------------------------------------------------------------------
  film.open = async (file) => {
    if (file.size > MOST_BYTES) return message(file.name + ' has ' + Math.round(file.size / 1e6) + ' MB; up to 200 MB can be sent.');
    message('');
    await player.cancel();
    const kept = film.file === null && film.name === file.name ? film.work : FRESH; // lost by the server, open again
    begin(file, null, file.name, kept);
    await load(async () => {
      say('Sending ' + file.name + '…');
      film.data = await uploadFile(file);
    });
    if (film.file === file && film.facts) {
      player.versions = [{ name: 'Original', url: URL.createObjectURL(file), kind: 'original' }];
      player.play(null);
    }
  };

  function begin(file, data, name, work) {
    player.forget();
    strip.forget();
    Object.assign(film, { file, data, name, facts: null, work });
    film.opened++;
    desk.forget('film');
    sheetState();
    get('steadiness').value = work.smoothing;
    words();
  }

  async function load(send) {
    const turn = film.opened;
    try {
      await send();
      film.facts = await callEndpoint('open_film', film.data);
      store();
      await read(turn);
    } catch (error) {
      if (turn !== film.opened) return;
      film.facts = null;
      message(error.message);
      say('Open another film, or the same again.');
      sheetState();
    }
  }

  // Shots appear while the film is read; the first frame is opened at once.
  async function read(turn = film.opened) {
    while (turn === film.opened) {
      const state = await callEndpoint('film_shots', film.data);
      if (turn !== film.opened) return;
      if (state.state === 'failed') throw new Error(state.error);
      const done = state.state === 'done';
      say('Looking for shots… ' + (state.total ? Math.round((100 * state.done) / state.total) + '%' : state.done));
      if (done) {
        film.facts.frames = state.total;
        strip.setShots(state.shots, film.facts);
        sheetState();
        if (desk.tab === 'film' ? !desk.photo : true) await film.go(Math.min(strip.frame, state.total - 1));
        return;
      }
      await sleep(300);
    }
  }

  // --- a frame on the desk ----------------------------------------------------------------------
  film.go = (frame) => {
    strip.setFrame(frame, strip.shotOf(frame) !== strip.shotOf(strip.frame));
    if (player.shown) player.play(null);
    store();
    return openFrame();
  };

  const openFrame = latestOnly(async () => {
    const [turn, frame] = [film.opened, strip.frame];
    try {
      const lives = await marksOn(frame);
      const source = fileData((await ask('film_frame', frame)).path);
      if (turn !== film.opened) return;
      const { width, height } = film.facts;
      const still = desk.tab === 'film' && desk.photo?.width === width && desk.photo?.height === height;
      const own = film.work.marks.filter((mark) => mark.frame === frame);
      const stem = film.name.replace(/\.\w+$/, '') + '-' + frame + '.png';
      await photo.open({
        source, still, frame, name: stem, caption: film.name + ' · ' + width + ' x ' + height + ' · frame ' + frame,
        carried: lives.filter((mark) => mark.frame !== frame),
        work: { marks: own, vividness: film.work.vividness },
      }, 'film');
      sheetState();
    } catch (error) {
      if (turn === film.opened) message(error.message);
    }
  });

  const inShot = (frame) => film.work.marks.filter((mark) => strip.shotOf(mark.frame) === strip.shotOf(frame));

  async function marksOn(frame) {
    const found = inShot(frame).length ? await ask('film_marks', film.asText(), frame) : [];
    strip.setMarks(found, film.work.marks);
    return found;
  }

  const follow = latestOnly(() => marksOn(strip.frame).catch((error) => message(error.message)));
  let renewing = null;

  // What is done to the frame on the desk is done to the film.
  desk.changed = (work) => {
    if (desk.tab !== 'film' || desk.photo?.frame === undefined) return;
    const { frame } = desk.photo;
    const marks = [...film.work.marks.filter((mark) => mark.frame !== frame), ...work.marks.map((mark) => ({ ...mark, frame }))];
    const vivid = film.work.vividness !== null || work.vividness !== desk.ownVividness ? work.vividness : null;
    const all = vivid !== film.work.vividness;
    film.work = { ...film.work, marks, vividness: vivid };
    store();
    follow();
    clearTimeout(renewing);
    renewing = setTimeout(() => strip.renew(all ? null : frame), 700);
  };

  photo.on.carried = (mark) => film.go(mark.frame);

  // --- what is shown ----------------------------------------------------------------------------
  let shown = false;

  function sheetState() {
    const ready = !!film.facts && strip.shots.length > 0;
    const sheet = root.querySelector('#desk');
    sheet.classList.toggle('open-film', ready);
    get('welcome').hidden = ready || !!player.shown;
    get('screen').hidden = ready && !player.shown && !!desk.photo;
    for (const id of ['preview', 'start', 'save', 'load']) get(id).disabled = !ready;
  }

  function screen(version) {
    root.querySelector('#desk').classList.toggle('watching', !!version);
    sheetState();
    if (version) get('screen').scrollIntoView({ block: 'nearest' });
  }

  function say(text) {
    get('words').textContent = text;
  }

  film.show = (on) => {
    if (on === shown) return;
    shown = on;
    const sheet = root.querySelector('#desk');
    sheet.classList.toggle('film', on);
    (on ? get('desk') : home).append(sheet);
    desk.use(on ? 'film' : 'photo');
    if (!on) player.shown && player.play(null);
    sheetState();
    if (on) again();
  };

  // --- the work, kept and saved -----------------------------------------------------------------
  function store() {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({
        data: film.data, name: film.name, work: film.work, frame: strip.frame, job: player.job, version: film.version,
      }));
    } catch {
      // a browser that keeps nothing for this page
    }
  }

  // After a reload the film is opened where it was, and a half-made one goes on.
  async function again() {
    if (film.facts || film.file) return;
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
    if (!kept?.data) return;
    begin(null, kept.data, kept.name, kept.work);
    strip.frame = kept.frame;
    await load(async () => say('Opening ' + kept.name + ' again…'));
    if (!film.facts) return say('Open ' + kept.name + ' again: your ' + kept.work.marks.length + ' marks are kept for it.');
    if (kept.job) await making(kept.version, async () => kept.job);
  }

  film.save = () => {
    const url = URL.createObjectURL(new Blob([saved], { type: 'application/json' }));
    saveAs(url, film.name.replace(/\.\w+$/, '') + '-hints.json');
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
  let saved = '';

  film.load = async (file) => {
    if (!film.facts) return message('Open the film first that these marks belong to.');
    try {
      const found = await ask('read_film_hints', await file.text());
      film.work = { marks: found.marks, vividness: found.vividness, smoothing: found.smoothing };
      get('steadiness').value = found.smoothing;
      words();
      store();
      strip.renew(null);
      message(found.marks.length + (found.marks.length === 1 ? ' mark' : ' marks') + ' loaded.', 'note');
      await film.go(found.marks[0]?.frame ?? strip.frame);
    } catch (error) {
      message(error.message);
    }
  };
  const photoWork = photo.on.work;
  photo.on.work = (file) => (shown ? film.load(file) : photoWork(file));

  // --- preview and film -------------------------------------------------------------------------
  film.preview = async () => {
    const turn = film.opened;
    get('preview').disabled = true;
    get('preview').textContent = 'Making the preview…';
    try {
      const made = await ask('preview_shot', film.asText(), strip.frame, desk.model);
      if (turn === film.opened) player.add({ name: 'Preview', url: fileUrl(made.path), kind: 'preview' });
    } catch (error) {
      message(error.message);
    }
    get('preview').textContent = 'Preview this shot';
    sheetState();
  };

  const versionName = () => {
    const { smoothing, vividness, marks } = film.work;
    return (smoothing ? 'Steady ' + Math.round(100 * smoothing) + '%' : 'Steady off') +
      (vividness === null ? '' : ' · vivid ' + Math.round(100 * vividness) + '%') +
      (marks.length ? ' · ' + marks.length + (marks.length === 1 ? ' mark' : ' marks') : '');
  };

  film.start = () => {
    const { vividness, smoothing, marks } = film.work;
    return making(versionName(), async () => {
      player.say('Starting…');
      const hints = marks.length ? film.asText() : '';
      return (await ask('start_clip', vividness, smoothing, desk.model, hints)).job;
    });
  };

  async function making(name, begun) {
    const turn = film.opened;
    film.version = name;
    try {
      const job = await begun();
      if (turn !== film.opened) return callEndpoint('cancel_clip', job);
      player.job = job;
      store();
      await player.follow(job, name);
    } catch (error) {
      message(error.message);
    }
    if (turn !== film.opened) return;
    player.job = null;
    store();
    player.say(null);
  }

  // --- what the visitor does --------------------------------------------------------------------
  for (const [button, input, take] of [['open', 'file', film.open], ['load', 'hints', film.load]]) {
    get(button).addEventListener('click', () => get(input).click());
    get(input).addEventListener('change', () => {
      const [file] = get(input).files;
      get(input).value = '';
      if (file) take(file);
    });
  }
  get('save').addEventListener('click', async () => {
    try {
      saved = JSON.stringify(await ask('read_film_hints', film.asText()), null, 1); // with what the command takes
      film.save();
    } catch (error) {
      message(error.message);
    }
  });
  get('preview').addEventListener('click', film.preview);
  get('start').addEventListener('click', film.start);
  get('cancel').addEventListener('click', async () => {
    await player.cancel();
    store();
  });
  const words = () => {
    const smoothing = Number(get('steadiness').value);
    get('steadiness-value').textContent = smoothing ? Math.round(100 * smoothing) + '%' : 'off';
  };
  get('steadiness').addEventListener('input', () => {
    film.work = { ...film.work, smoothing: Number(get('steadiness').value) };
    words();
    store();
  });
  words();
  return film;
}
