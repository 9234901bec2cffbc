// The clip tab: a film goes up, is coloured in the server's own time, and comes back to be played.

function makeClip(root, on) {
  const get = (id) => root.querySelector('#clip-' + id);
  const player = get('player');
  const MOST_BYTES = 200e6;
  const clip = { file: null, data: null, job: null, versions: [], shown: null, touched: false };
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- words ------------------------------------------------------------------------------------
  function clock(seconds) {
    const whole = Math.ceil(seconds);
    return whole < 60 ? whole + ' s' : Math.floor(whole / 60) + ' min ' + (whole % 60) + ' s';
  }

  function say(words, share) {
    get('progress').hidden = words === null;
    get('start').hidden = words !== null;
    get('status').textContent = words ?? '';
    if (share === undefined) get('bar').removeAttribute('value');
    else get('bar').value = share;
  }

  function tell({ state, place, done, total, fps, left }) {
    if (state === 'waiting') {
      return say('Another clip is being coloured. You are ' + (place === 1 ? 'next.' : 'number ' + place + ' in the queue.'));
    }
    const words = ['Frame ' + done + (total ? ' of ' + total : '')];
    if (fps) words.push(fps + ' fps');
    if (left !== null && left !== undefined) words.push(clock(left) + ' left');
    say(done ? words.join(' · ') : 'Starting…', total ? Math.min(1, done / total) : undefined);
  }

  // --- a clip comes -----------------------------------------------------------------------------
  clip.open = async (file) => {
    if (file.size > MOST_BYTES) return on.message(file.name + ' has ' + Math.round(file.size / 1e6) + ' MB; up to 200 MB can be sent.');
    on.message('');
    await clip.cancel();
    for (const version of clip.versions) if (version.local) URL.revokeObjectURL(version.url);
    Object.assign(clip, { file, data: null, versions: [{ name: 'Original', url: URL.createObjectURL(file), local: true }] });
    get('caption').textContent = file.name;
    get('start').disabled = false;
    play(clip.versions[0]);
  };

  // Browsers play only some films; the others are coloured all the same.
  player.addEventListener('error', () => {
    if (!clip.shown?.local) return;
    player.hidden = true;
    get('welcome').hidden = false;
    get('words').textContent = 'Your browser cannot play ' + clip.file.name + ' itself. Press “Colour this clip” and look at what comes.';
  });

  function play(version) {
    const [at, going] = clip.shown ? [player.currentTime, !player.paused] : [0, false];
    clip.shown = version;
    player.hidden = false;
    get('welcome').hidden = true;
    player.src = version.url;
    player.currentTime = at;
    if (going || !version.local) player.play().catch(() => {});
    get('download').hidden = !!version.local;
    get('versions').replaceChildren(
      ...(clip.versions.length > 1 ? clip.versions : []).map((one) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.setAttribute('aria-pressed', one === version);
        button.innerHTML = '<span></span>';
        button.firstElementChild.textContent = one.name;
        button.addEventListener('click', () => play(one));
        return button;
      }),
    );
  }

  // --- colouring --------------------------------------------------------------------------------
  const settings = () => {
    const smoothing = Number(get('steadiness').value);
    const vividness = Number(get('vividness').value);
    const name = (smoothing ? 'Steady ' + Math.round(100 * smoothing) + '%' : 'Steady off') +
      (clip.touched ? ' · vivid ' + Math.round(100 * vividness) + '%' : '');
    return { smoothing, vividness: clip.touched ? vividness : null, name };
  };

  clip.start = async () => {
    const { file } = clip;
    const { smoothing, vividness, name } = settings();
    const ask = () => callEndpoint('start_clip', clip.data, vividness, smoothing, on.model());
    try {
      say('Sending ' + file.name + '…');
      clip.data ??= await uploadFile(file);
      const begun = await ask().catch(async (error) => {
        if (!/no longer kept/.test(error.message)) throw error;
        clip.data = await uploadFile(file);
        return ask();
      });
      if (clip.file !== file) return callEndpoint('cancel_clip', begun.job);
      clip.job = begun.job;
      get('caption').textContent = file.name + ' · ' + begun.width + ' x ' + begun.height +
        (begun.seconds ? ' · ' + clock(begun.seconds) : '');
      await follow(begun.job, name);
    } catch (error) {
      on.message(error.message);
    }
    if (clip.file === file) {
      clip.job = null;
      say(null);
    }
  };

  async function follow(job, name) {
    let missed = 0;
    while (clip.job === job) {
      const state = await callEndpoint('clip_state', job).catch((error) => {
        if (/no longer kept/.test(error.message)) throw error;
        say('The server does not answer. Trying again…');
        return ++missed < 60 ? null : Promise.reject(error);
      });
      if (clip.job !== job) return;
      if (state) {
        missed = 0;
        if (state.state === 'failed') throw new Error(state.error);
        if (state.state === 'done') return show(await callEndpoint('clip_result', job), name);
        tell(state);
      }
      await sleep(500);
    }
  }

  function show(file, name) {
    const version = { name, url: fileUrl(file.path), file };
    clip.versions = [...clip.versions.filter((one) => one.name !== name), version];
    play(version);
  }

  clip.cancel = async () => {
    const { job } = clip;
    clip.job = null;
    say(null);
    if (job) await callEndpoint('cancel_clip', job).catch(() => {});
  };

  // --- what the visitor does --------------------------------------------------------------------
  get('open').addEventListener('click', () => get('file').click());
  get('file').addEventListener('change', () => {
    const [file] = get('file').files;
    if (file) clip.open(file);
    get('file').value = '';
  });
  get('start').addEventListener('click', clip.start);
  get('cancel').addEventListener('click', clip.cancel);
  get('download').addEventListener('click', () => saveAs(clip.shown.url, clip.shown.file.orig_name ?? 'clip-color.mp4'));
  const words = () => {
    get('vividness-value').textContent = Math.round(100 * get('vividness').value) + '%';
    const smoothing = Number(get('steadiness').value);
    get('steadiness-value').textContent = smoothing ? Math.round(100 * smoothing) + '%' : 'off';
  };
  get('vividness').addEventListener('input', () => (clip.touched = true));
  for (const id of ['vividness', 'steadiness']) get(id).addEventListener('input', words);
  words();
  addEventListener('pagehide', () => {
    if (!clip.job) return;
    const body = new Blob([JSON.stringify({ data: [clip.job] })], { type: 'application/json' });
    navigator.sendBeacon(API + '/call/cancel_clip', body);
  });
  return clip;
}
