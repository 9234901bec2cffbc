"""A model from elsewhere is data that may lie: one clear error, nothing executed, little memory."""

import json
import os
import pickle
import random
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from colorize_hub.errors import ModelError
from colorize_hub.hub.sources import CONFIG, WEIGHTS, Folder
from colorize_hub.loading import save
from colorize_hub.network.colornet import ColorNet
from colorize_hub.network.config import ColorizerConfig
from colorize_hub.network.weights import read_tensors
from tests.commands import run_module

MUTATIONS = 2000
HUGE = 10 * 10**9

CONFIGS = {
    "billions of channels": ({"decoder_channels": [10**9] * 4}, "must be 4 integers 1..4096"),
    "too many parameters": ({"decoder_channels": [4096] * 4}, "parameters; at most 300,000,000"),
    "enormous encoder": ({"encoder": "eva02_enormous_patch14_clip_224"}, "encoder 'eva02_enorm"),
    "large encoder": ({"encoder": "efficientnetv2_xl"}, "does not fit its config.json: "),
    "unknown encoder": ({"encoder": "no_such_net"}, "encoder 'no_such_net' cannot be used"),
    "encoder from the hub": ({"encoder": "hf-hub:evil/model"}, "encoder 'hf-hub:evil/model' "),
    "encoder in a folder": ({"encoder": "local-dir:/etc"}, "encoder 'local-dir:/etc' cannot be"),
    "encoder path": ({"encoder": "../../../etc/passwd"}, "encoder '../../../etc/passwd' cannot"),
    "encoder of a megabyte": ({"encoder": "x" * 30_000}, "encoder must be the name of"),
    "nan": ({"vividness": float("nan")}, "vividness must be a number 0..1, got nan"),
    "infinity": ({"chroma_scale": float("inf")}, "chroma_scale must be a number 0..4, got inf"),
    "path": ({"weights": "../../secret.safetensors"}, "unknown key 'weights'"),
    "code": ({"auto_map": {"AutoModel": "evil.Net"}}, "unknown key 'auto_map'"),
    "finest palette": ({"bin_step": 0}, "bin_step must be an integer 2..50"),
    "future": ({"format_version": 10**30}, "format_version 1000"),
}


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = ColorizerConfig("mobilenetv3_small_050", (8, 8, 8, 8), bin_step=50)
    return save(ColorNet(config), tmp_path_factory.mktemp("good") / "model")


