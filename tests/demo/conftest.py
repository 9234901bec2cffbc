"""The page on a server of this process."""

import pytest

from colorize_hub.demo import build_demo
from tests.serving import free_port


@pytest.fixture(scope="package")
def page(tiny_colorizer, tmp_path_factory):
    """A page that is served: ``page.local_url`` ends with a slash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        demo = build_demo(tiny_colorizer)
        demo.launch(
            server_name="127.0.0.1", server_port=free_port(), prevent_thread_lock=True, quiet=True
        )
        yield demo
        demo.close(verbose=False)
