// Has the site's files kept for the next visit, and the page made to stand alone.

const LONGEST_WAIT_MS = 10000; // for the service worker; on a slow line the page goes on without it

// Until the service worker answers for this page: what is fetched from then on is kept. Threads need a page
// that stands alone; where the host cannot say so, the service worker does, from the next load on.
async function keepFiles(base = document.baseURI) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    const registration = await workers.register(new URL('service.js', base));
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