def _with_header(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _hostile_folders(root: Path, good: Path) -> dict[str, str]:
    """Folders under root, and what each must be refused with."""
    expected: dict[str, str] = {}
    settings = json.loads((good / CONFIG).read_text())
    real = (good / WEIGHTS).read_bytes()

    def add(name: str, message: str, config: bytes | None = None, weights: bytes = real) -> Path:
        folder = root / name
        folder.mkdir()
        (folder / CONFIG).write_bytes((good / CONFIG).read_bytes() if config is None else config)
        (folder / WEIGHTS).write_bytes(weights)
        expected[name] = message
        return folder

    for name, (change, message) in CONFIGS.items():
        add(name, message, json.dumps(settings | change).encode())
    add("large config", "but no more than 65,536 belong there", b" " * 10**7)
    add("deep config", "is not JSON", b"[" * 60_000)
    add("digits", "is not JSON", b'{"size": ' + b"9" * 50_000 + b"}")

    bomb = pickle.dumps(Bomb(root / "executed"))
    (add("pickle", "has no file model.safetensors") / WEIGHTS).rename(
        root / "pickle" / "pytorch_model.bin"
    )
    (root / "pickle" / "pytorch_model.bin").write_bytes(bomb)
    add("pickle by another name", "is not a whole safetensors file", weights=bomb)
    os.truncate(add("ten gigabytes", "bytes, but no more than") / WEIGHTS, HUGE)
    tensor = {"dtype": "F32", "shape": [HUGE // 4], "data_offsets": [0, HUGE]}
    add("ten gigabytes declared", "not a whole", weights=_with_header({"head.bias": tensor}))
    add("endless header", "its header claims 18,446,744", weights=b"\xff" * 8 + b"{" * 100)
    add(
        "header past the end",
        "its header claims 100,000,000",
        weights=(10**8).to_bytes(8, "little"),
    )
    many = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)}
    add("many tensors", "20000 unexpected", weights=_with_header(many))
    tensors = load_file(good / WEIGHTS)
    for name, value in (("not a number", float("nan")), ("infinite", -float("inf"))):
        spoiled = tensors | {"head.bias": torch.full_like(tensors["head.bias"], value)}
        save_file(spoiled, add(name, "1 not finite (head.bias)") / WEIGHTS)
    return expected


def test_each_hostile_folder_is_one_clear_error(good: Path, tmp_path: Path) -> None:
    expected = _hostile_folders(tmp_path, good)
    folders = [tmp_path / name for name in expected]
    result = run_module("tests.network.hostile_loader", good, *folders, folder=tmp_path)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [name for name, *_ in answers] == list(expected), result.stderr[-2000:]
    for name, answer, _, strange in answers:
        assert expected[name] in answer, name
        assert len(answer) < 1500, name
        assert strange == [], name
    assert not (tmp_path / "executed").exists()


# --- fuzzing ---------------------------------------------------------------------------------

NUMBERS = (b"0", b"-1", b"1", b"4294967296", b"18446744073709551615", b"1e9", b"null", b"[]", b'""')
WORDS = (
    b"F32",
    b"F16",
    b"BF16",
    b"I64",
    b"F8_E4M3",
    b"BOOL",
    b"U8",
    b"dtype",
    b"shape",
    b"\\u0000",
)


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """A safetensors file with one to three lies, mostly in its header."""
    end = 8 + int.from_bytes(data[:8], "little")
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(8, end)
        match chance.randrange(8):
            case 0:  # the length of the header
                data = (
                    chance.choice((0, 1, end - 9, end, end + 64, 2**31, 2**63)).to_bytes(
                        8, "little"
                    )
                    + data[8:]
                )
            case 1:
                data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
            case 2:
                data = data[: chance.randrange(len(data))]
            case 3:
                data = data + bytes(chance.randrange(1, 100))
            case 4:
                data = _replaced(data, end, rb"0123456789", chance.choice(NUMBERS), chance)
            case 5:
                word = chance.choice(WORDS)
                data = data[:place] + word + data[place + len(word) :]
            case 6:  # a piece of the header twice
                piece = data[place : place + chance.randrange(1, 200)]
                data = data[:place] + piece + data[place:]
            case _:
                data = data[:place] + data[place + chance.randrange(1, 40) :]
        end = min(end, len(data))
        if end <= 9:
            break
    return data


def _replaced(data: bytes, end: int, digits: bytes, new: bytes, chance: random.Random) -> bytes:
    """One number of the header replaced, the header's length put right."""
    places = [i for i in range(8, end) if data[i] in digits and data[i - 1] not in digits]
    if not places:
        return data
    first = last = chance.choice(places)
    while last < end and data[last] in digits:
        last += 1
    header = data[8:first] + new + data[last:end]
    return len(header).to_bytes(8, "little") + header + data[end:]


def test_lying_files_are_refused_or_harmless(tmp_path: Path) -> None:
    """What is read in spite of a mutation has the right names, shapes, types and finite values."""
    config = ColorizerConfig("mobilenetv3_small_050", (8, 8, 8, 8), bin_step=50)
    network = ColorNet(config)
    real = {name: t for name, t in network.state_dict().items() if "encoder" not in name}
    path = tmp_path / WEIGHTS
    save_file({name: tensor.contiguous() for name, tensor in real.items()}, path)
    data, chance = path.read_bytes(), random.Random(0)
    outcomes: Counter[str] = Counter()
    for _ in range(MUTATIONS):
        mutated = _mutated(data, chance)
        path.write_bytes(mutated)
        try:
            found = read_tensors(path, Folder(tmp_path), real)
        except ModelError as error:
            outcomes["refused"] += 1
            outcomes["long-winded"] += len(str(error)) > 1500
            continue
        outcomes["read"] += 1
        for name, tensor in real.items():
            assert (found[name].shape, found[name].dtype) == (tensor.shape, tensor.dtype)
            assert found[name].isfinite().all()
        assert found.keys() == real.keys()
    assert outcomes["refused"] > 0.8 * MUTATIONS
    assert outcomes["refused"] + outcomes["read"] == MUTATIONS
    assert not outcomes["long-winded"]
