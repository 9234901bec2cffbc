"""The static site, written: page, worker, runtime, model, prints, icons and notices."""

import hashlib
import json
import tempfile
from pathlib import Path
from string import Template

from colorize_hub.atomic import write_atomically
from colorize_hub.errors import ModelError
from colorize_hub.export.web import MANIFEST, export_web
from colorize_hub.network.colornet import ColorNet
from colorize_hub.web.build import BUILT, RUNTIME, check_built
from colorize_hub.web.icons import SIDES, icon
from colorize_hub.web.page import live_html, page_html, photo_html, read_part
from colorize_hub.web.prints import EXAMPLES, EXAMPLES_FOLDER, example_path

# Nothing is asked of another host; blob: and data: are pictures that the page made itself.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
    "connect-src 'self' data: blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
SCRIPTS = (
    "page.js",
    *(f"photo/{name}.js" for name in ("stage", "panel", "desk", "marking", "whole")),
    *(f"live/{name}.js" for name in ("camera", "view", "live")),
    *("tabs.js", "web/device.js", "web/keep.js", "web/site.js"),
)
BENCH_SCRIPTS = ("page.js", "web/device.js", "web/keep.js", "web/bench.js")
STYLES = ("photo/desk.css", "live/live.css", "web/device.css", "web/site.css")
MODEL = "model"
BENCH = "bench"  # the page that measures a visitor's machine
_MANIFEST = f"{MODEL}/{MANIFEST}"
_LIST = "site.json"  # what an earlier call wrote, so that the next one can take it away
_FRAMES = "Frames are coloured on this device and go nowhere."


def write_site(network: ColorNet, folder: Path, model: str = "") -> Path:
    """Write the static site; any web server, at any path, then serves it.

    Files of an earlier site there are replaced; others stay.

    Args:
        network: colours every visitor's photographs, on the visitor's machine.
        folder: made if missing.
        model: what the page calls it; empty is "built-in".

    Returns:
        The page, index.html.

    Raises:
        ModelError: the folder is a file, or holds a page that is not ours.
        ModuleNotFoundError: the package `onnx` is missing.
        FileNotFoundError: the runtime is not built, see `check_built`.
    """
    check_built(BUILT)
    page = folder / "index.html"
    earlier = _earlier(folder)
    if folder.is_file() or (page.exists() and not earlier):
        raise ModelError(f"{folder} holds another page already; name another folder for the site.")
    files = site_files(network, model)
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)
    for name in earlier - files.keys():
        (folder / name).unlink(missing_ok=True)
    write_atomically(folder / _LIST, json.dumps(sorted(files), indent=1) + "\n")
    return page


def site_files(network: ColorNet, model: str = "") -> dict[str, bytes]:
    """Return the files of the static site by path, as `write_site` writes them."""
    with tempfile.TemporaryDirectory() as scratch:
        export_web(network, Path(scratch))
        graphs = {f"{MODEL}/{name}": content for name, content in _tree(Path(scratch)).items()}
    files = graphs | _tree(BUILT) | _page(network, model) | _prints()
    files |= {f"icons/{side}.png": icon(side) for side in SIDES} | _bench()
    files["NOTICES.md"] = _notices(model).encode()
    return files | {"service.js": _service_worker(files)}


def _earlier(folder: Path) -> set[str]:
    try:
        return set(json.loads((folder / _LIST).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return set()


def _tree(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _page(network: ColorNet, model: str) -> dict[str, bytes]:
    photo = photo_html(model or "built-in", "")
    live = live_html(network.config.vividness, _FRAMES)
    page = page_html({"photo": photo, "live": live}, read_part("web/device.html"))
    shell = Template(read_part("web/site.html")).substitute(policy=POLICY, page=page)
    prints = [
        {"stem": stem, "title": title, "url": f"prints/{stem}.jpg"}
        for stem, title in EXAMPLES.items()
    ]
    root = "document.querySelector('#page-root')"
    scripts = [read_part(name) for name in SCRIPTS]
    scripts.append(f"startSite({root}, {json.dumps(prints)});\n")
    return {
        "index.html": shell.encode(),
        "page.js": "\n".join(scripts).encode(),
        "page.css": "\n".join(map(read_part, STYLES)).encode(),
        "manifest.webmanifest": json.dumps(_manifest(), indent=1).encode(),
    }


def _bench() -> dict[str, bytes]:
    shell = Template(read_part("web/bench.html")).substitute(policy=POLICY)
    return {
        f"{BENCH}/web.html": shell.encode(),
        f"{BENCH}/web.js": "\n".join(map(read_part, BENCH_SCRIPTS)).encode(),
        f"{BENCH}/web.css": read_part("web/bench.css").encode(),
    }


def _manifest() -> dict[str, object]:
    icons = [
        {"src": f"icons/{side}.png", "sizes": f"{side}x{side}", "type": "image/png", "purpose": use}
        for side in SIDES
        for use in ("any", "maskable")
    ]
    return {
        "name": "Colorize",
        "short_name": "Colorize",
        "description": "Gives black-and-white photographs their colour, on this device.",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#fbfbfa",
        "theme_color": "#fbfbfa",
        "icons": icons,
    }


def _prints() -> dict[str, bytes]:
    prints = {f"prints/{stem}.jpg": example_path(stem).read_bytes() for stem in EXAMPLES}
    return prints | {"prints/CREDITS.md": (EXAMPLES_FOLDER / "CREDITS.md").read_bytes()}


def _notices(model: str) -> str:
    return Template(read_part("web/notices.md")).substitute(model=model or "the built-in model")


def _service_worker(files: dict[str, bytes]) -> bytes:
    """Return it with the list of what it keeps; of runtime and bench, what is asked for."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    graphs = {name for name in files if name.startswith(f"{MODEL}/")} - {_MANIFEST}
    kept = sorted(files.keys() - graphs)
    later = [name for name in kept if name.startswith((f"{RUNTIME}/", f"{BENCH}/"))]
    site = {
        "version": digest.hexdigest()[:16],
        "first": [name for name in kept if name not in later],
        "others": later,
        "policy": POLICY,
    }
    return f"const SITE = {json.dumps(site)};\n{read_part('web/service.js')}".encode()
