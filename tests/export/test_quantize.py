"""An 8-bit decoder is a quarter of the size, and its answers are near those of the exact one."""

import shutil

import numpy as np
import pytest

from colorize_hub.cli.export import export as export_command
from colorize_hub.engines.onnx_network import OnnxNetwork
from colorize_hub.export.export import export
from colorize_hub.export.quantize import quantize
from colorize_hub.hub.sources import CARD, GRAPHS, Folder
from colorize_hub.loading import load, save
from tests.scenes import scene


@pytest.fixture(scope="module")
def exact(tiny_network, tmp_path_factory):
    return export(tiny_network, tmp_path_factory.mktemp("exact"))


def test_the_decoder_alone_changes_and_hardly_what_it_answers(exact, tiny_network, tmp_path):
    shutil.copytree(exact, tmp_path, dirs_exist_ok=True)
    quantize(tmp_path, [scene(70, 90, seed=seed) for seed in range(3)])
    same = [path.name for path in exact.iterdir() if same_bytes(path, tmp_path / path.name)]
    assert sorted(same) == sorted(path.name for path in exact.iterdir() if path.stem != "decoder")
    ours, theirs = (OnnxNetwork(Folder(f), tiny_network.config) for f in (tmp_path, exact))
    features = theirs.encode(np.random.default_rng(0).uniform(0, 100, (1, 1, 64, 96)).astype("f4"))
    for hint in (0, 40):
        hint_map = np.zeros((1, 3, 16, 24), np.float32)
        hint_map[:, :, 8, 8] = hint, -hint, hint > 0
        found, expected = (one.decode_features(features, hint_map) for one in (ours, theirs))
        assert 0 < np.abs(found - expected).mean() < 0.3 * expected.std()


@pytest.mark.slow
def test_the_command_writes_a_model_that_colours(tiny_network, tmp_path, capsys):
    model = save(tiny_network, tmp_path / "model")
    export_command(tmp_path / "out", model=str(model), int8=True)
    assert 'backend="onnx"' in capsys.readouterr().out
    assert (tmp_path / "out" / CARD).is_file()
    picture = scene(40, 60)
    assert load(tmp_path / "out").colorize(picture).std(axis=2).mean() > 0.1


def test_there_must_be_pictures_to_calibrate_on(exact):
    with pytest.raises(ValueError, match="needs a few pictures"):
        quantize(exact, [])
    assert (exact / GRAPHS["decoder"]).is_file()


def same_bytes(one, other):
    return one.read_bytes() == other.read_bytes()
