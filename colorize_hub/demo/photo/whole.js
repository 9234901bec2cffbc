// What concerns the whole picture: takes, doubts, a reference, files, the model, the link.

function makeWhole(desk, stage, panel, backend) {
  const whole = {};
  let reference = null; // File

  whole.vividness = (vividness, passing = false) => {
    if (desk.photo) (passing ? desk.show : desk.commit)({ ...desk.work, vividness });
  };

  whole.take = (take) => desk.commit({ ...desk.work, take });

  whole.another = async () => {
    const ask = () => desk.ask('variations', desk.asText(), null, desk.model);
    const list = desk.photo && (await desk.trying('Trying other colours…', ask));
    if (!list) return;
    desk.takes = { plain: await desk.picture({ ...desk.work, take: null }), list };
    desk.refresh();
  };

  whole.unsure = async () => {
    const ask = () => desk.ask('unsure', desk.model);
    desk.unsure = desk.unsure || !desk.photo ? null : await desk.trying('Looking…', ask);
    stage.doubts = desk.unsure?.places ?? [];
    if (desk.unsure) stage.compare(0);
    desk.refresh();
  };

  whole.reference = (file) => desk.trying('Opening ' + file.name + '…', async () => {
    const found = await backend.call('open_photo', file, '', desk.model);
    reference = file;
    panel.reference(found.before);
  });

  whole.borrow = async () => {
    if (desk.work.palette.length) return desk.commit({ ...desk.work, palette: [] });
    const ask = () => desk.ask('borrow_palette', reference, desk.asText(), desk.model);
    const found = await desk.trying('Comparing the photos…', ask);
    if (!found) return;
    stage.compare(0);
    desk.commit({ ...desk.work, palette: found.palette });
  };

  whole.download = async () => {
    if (!desk.photo) return;
    panel.download('', true);
    const ask = () => desk.ask('colorize_with_hints', desk.asText(), null, desk.model);
    const file = await desk.trying('', ask);
    if (file) backend.save(file);
    const { width, height } = desk.photo;
    panel.download(file ? width + ' x ' + height + ', lossless PNG, is on its way.' : '', false);
  };

  whole.saveHints = () => {
    if (!desk.photo) return;
    const stem = desk.photo.name.replace(/\.\w+$/, '');
    const url = URL.createObjectURL(new Blob([desk.asText()], { type: 'application/json' }));
    saveAs(url, stem + '-hints.json');
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };

  whole.loadHints = async (file) => {
    if (!desk.photo) return;
    const { width, height } = desk.photo;
    const read = async () => backend.call('read_hints', await file.text(), width, height);
    const found = await desk.trying('', read);
    if (!found) return;
    desk.deselect();
    stage.compare(0);
    const vividness = found.vividness ?? desk.ownVividness;
    desk.commit({ marks: found.marks, vividness, take: found.take, palette: found.palette });
  };

  whole.model = async (name) => {
    const found = await desk.trying('Loading the model…', () => backend.call('use_model', name));
    if (!found) return;
    const { work, ownVividness } = desk;
    const vividness = work.vividness === ownVividness ? found.vividness : work.vividness;
    stage.doubts = [];
    Object.assign(desk, { model: found.model, ownVividness: found.vividness, takes: null, unsure: null });
    panel.model(found.model);
    panel.message('Colouring with ' + (found.model || 'the model of this page') + '.', 'note');
    if (!desk.photo) return;
    desk.history[desk.now] = { ...work, vividness };
    desk.show(desk.history[desk.now]);
  };

  whole.share = async () => {
    const query = desk.model ? '?model=' + encodeURIComponent(desk.model) : '';
    const link = location.origin + location.pathname + query;
    try {
      await navigator.clipboard.writeText(link);
      panel.message('Copied: ' + link, 'note');
    } catch {
      panel.message(link, 'note'); // the browser keeps its clipboard to itself
    }
  };
  return whole;
}

// Puts the parts together and opens the first print; `showTab` brings a tab of the page forward.
function startDesk(root, backend, examples, showTab) {
  const on = { examples }; // filled below; the parts call it when the visitor does something
  const stage = makeStage(root, on);
  const panel = makePanel(root, on);
  const desk = makeDesk(root, stage, panel, backend, () => marking.helpText());
  const marking = makeMarking(desk, stage, panel);
  const { take, reference, ...whole } = makeWhole(desk, stage, panel, backend);
  const open = async (next, tab) => {
    await desk.open(next, tab);
    marking.brush();
  };
  Object.assign(on, marking, whole, {
    chooseTake: take,
    openReference: reference,
    work: (file) => on.loadHints(file),
    removeSelected: () => marking.remove(desk.selected),
    photo: (file) => {
      showTab('photo');
      return open({ source: file, name: file.name });
    },
    example: (print) => open({ source: print, name: print.title }),
    undo: () => desk.go(-1),
    redo: () => desk.go(1),
    zoom: (by) => (by ? stage.zoomBy(by) : stage.zoomFit()),
  });
  document.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    if (event.target.matches?.('input[type=text]') || root.querySelector('#desk').closest('[role=tabpanel]').hidden) return;
    event.preventDefault();
    desk.go(event.shiftKey ? 1 : -1);
  });
  panel.start();
  marking.tool('point');
  const wanted = new URLSearchParams(location.search).get('model');
  const ready = wanted ? on.model(wanted) : Promise.resolve();
  ready.then(() => desk.isOpening() || on.example(examples[0]));

  // A picture that comes with colours already fixed on it.
  const openWith = async (file, marks, vividness) => {
    await open({ source: file, name: file.name });
    if (desk.photo?.source !== file || (!marks.length && vividness === null)) return;
    stage.compare(0);
    desk.commit({ ...desk.work, marks, vividness: vividness ?? desk.work.vividness });
  };
  const again = () => desk.photo && desk.show(desk.work);
  return { on, open, openWith, again, desk, message: panel.message, model: () => desk.model };
}
