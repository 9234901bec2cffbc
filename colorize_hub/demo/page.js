// What several parts of the page need, whatever their back end is.

async function dataUrl(blob) {
  const reader = new FileReader();
  reader.readAsDataURL(blob);
  await new Promise((done) => (reader.onloadend = done));
  return reader.result;
}

function saveAs(url, name) {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

// Runs so many jobs at a time; of those asked for meanwhile, only the last.
function latestOnly(job, atOnce = 1) {
  let running = 0;
  let waiting = false;
  return async function run() {
    waiting = running >= atOnce;
    if (waiting) return;
    running++;
    try {
      await job();
    } finally {
      running--;
      if (waiting) run();
    }
  };
}
