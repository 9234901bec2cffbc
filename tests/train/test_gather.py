"""A training set from git repositories: what is kept, in which order, and what is left out."""

import io
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from train.data.near_copies import Seen, difference_hash
from train.data.repositories import Source, git_folder, read_sources
from train.gather import Rules, gather, main


def photograph(seed: int, width: int = 200, height: int = 160) -> Image.Image:
    """Soft coloured blotches, different for each seed."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def commit(folder: Path) -> Path:
    """Make a git repository of a folder's files."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "pictures"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """someone/album with 24 photographs, and pictures that must be left out."""
    album = tmp_path / "repositories" / "someone" / "album"
    photos = album / "photos"
    photos.mkdir(parents=True)
    for seed in range(24):
        photograph(seed).save(photos / f"{seed}.jpg", quality=95)
    photograph(3).resize((180, 144)).save(photos / "again.png")
    photograph(30, 60, 50).save(photos / "small.jpg")
    photograph(31).convert("L").save(photos / "grey.jpg")
    photograph(32, 800, 160).save(photos / "long.jpg")
    photograph(33).save(photos / "thumb_33.jpg")
    cut_out = Image.new("RGB", (200, 160), "white")
    cut_out.paste(photograph(34, 100, 80), (50, 40))
    cut_out.save(photos / "cut_out.png")
    (photos / "broken.jpg").write_bytes(b"no picture")
    photograph(35).save(album / "logo.png")
    commit(album)
    return tmp_path / "repositories"


def table(path: Path, *lines: str) -> Path:
    path.write_text(
        "\n".join(["name\trepository\tprefix\texclude\tchannels\tsplit", *lines]) + "\n"
    )
    return path


def test_reads_sources_of_a_split(tmp_path: Path) -> None:
    sources = table(
        tmp_path / "sources.tsv",
        "album\tsomeone/album\tphotos/\tthumb_,Small\t\t",
        "cars\tsomeone/cars\t\t\tbgr\ttrain",
        "boats\tsomeone/boats\t\t\t\tunseen",
    )
    assert read_sources(sources, "train") == [
        Source("album", "someone/album", "photos/", ("thumb_", "small")),
        Source("cars", "someone/cars", swapped=True),
    ]
    assert [source.name for source in read_sources(sources)] == ["album", "cars", "boats"]


def test_refuses_names_that_stand_there_twice(tmp_path: Path) -> None:
    sources = table(tmp_path / "sources.tsv", "a\tb/c\t\t\t\t", "a\tb/d\t\t\t\t")
    with pytest.raises(ValueError, match="more than one source named a"):
        read_sources(sources)


def test_keeps_what_can_teach_colours(repositories: Path) -> None:
    source = Source("album", "someone/album", "Photos/", ("thumb_",))
    git = git_folder(repositories, source.repository)
    found = gather(source, git, Seen(), Rules(size=96))
    assert len(found.rows) == 24
    assert found.dropped == {
        "seen before": 1, "small": 1, "grey": 1, "long": 1, "cut out": 1, "broken": 1
    }  # fmt: skip
    kept = Image.open(io.BytesIO(found.rows[0]["image"]["bytes"]))
    assert (kept.format, kept.size) == ("AVIF", (120, 96))


def test_is_the_same_each_time_and_stops_at_the_most(repositories: Path) -> None:
    source = Source("album", "someone/album", "photos/")
    git = git_folder(repositories, source.repository)
    hashes = [
        [row["hash"] for row in gather(source, git, Seen(), Rules(most=5)).rows] for _ in range(2)
    ]
    assert len(hashes[0]) == 5
    assert hashes[0] == hashes[1]


def test_swaps_red_and_blue_back(repositories: Path) -> None:
    git = git_folder(repositories, "someone/album")
    pictures = []
    for swapped in (False, True):
        source = Source("album", "someone/album", "photos/", swapped=swapped)
        encoded = gather(source, git, Seen(), Rules(most=1)).rows[0]["image"]["bytes"]
        pictures.append(np.asarray(Image.open(io.BytesIO(encoded)), np.int16))
    assert np.abs(pictures[0][..., ::-1] - pictures[1]).mean() < 6


def test_avoids_what_a_model_is_judged_by(repositories: Path) -> None:
    source = Source("album", "someone/album", "photos/")
    git = git_folder(repositories, source.repository)
    seen = Seen()
    seen.add(difference_hash(photograph(3)), judged=True)
    assert len(gather(source, git, seen, Rules()).rows) == 24  # thumb_33 in, 3 and its copy out


def test_writes_files_that_training_reads(
    repositories: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    sources = table(
        tmp_path / "sources.tsv",
        "album\tsomeone/album\tphotos/\t\t\t",
        "logos\tsomeone/album\tlogo\t\t\t",
        "unseen\tsomeone/album\tphotos/\t\t\tunseen",
    )
    output = tmp_path / "output"
    flags = ["--sources", sources, "--repositories", repositories, "--output", output]
    monkeypatch.setattr(sys, "argv", ["gather", *map(str, flags), "--size", "96"])
    main()
    assert "logos: 1 kept" in capsys.readouterr().out
    assert [path.name for path in output.iterdir()] == ["album.parquet"]
    built = datasets.Dataset.from_parquet(str(output / "album.parquet"))
    assert len(built) == 25
    assert isinstance(built.features["image"], datasets.Image)
    assert set(built["source"]) == {"album"}
    before = (output / "album.parquet").read_bytes()
    main()  # what is there already stays, and counts as seen
    assert "logos: 1 kept" in capsys.readouterr().out
    assert (output / "album.parquet").read_bytes() == before


def test_says_which_repository_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = table(tmp_path / "sources.tsv", "album\tsomeone/album\t\t\t\t")
    (tmp_path / "repositories" / "someone" / "album").mkdir(parents=True)  # no git repository
    flags = ["--sources", sources, "--repositories", tmp_path / "repositories"]
    monkeypatch.setattr(
        sys, "argv", ["gather", *map(str, flags), "--output", str(tmp_path / "output")]
    )
    main()
    assert "album: left out" in capsys.readouterr().err


@pytest.mark.parametrize("bits", [0, 2, 3])
def test_copies_differ_in_few_bits(bits: int) -> None:
    seen = Seen()
    seen.extend(np.array([2**63 + 5] * 2000, np.uint64))
    assert seen.near((2**63 + 5) ^ (2**bits - 1)) == (bits <= 2)


def test_nothing_is_near_when_nothing_was_seen() -> None:
    assert not Seen().near(0)
