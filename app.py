"""The Space: serves the web page with the model that $COLORIZE_MODEL names, or the bundled one.

Visitors can use the models in the folder that $COLORIZE_MODELS names.
"""

import os
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Gradio reads it when it is imported
if "HF_HOME" not in os.environ and not os.access(Path.home(), os.W_OK):
    os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="hf-")  # models are kept for this run only

# On ZeroGPU hardware a picture is done on the CPU before a GPU is lent, so the page stays there;
# but such a Space must own a function of this kind, made before torch is imported.
if "SPACES_ZERO_GPU" in os.environ:
    import_module("spaces").GPU(lambda: None)

from colorize_hub import load
from colorize_hub.demo import build_demo
from colorize_hub.loading import read_model


def main() -> None:
    """Serve on $GRADIO_SERVER_NAME (default 127.0.0.1) and $GRADIO_SERVER_PORT (default 7860)."""
    model = os.environ.get("COLORIZE_MODEL", "")
    device = "cpu" if "SPACES_ZERO_GPU" in os.environ else None
    offered = os.environ.get("COLORIZE_MODELS") or None
    network = partial(read_model, model or None)
    demo = build_demo(load(model or None, device=device), model, offered, network)
    demo.launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
        server_port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
    )


if __name__ == "__main__":
    main()
