"""`colorize-hub export`: a model for onnxruntime."""

# ruff: noqa: T201 - a command says what it did

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from colorize_hub.cli.flags import Flag, ModelName


def export(
    folder: Annotated[Path, arg(metavar="OUT")],
    /,
    *,
    model: ModelName = None,
    int8: Flag = False,
) -> None:
    """Write a model as ONNX files, which need no torch: for small installs, browsers and phones.

    Example: colorize-hub export onnx-model

    In Python, load("onnx-model", backend="onnx") colours with them. README.md in the folder
    describes every input and output, with examples in Python and JavaScript.

    Args:
        folder: Folder to write to. What is in it from an earlier export is replaced.
        int8: Decoder in 8-bit integers: smaller and faster, with slightly different colours.
    """
    from colorize_hub.export.export import export as export_model
    from colorize_hub.loading import read_model

    try:
        export_model(read_model(model), folder)
        if int8:
            from colorize_hub.export.quantize import quantize

            quantize(folder)
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
    print(f'Wrote {folder}\nUse it: load("{folder}", backend="onnx")')
