// The desk: the open photo, what the visitor did to it, its history, and the calls that show it.
//
// `work` = { marks: [{ points: [[x, y], ..], rgb, radius }], vividness, take, palette } is never changed, only
// replaced, so undo is going back in a list. It is sent whole with every call: the back end (see server.js)
// may forget everything at any time.
//
// Two tabs use the one desk, in turn: `use` puts aside what one of them had open and takes up the other's.

function makeDesk(root, stage, panel, backend, helpText) {
  const get = (id) => root.querySelector('#' + id);
  const pictures = new Map(); // rendered lately, by what was asked
  let [keys, asked, shown] = [0, 0, 0];
  const opening = {}; // how often, by tab
  const aside = {}; // what is open, by tab
  const EMPTY = { marks: [], vividness: 0.5, take: null, palette: [] };
  const opened = (photo, work, ownVividness, pictures) => ({
    photo, // { source, name, width, height, key, carried }, source as the back end takes it
    ownVividness, // the model's
    work,
    history: [work],
    now: 0,
    pending: null, // a mark without a colour yet
    selected: null, // index into marks, pending last
    colours: [], // likely ones of the selected mark's place
    takes: null,
    unsure: null,
    pictures, // { before, after }
  });
  const desk = {
    ...opened(null, EMPTY, 0.5, {}),
    tab: 'photo',
    model: '',
    recent: [], // colours used lately, the last one first
    changed: () => {}, // whoever keeps the work elsewhere too
  };

  // Marks that a film carries to this frame lie under those that were made on it.
  desk.asText = (work = desk.work) => JSON.stringify({
    format: 'colorize-hub hints 1',
    size: desk.photo && [desk.photo.width, desk.photo.height],
    ...work,
    marks: [...(desk.photo?.carried ?? []), ...work.marks],
  });

  // Asks about the photo.
  desk.ask = (name, ...rest) => backend.call(name, desk.photo.source, ...rest);

  // What a job gives, or null and a message on the page; the work stays as it is.
  desk.trying = async (words, job) => {
    panel.busy(words);
    try {
      return await job();
    } catch (error) {
      panel.message(error.message);
      return null;
    } finally {
      panel.busy('');
    }
  };

  const keyOf = (work) => [backend.name, desk.model, desk.photo.key, desk.asText(work)].join('|');

  function remember(key, picture) {
    pictures.set(key, picture);
    if (pictures.size > 24) pictures.delete(pictures.keys().next().value);
  }

  desk.picture = async (work) => {
    const key = keyOf(work);
    if (!pictures.has(key)) {
      const render = () => backend.render(desk.photo.source, desk.asText(work), desk.model);
      const found = await desk.trying('Colouring…', render);
      if (found) remember(key, found);
    }
    return pictures.get(key);
  };

  // The second may take the place of the first, if that one still waits for its turn.
  desk.render = latestOnly(async () => {
    const { photo } = desk;
    const turn = ++asked;
    const picture = await desk.picture(desk.work);
    if (!picture || photo !== desk.photo || turn < shown) return;
    shown = turn;
    get('after').src = desk.pictures.after = picture;
  }, 2);

  // `next` = { source, name, caption, work, carried, still }: work already done on it; still: what was open
  // shows the same scene, so that nothing but the picture changes.
  desk.open = async (next, tab = 'photo') => {
    const turn = (opening[tab] = (opening[tab] ?? 0) + 1);
    panel.message(''); // now, not when it is open: what the other tabs say meanwhile stays
    return desk.trying('Opening ' + next.name + '…', async () => {
      const carried = next.carried ?? [];
      const done = next.work || carried.length ? JSON.stringify({ ...next.work, marks: [...carried, ...(next.work?.marks ?? [])] }) : '';
      const found = await backend.call('open_photo', next.source, done, desk.model);
      if (turn !== opening[tab]) return;
      const { width, height, vividness, before, after } = found;
      const work = { ...EMPTY, ...next.work, vividness: next.work?.vividness ?? vividness };
      const sheet = opened({ ...next, carried, width, height, key: ++keys }, work, vividness, { before, after });
      if (tab === desk.tab) take(sheet);
      else aside[tab] = sheet;
    });
  };
  desk.isOpening = (tab = 'photo') => opening[tab] > 0;

  // What is there to be put aside.
  const kept = () => Object.fromEntries(Object.keys(opened()).map((name) => [name, desk[name]]));

  function take(sheet) {
    Object.assign(desk, sheet);
    const { photo, pictures } = sheet;
    for (const id of ['before', 'after']) pictures[id] ? (get(id).src = pictures[id]) : get(id).removeAttribute('src');
    if (photo && desk.history.length === 1) remember(keyOf(desk.work), pictures.after);
    stage.doubts = desk.unsure?.places ?? [];
    if (!photo?.still) {
      stage.open(photo?.width ?? 3, photo?.height ?? 2);
      stage.compare(0.5);
    }
    panel.caption(photo ? (photo.caption ?? photo.name + ' · ' + photo.width + ' x ' + photo.height) : '');
    desk.refresh();
  }

  desk.use = (tab) => {
    if (tab === desk.tab) return;
    aside[desk.tab] = kept();
    desk.tab = tab;
    take(aside[tab] ?? opened(null, EMPTY, desk.ownVividness, {}));
  };

  // What a tab had put aside is let go.
  desk.forget = (tab) => {
    opening[tab] = (opening[tab] ?? 0) + 1;
    delete aside[tab];
    if (tab === desk.tab) take(opened(null, EMPTY, desk.ownVividness, {}));
  };

  desk.deselect = () => Object.assign(desk, { pending: null, selected: null, colours: [] });

  desk.commit = (work) => {
    desk.history = [...desk.history.slice(0, desk.now + 1), work].slice(-200);
    desk.now = desk.history.length - 1;
    desk.show(work);
  };

  desk.show = (work) => {
    desk.work = work;
    desk.refresh();
    desk.render();
    desk.changed(work);
  };

  desk.go = (step) => {
    const work = desk.history[desk.now + step];
    if (!work) return;
    desk.now += step;
    desk.deselect();
    desk.show(work);
  };

  desk.refresh = () => {
    const { work, pending, selected, recent, takes, unsure } = desk;
    const marks = pending ? [...work.marks, pending] : work.marks;
    stage.colour = recent[0];
    stage.show(marks, selected, desk.photo?.carried);
    panel.marking(selected !== null, marks.length > 0);
    panel.history(desk.now > 0, desk.now < desk.history.length - 1);
    panel.vividness(work.vividness);
    panel.takes(takes && [{ take: null, picture: takes.plain }, ...takes.list], work.take);
    panel.unsure(unsure?.map);
    panel.palette(work.palette.length > 0);
    const lately = recent.map((rgb) => ({ rgb, label: 'used' }));
    const likely = selected !== null && desk.colours.length;
    panel.swatches(likely ? desk.colours : lately, marks[selected]?.rgb ?? recent[0], helpText());
    panel.download('', false);
  };
  return desk;
}
