// Starts the static site: has its files kept for the next visit, then opens the page over the worker.

const LONGEST_WAIT_MS = 10000; // for the service worker; on a slow line the page goes on without it

// Until the service worker answers for this page: what is fetched from then on is kept. Threads need a page
// that stands alone; where the host cannot say so, the service worker does, from the next load on.
async function keepFiles() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    const registration = await workers.register('service.js');
    if (!workers.controller) await controlled(workers, registration);
  } catch {
    return; // a private window, a full disk: the page works, and needs the network next time
  }
  if (crossOriginIsolated || !workers.controller || sessionStorage.getItem('colorize-alone')) return;
  sessionStorage.setItem('colorize-alone', 'asked'); // once only: some browsers cannot
  location.reload();
  await new Promise(() => {});
}

function controlled(workers, registration) {
  return new Promise((done, failed) => {
    workers.addEventListener('controllerchange', done, { once: true });
    registration.active?.postMessage('claim'); // after a reload that passed it by
    registration.installing?.addEventListener('statechange', ({ target }) => target.state === 'redundant' && failed());
    setTimeout(done, LONGEST_WAIT_MS);
  });
}

async function startSite(root, examples) {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paint = () => document.body.classList.toggle('dark', dark.matches);
  dark.addEventListener('change', paint);
  paint();
  await keepFiles();
  root.querySelector('#more summary').textContent = 'Hints';
  const status = makeDeviceStatus(root);
  const device = makeDevice(addressesBelow(document.baseURI), status);
  const page = startPage(root, device, examples);
  status.note = (words) => page.message(words, 'note');
}
