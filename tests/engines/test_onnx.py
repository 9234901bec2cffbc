"""A model in ONNX never imports torch. That it colours as torch does: test_every_engine.py."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from colorize_hub import Hint, load
from colorize_hub.engines.onnx_engine import OnnxEngine
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.errors import ModelError, ModelNotFoundError
from colorize_hub.export.export import export
from colorize_hub.hub.sources import GRAPHS, WEIGHTS
from colorize_hub.loading import save
from tests.scenes import scene


@pytest.fixture(scope="session")
def exported(trained_network, tmp_path_factory):
    return export(trained_network, tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="session")
def colorizer(exported):
    return load(exported, backend="onnx")


def test_what_comes_in_decides_what_comes_out(colorizer, tmp_path):
    with_alpha = np.dstack([scene(40, 60, 3), scene(40, 60, seed=1)])
    coloured = colorizer.colorize(with_alpha)
    assert np.array_equal(coloured[..., 3], with_alpha[..., 3])
    Image.fromarray(scene(40, 60)).save(tmp_path / "old.png")
    assert colorizer.colorize(tmp_path / "old.png").size == (60, 40)


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


def test_wrong_arguments(exported, colorizer):
    with pytest.raises(ValueError, match=r'backend must be "torch" or "onnx", got \'jax\''):
        load(exported, backend="jax")
    with pytest.raises(ValueError, match='backend "onnx" computes on the CPU, got device'):
        load(exported, device="cuda")
    with pytest.raises(ModelNotFoundError, match=f"has no file {WEIGHTS}"):
        load(exported, backend="torch")
    picture = scene(40, 40)
    for arguments in ({"vividness": 2}, {"size": 8}, {"hints": [Hint(90, 9, (1, 2, 3))]}):
        with pytest.raises(ValueError, match=r"must be|outside the picture"):
            colorizer.colorize(picture, **arguments)
    with pytest.raises(ValueError, match="one by one"):
        colorizer.colorize([picture], hints=[Hint(1, 1, (1, 2, 3))])
    with pytest.raises(ValueError, match=r"shape \(B, 1, H, W\)"):
        colorizer.predict_ab(np.zeros((1, 3, 8, 8)))
