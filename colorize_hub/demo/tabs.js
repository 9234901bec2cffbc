// The page: its tabs, and what they hand to each other.

function startPage(root, backend, examples) {
  const tabs = [...root.querySelectorAll('[role="tab"]')];
  const names = tabs.map((tab) => tab.id.slice(4));
  const taglines = {
    photo: 'Drop in a black-and-white photo. Then click anything to choose its colour.',
    live: 'Your camera, in colour as it happens. Click anything to fix its colour.',
    film: 'A film in steady colour. Fix a colour on one frame, and it stays through the shot.',
  };
  const photo = startDesk(root, backend, examples, (name) => show(name));
  const on = { message: photo.message, model: photo.model };
  const live = makeLive(root, backend, on);
  const film = names.includes('film') ? makeFilm(root, photo) : null;
  let away = false; // the camera is off because another tab is shown

  function show(name) {
    for (const tab of tabs) {
      const chosen = tab.id === 'tab-' + name;
      tab.setAttribute('aria-selected', chosen);
      tab.tabIndex = chosen ? 0 : -1;
      root.querySelector('#' + tab.getAttribute('aria-controls')).hidden = !chosen;
    }
    film?.show(name === 'film'); // the desk measures its place, so this must be seen by now
    root.querySelector('#tagline').textContent = taglines[name];
    history.replaceState(null, '', name === 'photo' ? location.pathname + location.search : '#' + name);
    if (name !== 'live' && live.running) {
      live.stop();
      away = true;
    } else if (name === 'live' && away) {
      away = false;
      live.start();
    }
  }

  for (const tab of tabs) {
    tab.addEventListener('click', () => show(tab.id.slice(4)));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
      next.focus();
      show(next.id.slice(4));
    });
  }

  Object.assign(on, {
    live: (job, ...rest) => live[job](...rest),
    liveSetting: (name, value) => {
      live[name] = value;
      live.change();
    },
    snapshot: async (file, marks, vividness) => {
      show('photo');
      await photo.openWith(file, marks, vividness);
    },
  });
  photo.on.film = (file) => {
    if (!film) return photo.message(file.name + ' is a film. This page colours photographs and the camera.');
    show('film');
    film.open(file);
  };
  live.refresh();
  const wanted = location.hash.slice(1).replace(/^clip$/, 'film'); // its name was that once
  if (names.includes(wanted)) show(wanted);
  return { message: photo.message, again: photo.again };
}
