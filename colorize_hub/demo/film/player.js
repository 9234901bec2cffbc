// Makes films and plays them: the film as it came, a preview of a shot, the film in colour. `on`: message(text),
// screen(version or null) shows the player in place of the desk.

function makePlayer(root, on) {
  const get = (id) => root.querySelector('#film-' + id);
  const video = get('player');
  const player = { versions: [], shown: null, job: null };
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- words ------------------------------------------------------------------------------------
  function clock(seconds) {
    const whole = Math.ceil(seconds);
    return whole < 60 ? whole + ' s' : Math.floor(whole / 60) + ' min ' + (whole % 60) + ' s';
  }

  player.say = (words, share) => {
    get('progress').hidden = words === null;
    get('start').hidden = words !== null;
    get('status').textContent = words ?? '';
    if (share === undefined) get('bar').removeAttribute('value');
    else get('bar').value = share;
  };

  function tell({ state, place, done, total, fps, left }) {
    if (state === 'waiting') {
      return player.say('Another film is being coloured. You are ' + (place === 1 ? 'next.' : 'number ' + place + ' in the queue.'));
    }
    const words = ['Frame ' + done + (total ? ' of ' + total : '')];
    if (fps) words.push(fps + ' fps');
    if (left !== null && left !== undefined) words.push(clock(left) + ' left');
    player.say(done ? words.join(' · ') : 'Starting…', total ? Math.min(1, done / total) : undefined);
  }

  // --- versions ---------------------------------------------------------------------------------
  // { name, url, file or nothing, kind: 'original', 'preview' or 'film' }
  player.add = (version) => {
    const others = player.versions.filter((one) => one.name !== version.name && !(version.kind === 'preview' && one.kind === 'preview'));
    player.versions = [...others, version];
    player.play(version);
  };

  player.play = (version) => {
    const [at, going] = player.shown && version && player.shown.kind === version.kind ? [video.currentTime, !video.paused] : [0, true];
    player.shown = version;
    if (version) {
      video.src = version.url;
      video.currentTime = at;
      if (going && version.kind !== 'original') video.play().catch(() => {});
    } else video.pause();
    video.hidden = !version;
    get('download').hidden = version?.kind !== 'film';
    on.screen(version);
    buttons();
  };

  function buttons() {
    const ways = [{ name: 'Colours', version: null }, ...player.versions.map((version) => ({ name: version.name, version }))];
    get('versions').replaceChildren(
      ...ways.map(({ name, version }) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.setAttribute('aria-pressed', version === player.shown);
        button.textContent = name;
        button.addEventListener('click', () => player.play(version));
        return button;
      }),
    );
  }

  player.forget = () => {
    for (const version of player.versions) if (version.kind === 'original') URL.revokeObjectURL(version.url);
    player.versions = [];
    player.play(null);
  };

  // Browsers play only some films; the others are coloured all the same.
  video.addEventListener('error', () => {
    if (player.shown?.kind !== 'original') return;
    player.versions = player.versions.filter((one) => one.kind !== 'original');
    player.play(null);
    on.message('Your browser cannot play this film as it is. It can be coloured all the same.');
  });

  // --- the film ---------------------------------------------------------------------------------
  // Follows a job to its end; `name` is of the version that comes.
  player.follow = async (job, name) => {
    player.job = job;
    let missed = 0;
    while (player.job === job) {
      const state = await callEndpoint('clip_state', job).catch((error) => {
        if (/no longer kept/.test(error.message)) throw error;
        player.say('The server does not answer. Trying again…');
        return ++missed < 60 ? null : Promise.reject(error);
      });
      if (player.job !== job) return;
      if (state) {
        missed = 0;
        if (state.state === 'failed') throw new Error(state.error);
        if (state.state === 'done') {
          const file = await callEndpoint('clip_result', job);
          return player.add({ name, url: fileUrl(file.path), file, kind: 'film' });
        }
        if (state.state === 'paused') await callEndpoint('resume_clip', job);
        else tell(state);
      }
      await sleep(500);
    }
  };

  player.cancel = async () => {
    const { job } = player;
    player.job = null;
    player.say(null);
    if (job) await callEndpoint('cancel_clip', job).catch(() => {});
  };

  get('download').addEventListener('click', () => saveAs(player.shown.url, player.shown.file.orig_name ?? 'film-color.mp4'));
  // The film goes on when the page comes back; until then others come first.
  addEventListener('pagehide', () => {
    if (!player.job) return;
    const body = new Blob([JSON.stringify({ data: [player.job] })], { type: 'application/json' });
    navigator.sendBeacon(API + '/call/pause_clip', body);
  });
  return player;
}
