"""Every engine does everything, and all give the same colours."""

import io
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from datasets.fingerprint import Hasher
from PIL import Image

from colorize_hub import Frame, Hint, load
from colorize_hub.batch.archive import color_pictures, plan_folder
from colorize_hub.batch.files import colorize_file
from colorize_hub.batch.options import Options
from colorize_hub.demo.live.session import LiveHint, Session, Wish
from colorize_hub.demo.models import ModelShelf
from colorize_hub.engines.onnx_engine import OnnxEngine, OnnxNetwork
from colorize_hub.engines.torch_engine import TorchEngine
from colorize_hub.export.export import export
from colorize_hub.hub.sources import Folder
from colorize_hub.inference.colorizer import Colorizer
from colorize_hub.loading import save
from colorize_hub.video.films import colorize_video
from tests.scenes import difference, scene
from tests.video.clips import moving_frames, read_clip, write_clip

HINTS = [Hint(40, 30, (200, 40, 40), radius=6), Hint(100, 60, (40, 80, 200))]
PICTURES = [
    *(scene(60, 80), scene(70, 50, 3), scene(60, 80, seed=2), scene(33, 300)),
    scene(64, 96, 1, np.uint16),
]
NAMES = ("torch float32", "torch bfloat16", "torch on its device", "onnx")
# Levels of 255, most and mean, from what torch in float32 on strips of the CPU gives. bfloat16 has
# 8 bits of mantissa; the others differ by rounding alone.
BOUNDS = {name: (1, 0.02) for name in NAMES} | {"torch bfloat16": (24, 1.0)}


@pytest.fixture(scope="module")
def exported(trained_network, tmp_path_factory):
    return export(trained_network, tmp_path_factory.mktemp("onnx"))


@pytest.fixture(scope="module")
def exact(trained_network):
    """What the others are compared with."""
    return Colorizer(TorchEngine(trained_network, "cpu", torch.float32))


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def colorizer(name, trained_network, exported):
    if name == "onnx":
        return Colorizer(OnnxEngine(OnnxNetwork(Folder(exported), trained_network.config)))
    dtype = torch.bfloat16 if name == "torch bfloat16" else torch.float32
    in_strips = name != "torch on its device"
    return Colorizer(TorchEngine(trained_network, "cpu", dtype, in_strips))


@pytest.fixture(scope="module")
def alike(name):
    """Asserts that pictures are the same within what the engine may differ."""
    most, mean = BOUNDS[name]

    def check(one, other, levels=1):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        apart = difference(one, other) / (257 if one.dtype == np.uint16 else 1)
        assert apart.max() <= most * levels
        assert apart.mean() <= mean * levels

    return check


