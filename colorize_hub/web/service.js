// The service worker of the static site. It keeps the site's files, so that the next visit needs no network,
// and says with each answer that the page stands alone, without which there are no threads.
//
// SITE = { version, first: files to keep at once, others: files to keep when they are asked for, policy }.
// The model's files are kept by the worker that colours, which checks them.

const SCOPE = self.registration.scope;
const NAME = 'colorize ' + SCOPE + ' ';
const PATHS = new Set([...SITE.first, ...SITE.others]);

self.addEventListener('install', (event) => event.waitUntil(keep()));
self.addEventListener('activate', (event) => event.waitUntil(tidy()));
self.addEventListener('message', ({ data }) => data === 'claim' && self.clients.claim());
self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(SCOPE)) event.respondWith(answer(event));
});

async function keep() {
  const cache = await caches.open(NAME + SITE.version);
  await cache.addAll(SITE.first.map((path) => new Request(path, { cache: 'no-cache' })));
}

async function tidy() {
  const old = (await caches.keys()).filter((name) => name.startsWith(NAME) && name !== NAME + SITE.version);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(event) {
  const { origin, pathname } = new URL(event.request.url);
  const path = decodeURIComponent((origin + pathname).slice(SCOPE.length)) || 'index.html';
  if (!PATHS.has(path)) return alone(await fetch(event.request));
  const cache = await caches.open(NAME + SITE.version);
  const kept = await cache.match(path);
  if (kept) return alone(kept);
  const fresh = await fetch(path, { cache: 'no-cache' });
  if (fresh.ok) event.waitUntil(cache.put(path, fresh.clone()).catch(() => {})); // no room: next time again
  return alone(fresh);
}

function alone(response) {
  if (!response.status || response.status === 304) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'cross-origin');
  headers.set('Content-Security-Policy', SITE.policy); // a worker takes it from its own file's answer
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
