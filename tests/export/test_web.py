"""The graphs of the page that needs no server give the colours that the library gives."""

import gzip
import hashlib
import json

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize_hub.demo.photo.reference import apply_palette, before_palette, match_palette
from colorize_hub.engines.compose import recolor_pixels, reduced_lightness
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.errors import ModelError
from colorize_hub.export.web import MANIFEST, export_web
from colorize_hub.hints.hint import Hint, draw_hints
from colorize_hub.hints.kriging import _anchors, attention_step
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.working import overview_shape, working_shape
from tests.scenes import scene

MOST_APART = 0.3  # mean CIEDE2000 between the page and the library


@pytest.fixture(scope="module")
def folder(trained_network, tmp_path_factory):
    return export_web(trained_network, tmp_path_factory.mktemp("web") / "new" / "model").parent


@pytest.fixture(scope="module")
def facts(folder):
    return json.loads((folder / MANIFEST).read_text())


@pytest.fixture(scope="module")
def run(folder, facts):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        name: onnxruntime.InferenceSession(
            gzip.decompress((folder / one["file"]).read_bytes()), options
        )
        for name, one in facts["graphs"].items()
    }

    def run(name, **inputs):
        found = sessions[name].run(None, inputs)
        return found if len(found) > 1 else found[0]

    return run


@pytest.fixture(scope="module")
def colorizer(trained_network):
    return Colorizer(TorchEngine(trained_network, "cpu", torch.float32))


