// Starts the static site: has its files kept for the next visit, then opens the page over the worker.

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
