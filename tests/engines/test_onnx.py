"""A model in ONNX colours as the same model in torch does, and never imports torch."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from colorize_hub import Hint, load
from colorize_hub.engines.onnx_engine import OnnxEngine
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.export.export import export
from colorize_hub.hub.sources import GRAPHS, WEIGHTS
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import save
from tests.scenes import difference, scene

HINTS = [Hint(40, 30, (200, 40, 40), radius=6), Hint(100, 60, (40, 80, 200))]


@pytest.fixture(scope="session")
def exported(trained_network, tmp_path_factory):
    return export(trained_network, tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="session")
def pair(exported, trained_network):
    """The same model in ONNX and in torch."""
    return load(exported, backend="onnx"), Colorizer(
        TorchEngine(trained_network, "cpu", torch.float32)
    )


def alike(one, other, most=1):
    """At most one level apart, rounding, and hardly anywhere."""
    apart = difference(one, other)
    assert apart.shape == np.asarray(other).shape
    assert apart.max() <= most
    assert apart.mean() < 0.02


# --- the same colours --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "picture", [scene(120, 160), scene(90, 77, 3), scene(33, 300), scene(64, 64, 1, np.uint16)]
)
def test_pictures(pair, picture):
    ours, theirs = (colorizer.colorize(picture) for colorizer in pair)
    assert ours.dtype == theirs.dtype
    alike(ours, theirs, most=257 if picture.dtype == np.uint16 else 1)


def test_hints(pair):
    picture = scene(120, 160)
    ours, theirs = (colorizer.colorize(picture, hints=HINTS) for colorizer in pair)
    alike(ours, theirs)
    assert difference(ours, pair[0].colorize(picture)).mean() > 1


def test_vividness_and_size(pair):
    picture = scene(120, 160)
    ours, theirs = (c.colorize(picture, vividness=0.9, size=96) for c in pair)
    alike(ours, theirs)


def test_what_comes_in_decides_what_comes_out(pair, tmp_path):
    colorizer = pair[0]
    with_alpha = np.dstack([scene(40, 60, 3), scene(40, 60, seed=1)])
    coloured = colorizer.colorize(with_alpha)
    assert np.array_equal(coloured[..., 3], with_alpha[..., 3])
    Image.fromarray(scene(40, 60)).save(tmp_path / "old.png")
    assert colorizer.colorize(tmp_path / "old.png").size == (60, 40)


def test_a_list_is_each_picture_alone(pair):
    pictures = [scene(60, 80), scene(70, 50), scene(60, 80, seed=2)]
    together = pair[0].colorize(pictures)
    for picture, coloured in zip(pictures, together, strict=True):
        alike(coloured, pair[0].colorize(picture))


def test_canvas(pair):
    picture = scene(120, 160)
    ours, theirs = (colorizer.canvas(picture) for colorizer in pair)
    assert (ours.width, ours.height) == (160, 120)
    np.testing.assert_allclose(ours.confidence(), theirs.confidence(), atol=1e-3)
    np.testing.assert_allclose(ours.logits(HINTS), theirs.logits(HINTS), atol=1e-2)
    for one, other in zip(ours.suggest(50, 60), theirs.suggest(50, 60), strict=True):
        assert np.abs(np.subtract(one[0], other[0])).max() <= 1
        assert one[1] == pytest.approx(other[1], abs=1e-3)


@pytest.mark.parametrize("hints", [(), HINTS])
def test_variations(pair, hints):
    picture = scene(120, 160)
    ours, theirs = (c.canvas(picture).variations(2, seed=3, hints=hints) for c in pair)
    for one, other in zip(ours, theirs, strict=True):
        alike(one, other)
    assert difference(ours[0], ours[1]).max() > 5
    with pytest.raises(ValueError, match="seed must be a whole number from 0"):
        pair[0].canvas(picture).variations(seed=-1)


@pytest.mark.parametrize("size", [(64, 96), (37, 91)])
def test_predict_ab(pair, size):
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 1, *size)).astype(np.float32)
    hint_map = np.zeros((2, 3, -(-size[0] // 4), -(-size[1] // 4)), np.float32)
    hint_map[1, :, 4, 5] = 30, -40, 1
    ours, theirs = pair
    for hints in (None, hint_map):
        drawn = None if hints is None else torch.from_numpy(hints)
        expected = theirs.predict_ab(torch.from_numpy(lightness), drawn)
        np.testing.assert_allclose(ours.predict_ab(lightness, hints), expected, atol=0.02)


# --- without torch -----------------------------------------------------------------------------


def test_torch_is_not_imported(exported, tmp_path):
    """Where an import of torch fails, everything works."""
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "timm", "torchvision", "safetensors"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
import numpy as np
from PIL import Image
from colorize_hub import Hint, load
from colorize_hub.cli import main
colorizer = load({str(exported)!r}, backend="onnx")
picture = np.tile(np.arange(96, dtype=np.uint8), (64, 1))
hints = [Hint(20, 30, (200, 30, 30), radius=3)]
canvas = colorizer.canvas(picture)
print(colorizer.colorize(picture).std(), canvas.render(hints).std(), len(canvas.suggest(9, 9)))
print(canvas.confidence().mean(), colorizer.predict_ab(np.full((1, 1, 64, 64), 50.0)).shape)
print(len(canvas.variations(2)), len(colorizer.colorize([picture, picture])))
frames = list(colorizer.colorize_frames([picture] * 3, smoothing=0.8, look_ahead=1, workers=2))
assert [frame.shape for frame in frames] == [(64, 96, 3)] * 3
Image.fromarray(picture).save({str(tmp_path / "old.png")!r})
sys.argv = ["colorize-hub", "photo", {str(tmp_path / "old.png")!r}, "--model", {str(exported)!r}]
main()
assert "torch" not in sys.modules
try:
    load()
except ModuleNotFoundError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "old-color.png").mode == "RGB"
    assert "needs torch, which is not installed" in result.stdout


def test_an_exported_folder_needs_no_argument(exported, trained_network, tmp_path):
    assert isinstance(load(exported).engine, OnnxEngine)
    shutil.copytree(exported, save(trained_network, tmp_path), dirs_exist_ok=True)
    assert isinstance(load(tmp_path, device="cpu").engine, TorchEngine)
    assert isinstance(load(tmp_path, backend="onnx").engine, OnnxEngine)


# --- errors ------------------------------------------------------------------------------------


def test_a_model_that_was_not_exported(trained_network, tmp_path):
    with pytest.raises(ModelNotFoundError, match=r"has no encoder\.onnx.*colorize-hub export"):
        load(save(trained_network, tmp_path), backend="onnx")


def test_a_model_that_an_older_version_exported(exported, tmp_path):
    """Its decoder answered with logits; there was no head."""
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    (tmp_path / GRAPHS["head"]).unlink()
    with pytest.raises(ModelNotFoundError, match=r"has no head\.onnx.*colorize-hub export"):
        load(tmp_path)


@pytest.mark.parametrize("file", [GRAPHS["decoder"], GRAPHS["encoder"]])
def test_a_damaged_graph(exported, tmp_path, file):
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    (tmp_path / file).write_bytes((exported / file).read_bytes()[:1000])
    with pytest.raises(ModelError, match=f"{file} of .* cannot be used: .*Export it again"):
        load(tmp_path)


def test_wrong_arguments(exported, pair):
    with pytest.raises(ValueError, match=r'backend must be "torch" or "onnx", got \'jax\''):
        load(exported, backend="jax")
    with pytest.raises(ValueError, match='backend "onnx" computes on the CPU, got device'):
        load(exported, device="cuda")
    with pytest.raises(ModelNotFoundError, match=f"has no file {WEIGHTS}"):
        load(exported, backend="torch")
    colorizer, picture = pair[0], scene(40, 40)
    for arguments in ({"vividness": 2}, {"size": 8}, {"hints": [Hint(90, 9, (1, 2, 3))]}):
        with pytest.raises(ValueError, match=r"must be|outside the picture"):
            colorizer.colorize(picture, **arguments)
    with pytest.raises(ValueError, match="one by one"):
        colorizer.colorize([picture], hints=[Hint(1, 1, (1, 2, 3))])
    with pytest.raises(ValueError, match=r"shape \(B, 1, H, W\)"):
        colorizer.predict_ab(np.zeros((1, 3, 8, 8)))