class Page:
    """What web/src/canvas.js does, on arrays: see there."""

    def __init__(self, run, config, pixels, strip=37, many=False):
        self.run, self.config, self.pixels, self.strip = run, config, pixels, strip
        self.many = many
        height, width = pixels.shape[:2]
        shape = working_shape(height, width, config["size"])
        narrow = np.zeros((1, 1, shape[0], width), np.float32)
        scale = height / shape[0]
        for top in range(0, height, strip):
            part = pixels[top : top + strip]
            first = max(0, int((top - max(scale, 1)) / scale) - 1)
            last = min(shape[0], int((top + len(part) + max(scale, 1)) / scale) + 1)
            place = np.array([top, height, shape[0], first, last - first])
            light = run("light", pixels=part)
            narrow[0, 0, first:last] += run("reduce", light=light, place=place)
        self.lightness = run("resize", planes=narrow, size=np.array(shape))
        detail = run("see", lightness=self.lightness)
        small = overview_shape(*shape, config["overview"])
        overview = detail
        if small:
            seen = run("resize", planes=self.lightness, size=np.array(small))
            overview = run("see", lightness=seen)
        look = run("look", detail=detail, overview=overview)
        self.maps, self.logits, self.strength = look

    def ab(self, hints=(), vividness=None):
        own = self.decoded(vividness, self.strength.item() * self.config["chroma_scale"])
        if not hints:
            return own
        grid = own.shape[2:]
        hint_map = draw_hints(hints, self.pixels.shape[:2], grid)[0]
        anchors = _anchors(hint_map[2])
        cells = dict(
            zip(
                ("place", "roots", "seen"),
                self.run("cells", logits=self.logits, maps=self.maps, lightness=self.lightness),
                strict=True,
            )
        )
        system = self.run("relate", **cells, anchors=anchors)
        asked = cells | {
            "own": self.decoded(vividness, self.strength.item()),
            "anchors": anchors,
            "wanted": hint_map[:2].reshape(2, -1)[:, anchors],
            "solver": np.linalg.inv(system.astype(np.float64)).astype(np.float32),
        }
        at = np.arange(grid[0] * grid[1])
        ab, trust = self.run("krige", **asked, at=at)
        ab = ab.T.reshape(2, *grid) + self.corrections(asked, at.reshape(grid), trust)
        return np.where(hint_map[2] > 0, hint_map[:2], ab)[None]

    def corrections(self, asked, cells, trust):
        """(2, h, w) by attention, of the cells that it is asked for."""
        apart = attention_step(*cells.shape)
        some = cells[apart // 2 :: apart, apart // 2 :: apart]
        coarse = np.zeros((some.size, 2), np.float32)
        sure = np.flatnonzero(trust[some.ravel()] > 1 / 256)
        name = "attend" if self.many else "attend_few"
        coarse[sure] = self.run(name, **asked, at=some.ravel()[sure])
        planes = coarse.T.reshape(1, 2, *some.shape)
        if apart == 1:
            return planes[0]
        return self.run("resize", planes=planes, size=np.array(cells.shape))[0]

    def decoded(self, vividness, scale):
        vividness = self.config["vividness"] if vividness is None else vividness
        scalars = {"vividness": np.array(vividness, "f4"), "chroma_scale": np.array(scale, "f4")}
        return self.run("colors", logits=self.logits, **scalars)

    def render(self, hints=(), vividness=None):
        ab, height = self.ab(hints, vividness), len(self.pixels)
        parts = [
            self.run(
                "paint",
                light=self.run("light", pixels=self.pixels[top : top + self.strip]),
                ab=ab,
                place=np.array([top, height]),
            )
            for top in range(0, height, self.strip)
        ]
        return np.concatenate(parts)[..., :3]


def grey_bytes(grey):
    """(H, W, 4) of a grey photograph as a canvas gives it."""
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def apart(one, other):
    return deltaE_ciede2000(rgb2lab(one), rgb2lab(other)).mean()


HINTS = [Hint(30, 40, (200, 40, 60), 9), Hint(50, 90, (40, 90, 200))]


@pytest.mark.parametrize(
    ("size", "count", "vividness"),
    [((150, 210), 0, None), ((150, 210), 2, 0.3), ((96, 300), 1, None), ((300, 60), 0, 0.3)],
)
def test_the_page_gives_the_colours_of_the_library(run, facts, colorizer, size, count, vividness):
    pixels, hints = grey_bytes(scene(*size, seed=3)), HINTS[:count]
    expected = colorizer.canvas(pixels[..., :3]).render(hints, vividness)
    found = Page(run, facts["config"], pixels).render(hints, vividness)
    assert apart(found, expected) < MOST_APART


@pytest.mark.parametrize("many", [False, True])
def test_attention_is_the_same_for_few_hints_and_for_many(run, facts, colorizer, many):
    assert facts["few_hints"] >= len(HINTS)
    pixels = grey_bytes(scene(150, 210, seed=4))
    expected = colorizer.canvas(pixels[..., :3]).render(HINTS)
    assert apart(Page(run, facts["config"], pixels, many=many).render(HINTS), expected) < MOST_APART


def test_lightness_in_strips_is_that_of_the_library(run, facts):
    pixels = np.random.default_rng(0).integers(0, 256, (123, 77, 4), np.uint8)
    found = Page(run, facts["config"], pixels, strip=10).lightness
    expected = reduced_lightness(pixels[..., :3], found.shape[2:])
    np.testing.assert_allclose(found[0], expected, atol=0.01)


def test_pixels_are_those_of_the_library_wherever_the_colour_lies(run):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 4), np.uint8)
    ab = np.random.default_rng(1).normal(0, 45, (1, 2, 7, 9)).astype(np.float32)
    parts = [
        run(
            "paint",
            light=run("light", pixels=pixels[rows]),
            ab=ab,
            place=np.array([rows.start, 64]),
        )
        for rows in (slice(0, 5), slice(5, 64))
    ]
    found = np.concatenate(parts)
    apart = np.abs(found[..., :3].astype(int) - recolor_pixels(pixels[..., :3], ab[0]))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.01
    assert (found[..., 3] == 255).all(), "opaque"


def test_many_hinted_pixels_need_little_memory(run):
    """As many as a wide brush fixes in a scan."""
    pixels = np.full((1, 60_000, 4), 128, np.uint8)
    ab = np.full((2, 1, 60_000), 20, np.float32)
    found = run("spots", pixels=pixels, ab=ab)
    expected = recolor_pixels(pixels[:, :1, :3], ab[:, :, :1])
    assert (found[..., :3] == expected).all()


