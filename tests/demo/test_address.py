"""Behind a proxy that keeps the visitor's Host to itself: no address of the server reaches them."""

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from colorize_hub.web.prints import example_path
from tests.proxy import INNER_NAME, PREFIX, proxy_before


@pytest.fixture
def outside(page):
    with proxy_before(page.server_port) as url:
        yield url


def test_the_page_calls_the_address_that_the_browser_shows(outside):
    html = httpx.get(outside).text
    assert f'"root":"http://{INNER_NAME}' not in html
    assert f'root = "http://{INNER_NAME}' not in html
    assert html.count("document.baseURI.slice(0, -1)") == 2


@pytest.mark.parametrize("path", ["/", f"{PREFIX}/"])
def test_a_result_is_found_under_the_address_of_the_page(outside, path, tmp_path):
    client = Client(outside + path, verbose=False, download_files=tmp_path)
    print_ = example_path("black-canyon")
    with Image.open(client.predict(handle_file(print_), api_name="/colorize")) as made:
        assert made.size == Image.open(print_).size
