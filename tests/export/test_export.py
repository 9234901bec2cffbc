"""Exported graphs compute what the network computes, at any size, and their README is right."""

import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from colorize_hub.colour.lab import fit_gamut, lab_to_rgb, rgb_to_lab
from colorize_hub.colour.palette import decode_bins, palette
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.errors import ModelError
from colorize_hub.export.export import OPSET, export
from colorize_hub.hub.sources import CARD, CONFIG, GRAPHS
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from tests.colour.rounding import RGB
from tests.scenes import difference, scene


@pytest.fixture(scope="module")
def network(lively):
    """A network with timm's own padding."""
    config = ColorizerConfig(
        encoder="tf_efficientnet_lite0", decoder_channels=(16, 16, 8, 8), bin_step=20
    )
    return lively(ColorNet(config)).eval()


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    return export(network, tmp_path_factory.mktemp("exported") / "new" / "model")


@pytest.fixture(scope="module")
def sessions(folder):
    return {name: onnxruntime.InferenceSession(folder / file) for name, file in GRAPHS.items()}


@pytest.fixture
def run(sessions):
    def run(name, **inputs):
        return [torch.from_numpy(out) for out in sessions[name].run(None, _arrays(inputs))]

    return run


def _arrays(inputs):
    return {name: np.asarray(value) for name, value in inputs.items()}


def close(found, expected, atol=1e-3):
    torch.testing.assert_close(found, expected, atol=atol, rtol=1e-3)


@pytest.mark.parametrize("size", [(1, 64, 64), (2, 96, 160), (1, 32, 32), (1, 37, 91)])
@torch.no_grad()
def test_network_at_any_size(network, run, size):
    batch, height, width = size
    lightness = torch.rand(batch, 1, height, width) * 100
    features = network.encode(lightness)
    found = run("encoder", lightness=lightness)
    for one, other in zip(found, features, strict=True):
        close(one, other)
    rows, columns = features[0].shape[2:]
    hint_map = torch.zeros(batch, 3, rows, columns)
    maps = dict(zip(("f4", "f8", "f16", "f32"), found, strict=True))
    (last,) = run("decoder", **maps, hint_map=hint_map)
    logits, found = run("head", maps=last)
    close(found, torch.ones(batch, 1, 1, 1))
    close(logits, network.decode(features))
    hint_map[:, :, rows // 2, columns // 3] = torch.tensor([60.0, -20.0, 1.0])
    (last,) = run("decoder", **maps, hint_map=hint_map)
    hinted, _ = run("head", maps=last)
    close(hinted, network.decode(features, hint_map))
    assert (hinted - logits).abs().max() > 0.1


@pytest.mark.parametrize("vividness", [0, 0.3, 0.5, 0.65, 1])
def test_colours(network, run, vividness):
    logits = torch.randn(2, len(palette(20)), 5, 7) * 3
    scalars = {"vividness": np.float32(vividness), "chroma_scale": np.float32(1.3)}
    (found,) = run("colours", logits=logits, **scalars)
    close(found, decode_bins(logits, 20, vividness, 1.3))


@pytest.mark.parametrize("size", [(50, 70), (7, 5), (1, 33)])
def test_render(run, size):
    # Where it is almost black, the root that both look for is hardly defined.
    lightness, ab = torch.rand(1, 1, *size) * 90 + 10, torch.randn(1, 2, 9, 12) * 60
    large = F.interpolate(ab, size=size, mode="bicubic")
    expected = lab_to_rgb(torch.cat((lightness, fit_gamut(lightness, large)), 1))
    (rgb,) = run("render", lightness=lightness, ab=ab)
    close(rgb, expected, atol=5e-3)
    assert (large - fit_gamut(lightness, large)).abs().max() > 10, "some of it was out of gamut"
    close(rgb_to_lab(rgb)[:, :1], lightness, atol=0.05)


def test_render_in_gamut_and_in_strips(run):
    lightness, ab = torch.rand(1, 1, 40, 30) * 60 + 20, torch.randn(1, 2, 8, 8)
    (whole,) = run("render", lightness=lightness, ab=ab)
    parts = [
        run("render", lightness=lightness[:, :, rows], ab=ab, strip=np.array([rows.start, 40]))[0]
        for rows in (slice(0, 13), slice(13, 39), slice(39, 40))
    ]
    torch.testing.assert_close(torch.cat(parts, 2), whole, atol=RGB, rtol=0)


def test_lab(run):
    rgb = torch.rand(2, 3, 8, 9)
    close(torch.cat(run("lab", rgb=rgb), 1), rgb_to_lab(rgb))


def test_files(folder, sessions):
    assert {path.name for path in folder.iterdir()} == {*GRAPHS.values(), CONFIG, CARD}
    for file in GRAPHS.values():
        model = onnx.load(folder / file)
        onnx.checker.check_model(model)
        assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    card = (folder / CARD).read_text()
    assert f"Opset {OPSET}" in card
    for session in sessions.values():
        for value in (*session.get_inputs(), *session.get_outputs()):
            assert f"`{value.name}`" in card


def test_other_encoders_and_what_is_exported_stays_as_it_is(tiny_network, tmp_path):
    before = {name: value.clone() for name, value in tiny_network.state_dict().items()}
    kinds = [type(module) for module in tiny_network.modules()]
    folder = export(tiny_network, tmp_path)
    assert all(torch.equal(value, before[n]) for n, value in tiny_network.state_dict().items())
    assert kinds == [type(module) for module in tiny_network.modules()]
    lightness = torch.rand(1, 1, 64, 96) * 100
    session = onnxruntime.InferenceSession(folder / GRAPHS["encoder"])
    found = session.run(None, {"lightness": lightness.numpy()})
    with torch.no_grad():
        for one, other in zip(found, tiny_network.encode(lightness), strict=True):
            close(torch.from_numpy(one), other)


def test_a_file_in_place_of_the_folder(tiny_network, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"export writes a folder, but .* is a file"):
        export(tiny_network, tmp_path / "file")


def test_the_python_of_the_readme(network, folder, monkeypatch):
    """What it writes is what the library makes of the same picture."""
    with_package, without = re.findall(
        r"```python\n(.*?)```", (folder / CARD).read_text(), re.DOTALL
    )
    picture = scene(64, 64, 3)
    expected = Colorizer(TorchEngine(network, "cpu", torch.float32)).colorize(picture)
    for code, place in ((with_package, folder.parent), (without, folder)):
        monkeypatch.chdir(place)
        Image.fromarray(picture).save("old.jpg", format="PNG")
        exec(code, {})
        assert difference(Image.open("old-color.png"), expected).max() <= 2
        for name in ("old.jpg", "old-color.png"):
            (place / name).unlink()
