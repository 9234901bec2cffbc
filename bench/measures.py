"""What is measured: the network, a click at the desk, a large photograph, conversion, start-up."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from bench.clock import Row, Work, compare, fresh_python
from colorize_hub import Colorizer, Hint
from colorize_hub.batch.files import colorize_file
from colorize_hub.colour.lab import lab_to_rgb, rgb_to_lab
from colorize_hub.engines.fused import fuse
from colorize_hub.network.colornet import ColorNet, fast_dtype, for_inference
from colorize_hub.network.look import Look
from colorize_hub.web.prints import EXAMPLES, example_path

SIDE = 256


def network_rows(network: ColorNet, turns: int) -> Iterator[Row]:
    """Time the network at 256 x 256: the copy made for speed beside the trained one."""
    plain, fast = network.eval(), fuse(for_inference(network))
    yield from _network_rows("fp32", fast, "as trained", plain, turns)
    dtype = fast_dtype(torch.device("cpu"))
    if dtype != torch.float32:
        yield from _network_rows("bf16", fuse(for_inference(network, dtype)), "fp32", fast, turns)


@torch.inference_mode()
def _network_rows(
    name: str, network: ColorNet, other_name: str, other: ColorNet, turns: int
) -> Iterator[Row]:
    work, other_work = _parts(network), _parts(other)
    for part in work:
        yield from compare({f"{part}, {name}": work[part]}, other_name, other_work[part], turns)


def _parts(network: ColorNet) -> dict[str, Work]:
    grey = torch.full((1, 1, SIDE, SIDE), 50.0)
    return {
        "encode": partial(network.encode, grey),
        "decode": partial(network.decode, network.encode(grey)),
        "encode + decode, and the overview": partial(Look, network, grey),
    }


def click_rows(colorizer: Colorizer, turns: int) -> Iterator[Row]:
    """Click to colour, server side: a print of the page, encoded before, with a hint to pixels."""
    photo = Image.open(example_path(next(iter(EXAMPLES))))
    hints = [Hint(photo.width / 3, photo.height * 0.7, (200, 40, 40))]
    for size in (256, 512):
        click = partial(colorizer.canvas(photo, size).render, hints)
        afresh = partial(colorizer.colorize, photo, size=size)
        name = f"click to colour, working at {size} px"
        yield from compare({name: click}, "colorize from scratch", afresh, turns)


def photograph_rows(
    colorizer: Colorizer, folder: Path, megapixels: float, turns: int
) -> Iterator[Row]:
    """Time a JPEG to a JPEG in colour, beside Pillow decoding it and encoding the coloured one.

    A grainy print and a smooth one, as a scanner or a program saved them: one channel, or three
    equal ones.
    """
    grainy = make_photograph(megapixels)
    print_ = Image.open(example_path(next(iter(EXAMPLES)))).convert("L")
    smooth = print_.resize(grainy.size, Image.Resampling.BICUBIC)
    for name, photo in (("grainy", grainy), ("smooth", smooth)):
        for mode in ("L", "RGB"):
            kind = f"{megapixels:g}-megapixel JPEG to JPEG, {name}, {mode}"
            yield from _photograph_rows(colorizer, folder, photo.convert(mode), kind, turns)


def _photograph_rows(
    colorizer: Colorizer, folder: Path, photo: Image.Image, name: str, turns: int
) -> list[Row]:
    source, target, other = (folder / f"{stem}.jpg" for stem in ("large", "coloured", "copy"))
    photo.save(source, quality=95)
    colour = partial(colorize_file, colorizer, source, target)
    colour()
    coloured = Image.open(target).convert("RGB")

    def copy() -> None:
        Image.open(source).load()
        coloured.save(other, quality=95, subsampling="4:4:4")

    return compare({name: colour}, "Pillow, decode and encode", copy, turns)


def conversion_rows(megapixels: float, turns: int) -> list[Row]:
    """Time sRGB to Lab and back beside scikit-image, both in float32."""
    pixels = np.asarray(make_photograph(megapixels).convert("RGB"), np.float32) / 255
    rgb = torch.from_numpy(pixels).movedim(-1, 0).contiguous()
    name = f"{megapixels:g} megapixels to Lab and back"
    works = {name: lambda: lab_to_rgb(rgb_to_lab(rgb))}
    return compare(works, "scikit-image", lambda: lab2rgb(rgb2lab(pixels)), turns)


def start_rows(model: Path, folder: Path, turns: int) -> list[Row]:
    """Fresh processes, beside one that only imports torch."""
    make_photograph(0.3).save(folder / "small.png")
    public = "from colorize_hub import Canvas, Colorizer, Hint, load"
    photo = ("photo", str(folder / "small.png"), "--model", str(model), "--overwrite")
    works = {
        "import colorize_hub, all of it": fresh_python("-c", public),
        "import and load()": fresh_python("-c", f"{public}; load({str(model)!r})"),
        "colorize-hub photo, 0.3 megapixels": fresh_python("-m", "colorize_hub", *photo),
    }
    return compare(works, "import torch", fresh_python("-c", "import torch"), turns)


def make_photograph(megapixels: float) -> Image.Image:
    """Return a grey 4:3 picture with the smooth gradients and the grain of a scanned print."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = height * 4 // 3
    rng = np.random.default_rng(0)
    soft = Image.fromarray(rng.uniform(0, 200, (12, 16)).astype(np.float32))
    smooth = np.asarray(soft.resize((width, height), Image.Resampling.BICUBIC))
    slope = np.linspace(0, 40, width, dtype=np.float32)
    grain = rng.normal(0, 3, (height, width)).astype(np.float32)
    return Image.fromarray((smooth + slope + grain).clip(0, 255).astype(np.uint8))
