// The desk: the open photo, what the visitor did to it, its history, and the calls that show it.
//
// `work` = { marks: [{ points: [[x, y], ..], rgb, radius }], vividness, take, palette } is never changed, only
// replaced, so undo is going back in a list. It is sent whole with every call: the back end (see server.js)
// may forget everything at any time.

function makeDesk(root, stage, panel, backend, helpText) {
  const get = (id) => root.querySelector('#' + id);
  const pictures = new Map(); // rendered lately, by what was asked
  let [opening, asked, shown] = [0, 0, 0];
  const desk = {
    photo: null, // { source, name, width, height, key }, source as the back end takes it
    model: '',
    ownVividness: 0.5, // the model's
    work: { marks: [], vividness: 0.5, take: null, palette: [] },
    history: [],
    now: -1,
    pending: null, // a mark without a colour yet
    selected: null, // index into marks, pending last
    colours: [], // likely ones of the selected mark's place
    recent: [], // colours used lately, the last one first
    takes: null,
    unsure: null,
  };

  desk.asText = (work = desk.work) => JSON.stringify({
    format: 'colorize-hub hints 1',
    size: desk.photo && [desk.photo.width, desk.photo.height],
    ...work,
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
    get('after').src = picture;
  }, 2);

  desk.open = async (next) => {
    const turn = ++opening;
    panel.message(''); // now, not when it is open: what the other tabs say meanwhile stays
    return desk.trying('Opening ' + next.name + '…', async () => {
      const found = await backend.call('open_photo', next.source, '', desk.model);
      if (turn !== opening) return;
      const { width, height, vividness } = found;
      const work = { marks: [], vividness, take: null, palette: [] };
      Object.assign(desk, {
        photo: { ...next, width, height, key: turn }, ownVividness: vividness, work, history: [work], now: 0, takes: null, unsure: null,
      });
      desk.deselect();
      remember(keyOf(work), found.after);
      get('before').src = found.before;
      get('after').src = found.after;
      stage.doubts = [];
      stage.open(width, height);
      stage.compare(0.5);
      panel.caption(next.name + ' · ' + width + ' x ' + height);
      desk.refresh();
    });
  };
  desk.isOpening = () => opening > 0;

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
    stage.show(marks, selected);
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