def test_the_manifest_lists_whole_files_named_by_their_content(folder, facts, trained_network):
    assert facts["config"] == trained_network.config.to_dict()
    names = {MANIFEST, *(one["file"] for one in facts["graphs"].values())}
    assert {path.name for path in folder.iterdir()} == names
    assert {name for name, one in facts["graphs"].items() if one["halved"]} >= {"see", "attend"}
    for name, one in facts["graphs"].items():
        content = (folder / one["file"]).read_bytes()
        assert len(content) == one["bytes"]
        assert hashlib.sha256(content).hexdigest() == one["sha256"]
        assert one["file"] == f"{name}-{one['sha256'][:16]}.onnx.gz"
    assert sum(one["bytes"] for one in facts["graphs"].values()) < 12_000_000


@pytest.mark.slow
def test_a_model_without_attention_has_no_graph_of_it(tiny_network, tmp_path):
    manifest = export_web(tiny_network, tmp_path)
    assert "attend" not in json.loads(manifest.read_text())["graphs"]


def test_a_file_in_place_of_the_folder(tiny_network, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"export writes a folder, but .* is a file"):
        export_web(tiny_network, tmp_path / "file")


def test_likely_colours_are_those_of_the_library(run, facts, colorizer):
    pixels = grey_bytes(scene(96, 128, seed=3))
    page = Page(run, facts["config"], pixels)
    rows, columns = page.logits.shape[2:]
    cell = np.array([20 * rows // 96, 70 * columns // 128])
    here = run("pick", logits=page.logits, cell=cell)
    rgb, share = run("suggest", logits=here, pixel=pixels[20:21, 70:71])
    found = sorted(zip(share.tolist(), rgb[0].astype(int).tolist(), strict=True), reverse=True)
    expected = colorizer.canvas(pixels[..., :3]).suggest(70, 20)
    for (mass, levels), (wanted, other) in zip(found, expected, strict=False):
        assert mass == pytest.approx(other, abs=0.01)
        np.testing.assert_allclose(levels, wanted, atol=2)


@pytest.mark.parametrize("take", [0, 7, 1023])
def test_takes_are_those_of_the_library(run, facts, colorizer, take):
    pixels = grey_bytes(scene(96, 128, seed=3))
    page = Page(run, facts["config"], pixels)
    page.logits = run("tilt", logits=page.logits, take=np.array([take]))
    (expected,) = colorizer.canvas(pixels[..., :3]).variations(1, take)
    assert apart(page.render(), expected) < MOST_APART
    assert take < facts["takes"]


def test_certainty_is_that_of_the_library(run, facts, colorizer):
    pixels = grey_bytes(scene(96, 128, seed=3))
    logits = Page(run, facts["config"], pixels).logits
    sure = run("certainty", logits=logits, size=np.array([96, 128]))
    expected = colorizer.canvas(pixels[..., :3]).confidence()
    np.testing.assert_allclose(sure[0, 0], expected, atol=5e-3)


def test_a_palette_is_carried_over_as_by_the_desk(run):
    rng = np.random.default_rng(0)
    here, there = (rng.integers(0, 256, (side, 90, 4), np.uint8) for side in (60, 70))
    here[..., 3] = 255
    images = [Image.fromarray(one[..., :3].copy()) for one in (here, there)]
    nodes = run("match", here=here, there=there)
    np.testing.assert_allclose(nodes, match_palette(*images), atol=0.02)
    nodes = np.array([[20, 1.2, 1, 10, 0], [80, 1, 1.1, 0, 20]], np.float32)
    found = run("transfer", pixels=here, nodes=nodes)
    expected = np.asarray(apply_palette(images[0], [tuple(one) for one in nodes.tolist()]))
    assert np.abs(found[..., :3].astype(int) - expected).max() <= 1
    hint, grey = ((200, 60, 40), (120, 120, 120))
    row = [np.array([[[*one, 255]]], np.uint8) for one in (hint, grey)]
    before = run("before_transfer", wanted=row[0], grey=row[1], nodes=nodes)
    wanted = before_palette(hint, grey, [tuple(one) for one in nodes.tolist()])
    np.testing.assert_allclose(before[0, 0].astype(int), wanted, atol=1)
