// Files of the model: fetched with progress, checked, and kept by the browser under their content's hash.

const CACHE = 'colorize model';

// Fetches an address; `heard(bytes)` while they come.
async function fetchBytes(url, heard) {
  let answer;
  try {
    answer = await fetch(url);
  } catch {
    throw new Error('Part of the colouring could not be fetched (' + nameOf(url) + '). Is the network off? Try again.');
  }
  if (!answer.ok) throw new Error('Part of the colouring could not be fetched (' + nameOf(url) + ': ' + answer.status + '). Try again.');
  const parts = [];
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    heard(value.length);
  }
  return new Blob(parts).arrayBuffer();
}

const nameOf = (url) => new URL(url).pathname.split('/').pop();

async function isIntact(bytes, { sha256, bytes: size }) {
  if (bytes.byteLength !== size) return false;
  if (!self.crypto?.subtle) return true; // a page without https cannot compute it
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return sha256 === Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// A file of the manifest, decompressed. `on.heard(bytes)` and, where it cannot be kept, `on.note(sentence)`.
export async function modelFile(url, entry, on) {
  const cache = await self.caches?.open(CACHE).catch(() => null);
  const kept = await cache?.match(url).catch(() => null);
  if (kept) {
    const bytes = await kept.arrayBuffer();
    if (await isIntact(bytes, entry)) {
      on.heard(bytes.byteLength);
      return gunzip(bytes);
    }
    await cache.delete(url);
  }
  const bytes = await fetchBytes(url, on.heard);
  if (!(await isIntact(bytes, entry))) {
    throw new Error('A file of the model arrived damaged (' + nameOf(url) + '). Load the page again.');
  }
  try {
    await cache?.put(url, new Response(bytes));
  } catch {
    on.note('The browser has no room to keep the model, so the next visit needs the network again.');
  }
  return gunzip(bytes);
}

// A small text of the site, of which a copy is kept for when there is no network; null where there is none.
export async function keptText(url) {
  const cache = await self.caches?.open(CACHE).catch(() => null);
  const answer = await fetch(url).catch(() => null);
  if (answer?.ok) {
    await cache?.put(url, answer.clone()).catch(() => {});
    return answer.text();
  }
  return (await cache?.match(url).catch(() => null))?.text() ?? null;
}

// Forgets kept files of other models.
export async function tidy(urls) {
  const cache = await self.caches?.open(CACHE).catch(() => null);
  const wanted = new Set(urls);
  for (const { url } of (await cache?.keys().catch(() => [])) ?? []) {
    if (!wanted.has(url)) await cache.delete(url);
  }
}

export async function compressedFile(url, heard) {
  return gunzip(await fetchBytes(url, heard));
}

async function gunzip(bytes) {
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes; // a host that unpacks what it sends
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(plain).arrayBuffer();
}
