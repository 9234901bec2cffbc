"""`python -m bench.archive`: a folder of 640x480 JPEGs, beside what the network alone would do."""

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import tyro

from bench.clock import Row, compare, table
from bench.measures import make_photograph
from colorize_hub import Colorizer, load
from colorize_hub.batch.archive import color_pictures, plan_folder
from colorize_hub.batch.options import Options
from colorize_hub.network.working import working_shape
from colorize_hub.pictures.picture import read_picture

_MEGAPIXELS = 0.64 * 0.48


def archive(
    *,
    model: str | None = None,
    pictures: int = 64,
    batch: int = 1,
    cores: int = 2,
    turns: int = 5,
) -> None:
    """Measure pictures a second from file to file, and of the network from lightness to ab.

    The network runs alone in two ways: one batch at a time with all cores, and, as in the folder, a
    batch for each core.

    Args:
        model: Folder or "user/model"; the default is the built-in one.
        pictures: In the folder.
        batch: Pictures that the network gets at once, here and there.
        cores: Threads, here and there.
        turns: Measurements of which the median is taken.
    """
    colorizer = load(model, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        rows = archive_rows(colorizer, Path(folder), pictures, batch, cores, turns)
    print(
        f"median of {turns}; seconds for {pictures} pictures, batches of {batch}, {cores} cores\n"
    )
    print(table(rows))
    print()
    for row in rows:
        paces = f"{pictures / row.seconds:.1f} of {pictures / row.other_seconds:.1f} pictures/s"
        print(f"{row.other_seconds / row.seconds:.0%} of the pace of the {row.beside}: {paces}")


def archive_rows(
    colorizer: Colorizer, folder: Path, pictures: int, batch: int, cores: int, turns: int
) -> list[Row]:
    """Time the whole way beside the network alone, in both ways."""
    source, target = folder / "in", folder / "out"
    source.mkdir()
    make_photograph(_MEGAPIXELS).save(source / "0.jpg", quality=90)
    for n in range(1, pictures):
        shutil.copy(source / "0.jpg", source / f"{n}.jpg")

    def from_file_to_file() -> None:
        torch.set_num_threads(1)
        shutil.rmtree(target, ignore_errors=True)
        tasks = plan_folder(source, target).waiting
        outcomes = list(color_pictures(colorizer, tasks, Options(), workers=cores, batch=batch))
        if [one.state for one in outcomes] != ["coloured"] * pictures:
            raise RuntimeError(f"Not all were coloured: {outcomes}")

    picture, engine = read_picture(source / "0.jpg"), colorizer.engine
    shape = working_shape(picture.height, picture.width, colorizer.config.size)
    grey = engine.lightness(engine.hold([picture.pixels] * batch), shape)
    rows = []
    for name, callers in (("network, all cores a batch", 1), ("network, a core a batch", cores)):
        alone = _alone(lambda: engine.colors(engine.see(grey)), pictures // batch, callers, cores)
        rows += compare({"folder": from_file_to_file}, name, alone, turns)
    return rows


def _alone(
    predict: Callable[[], object], batches: int, callers: int, cores: int
) -> Callable[[], None]:
    def run() -> None:
        torch.set_num_threads(cores // callers)
        with ThreadPoolExecutor(callers) as pool:
            for done in [pool.submit(predict) for _ in range(batches)]:
                done.result()

    return run


if __name__ == "__main__":
    tyro.cli(archive, prog="python -m bench.archive")