class TestEveryEngine:
    @pytest.mark.parametrize("index", range(len(PICTURES)))
    def test_photo(self, colorizer, exact, alike, index):
        alike(colorizer.colorize(PICTURES[index]), exact.colorize(PICTURES[index]))

    def test_photo_from_a_file_to_a_file(self, colorizer, exact, alike, tmp_path):
        Image.fromarray(PICTURES[0]).save(tmp_path / "old.png")
        for one, target in ((colorizer, "one.png"), (exact, "other.png")):
            colorize_file(one, tmp_path / "old.png", tmp_path / target)
        alike(*(Image.open(tmp_path / target) for target in ("one.png", "other.png")))

    def test_options(self, colorizer, exact, alike):
        ours, theirs = (
            one.colorize(PICTURES[0], vividness=0.9, size=96) for one in (colorizer, exact)
        )
        alike(ours, theirs, levels=2)

    def test_hints(self, colorizer, exact, alike):
        picture = scene(120, 160)
        ours, theirs = (one.canvas(picture) for one in (colorizer, exact))
        alike(ours.render(HINTS), theirs.render(HINTS))
        assert difference(ours.render(HINTS), ours.render()).mean() > 1
        with pytest.raises(ValueError, match="outside the picture of 160 x 120"):
            ours.render([Hint(200, 3, (1, 2, 3))])

    def test_variations(self, colorizer, exact, alike):
        picture = scene(120, 160)
        for hints in ((), HINTS):
            ours, theirs = (
                one.canvas(picture).variations(2, seed=3, hints=hints) for one in (colorizer, exact)
            )
            for one, other in zip(ours, theirs, strict=True):
                alike(one, other, levels=2)
            assert difference(ours[0], ours[1]).max() > 5

    def test_suggestions_and_confidence(self, name, colorizer, exact):
        ours, theirs = (one.canvas(scene(120, 160)) for one in (colorizer, exact))
        loose = 30 if name == "torch bfloat16" else 1
        np.testing.assert_allclose(ours.confidence(), theirs.confidence(), atol=2e-3 * loose)
        apart = np.abs(np.asarray(ours.logits(HINTS)) - np.asarray(theirs.logits(HINTS)))
        assert apart.mean() < 2e-3 * loose
        (rgb, share), (wanted, expected) = ours.suggest(50, 60)[0], theirs.suggest(50, 60)[0]
        assert np.abs(np.subtract(rgb, wanted)).max() <= loose
        assert share == pytest.approx(expected, abs=2e-3 * loose)

    def test_predict_ab_of_arrays_and_tensors(self, colorizer, exact):
        lightness = np.random.default_rng(0).uniform(0, 100, (2, 1, 37, 91)).astype(np.float32)
        hint_map = np.zeros((2, 3, 10, 23), np.float32)
        hint_map[1, :, 4, 5] = 30, -40, 1
        of_array = colorizer.predict_ab(lightness, hint_map)
        of_tensor = colorizer.predict_ab(torch.from_numpy(lightness), torch.from_numpy(hint_map))
        assert (type(of_array), type(of_tensor)) == (np.ndarray, torch.Tensor)
        assert of_array.dtype == np.float32
        np.testing.assert_array_equal(of_array, of_tensor.numpy())
        assert np.abs(of_array - exact.predict_ab(lightness, hint_map)).mean() < 0.5

    def test_list(self, colorizer, alike):
        together = colorizer.colorize([*PICTURES, Image.fromarray(PICTURES[0])])
        for one, picture in zip(together, PICTURES, strict=False):
            alike(one, colorizer.colorize(picture), levels=2)
        assert isinstance(together[-1], Image.Image)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_frames(self, colorizer, exact, alike, workers):
        frames, hints = moving_frames(4, 48, 64), [Hint(20, 20, (200, 40, 40))]
        given = [*frames[:2], *(Frame(frame, hints) for frame in frames[2:])]
        ours = list(colorizer.colorize_frames(given, look_ahead=1, workers=workers))
        theirs = list(exact.colorize_frames(given, look_ahead=1))
        assert len(ours) == 4
        for one, other in zip(ours, theirs, strict=True):
            alike(one, other, levels=2)

    def test_live(self, colorizer, exact, alike):
        hint = LiveHint("red", 0.4, 0.5, frame=1, rgb=(200, 40, 40))
        wish = Wish(frame=1, hints=(hint,), suggest="red")
        grey = io.BytesIO()
        Image.fromarray(scene(120, 160)).convert("L").save(grey, "JPEG")
        ours, theirs = (
            Session(ModelShelf(one)).colour(grey.getvalue(), wish) for one in (colorizer, exact)
        )
        assert ours[0]["hints"] == theirs[0]["hints"]
        assert len(ours[0]["likely"]["colours"]) == len(theirs[0]["likely"]["colours"])
        alike(*(Image.open(io.BytesIO(picture)) for _, picture in (ours, theirs)), levels=4)

    def test_film(self, colorizer, tmp_path):
        source = write_clip(tmp_path / "old.mp4", moving_frames(5, 48, 64))
        report = colorize_video(colorizer, source, tmp_path / "new.mp4", size=64)
        coloured = read_clip(report.target)
        assert len(coloured.frames) == 5
        assert np.ptp(coloured.frames[2].astype(int), axis=2).mean() > 1

    def test_folder(self, colorizer, exact, alike, tmp_path):
        (tmp_path / "in").mkdir()
        for index, picture in enumerate(PICTURES[:3]):
            Image.fromarray(picture).convert("L").save(tmp_path / "in" / f"{index}.png")
        tasks = plan_folder(tmp_path / "in", tmp_path / "out").waiting
        outcomes = list(color_pictures(colorizer, tasks, Options(), workers=2, batch=2))
        assert [one.state for one in outcomes] == ["coloured"] * 3
        for task in tasks:
            alike(Image.open(task.target), exact.colorize(task.source), levels=2)

    def test_rows_of_a_dataset(self, colorizer):
        rows = {"scan": [PICTURES[0], None, PICTURES[1]], "label": [1, 2, 3]}
        coloured = colorizer.colorize_rows(rows)["scan"]
        assert [one if one is None else one.shape for one in coloured] == [
            (60, 80, 3),
            None,
            (70, 50, 3),
        ]

    def test_threads_share_it(self, colorizer):
        alone = [colorizer.colorize(picture) for picture in PICTURES]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(colorizer.colorize, PICTURES * 2))
        for one, other in zip(together, alone * 2, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_pickled(self, colorizer):
        again = pickle.loads(pickle.dumps(colorizer))
        assert Hasher.hash(again.colorize_rows) == Hasher.hash(colorizer.colorize_rows)
        np.testing.assert_array_equal(again.colorize(PICTURES[0]), colorizer.colorize(PICTURES[0]))

    def test_a_fork_of_the_process_colours(self, colorizer, tmp_path):
        expected = colorizer.colorize(PICTURES[0])
        if (child := os.fork()) == 0:
            np.save(tmp_path / "child.npy", colorizer.colorize(PICTURES[0]))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert difference(np.load(tmp_path / "child.npy"), expected).max() <= 1


@pytest.mark.ray
@pytest.mark.parametrize("kind", ["torch", "onnx"])
def test_ray(kind, trained_network, exported, tmp_path):
    model = exported if kind == "onnx" else save(trained_network, tmp_path / "model")
    Image.fromarray(PICTURES[0]).save(tmp_path / "old.png")
    pictures = [(tmp_path / "old.png").read_bytes()] * 4
    pyarrow.parquet.write_table(pyarrow.table({"image": pictures}), tmp_path / "in.parquet")
    command = [
        "-m",
        "colorize_hub.distributed",
        str(tmp_path / "in.parquet"),
        str(tmp_path / "out"),
    ]
    subprocess.run(
        [sys.executable, *command, "--model", str(model), "--rows", "2"],
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    found = pyarrow.parquet.read_table(tmp_path / "out").column("image").to_pylist()
    assert len(found) == 4
    assert all(one != pictures[0] for one in found)


def test_a_changed_file_is_not_taken_for_the_pickled_model(exported, trained_network, tmp_path):
    folder = export(trained_network, tmp_path / "model")
    data = pickle.dumps(load(folder))
    (folder / "head.onnx").write_bytes((folder / "head.onnx").read_bytes() + b"\0")
    with pytest.raises(ValueError, match="have changed since it was loaded"):
        pickle.loads(data)


@pytest.mark.parametrize("device", ["cuda:7", "quantum"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(trained_network, device):
    with pytest.raises(ValueError, match=f"no device '{device}' here; there is cpu"):
        load(device=device)
    with pytest.raises(ValueError, match=f"no device '{device}' here; there is cpu"):
        TorchEngine(trained_network, device)


def test_a_network_is_no_engine(trained_network):
    with pytest.raises(TypeError, match="TorchEngine"):
        Colorizer(trained_network)
