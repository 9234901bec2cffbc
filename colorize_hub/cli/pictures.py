"""`colorize-hub photo` and `colorize-hub app`."""

# ruff: noqa: T201 - a command says what it did

import os
import time
from functools import partial
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import (
    Flag,
    ModelName,
    NamedOutput,
    Vividness,
    WorkingSize,
    one_output,
)


def photo(
    picture: Annotated[Path, arg(metavar="IN")],
    output: Annotated[
        Path | None, arg(metavar="[OUT]", help_behavior_hint="(default: IN's name with -color)")
    ] = None,
    /,
    *,
    model: ModelName = None,
    vividness: Vividness = None,
    size: WorkingSize = None,
    keep_toning: Flag = False,
    named_output: NamedOutput = None,
    overwrite: Flag = False,
) -> None:
    """Colour one photograph.

    Example: colorize-hub photo old.jpg new.jpg --vividness 0.7

    Args:
        picture: Photograph to colour: JPEG, PNG, TIFF, WebP and more. It is never changed.
        output: File to write, in the format of its ending, old-color.jpg for old.jpg. Size, EXIF,
            XMP and resolution are the photograph's; 16-bit PNG and TIFF stay 16-bit.
        keep_toning: Lay the colours over the sepia or other tint of a print, which is taken out
            otherwise.
        overwrite: Replace OUT if it exists; without this flag that is an error. Another picture
            than an earlier result of IN is kept.
    """
    start = time.perf_counter()
    word = ""
    given = named_output or output
    output = one_output(output, named_output, _beside(picture))
    if given is None and output.suffix != picture.suffix:
        word = ", a PNG, which holds all colours,"
    _check_paths(picture, output, overwrite)
    if named_output is None and output.exists():
        _check_replaceable(picture, output)
    from colorize_hub.batch.files import colorize_file
    from colorize_hub.loading import load

    colorize_file(
        load(model), picture, output, vividness=vividness, size=size, keep_toning=keep_toning
    )
    print(f"Wrote {output}{word} in {time.perf_counter() - start:.1f} s")


def app(
    *,
    model: ModelName = None,
    port: Annotated[
        int | None, arg(metavar="P", help_behavior_hint="(default: the first free one from 7860)")
    ] = None,
    host: Annotated[str, arg(metavar="H")] = "127.0.0.1",
    models: Annotated[Path | None, arg(metavar="FOLDER")] = None,
) -> None:
    """Open the web page: upload photographs and steer their colours. Stop it with Ctrl-C.

    Example: colorize-hub app --port 8080

    Args:
        port: Port to serve on.
        host: Address to serve on. The default is for this computer alone, 0.0.0.0 for the network.
        models: Everybody can use the models in it. Other folders are for this computer alone.
    """
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(f"port must be 1..65535, got {port}.")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    try:
        from colorize_hub.demo import build_demo
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        raise ValueError("app needs Gradio: pip install 'colorize-hub[app]'") from error
    from colorize_hub.loading import load, read_model

    network = partial(read_model, model)
    demo = build_demo(load(model), models_folder=models, network=network)
    demo.launch(server_name=host, server_port=port)


def _beside(picture: Path) -> Path:
    """Return the name of a photograph in colour: in its own format, or PNG if that cannot be."""
    from colorize_hub.pictures.saving import writable_suffix

    return picture.with_name(f"{picture.stem}-color{writable_suffix(picture)}")


def _check_paths(picture: Path, output: Path, overwrite: bool) -> None:
    """Find what would fail later, before torch and the model are loaded."""
    from colorize_hub.pictures.saving import check_savable

    if picture.is_dir():
        raise IsADirectoryError(f"{picture} is a folder; photo takes one picture.")
    if not picture.exists():
        raise FileNotFoundError(f"There is no picture {picture}; check the name.")
    if output.is_dir():
        raise IsADirectoryError(f"{output} is a folder; name the file to write.")
    check_savable(output)
    if output.exists() and output.samefile(picture):
        raise FileExistsError(f"{output} is the photograph itself; name another file to write.")
    if output.exists() and not overwrite:
        raise FileExistsError(f"{output} exists; add --overwrite to replace it, or name another.")


def _check_replaceable(picture: Path, output: Path) -> None:
    """Keep what `photo *.jpg --overwrite` would take for OUT where just two names match."""
    from colorize_hub.batch.overwriting import check_replaceable
    from colorize_hub.pictures.picture import read_picture

    try:
        check_replaceable(output, read_picture(picture))
    except FileExistsError as error:
        raise FileExistsError(f"{error} To replace it all the same: --output {output}") from error
