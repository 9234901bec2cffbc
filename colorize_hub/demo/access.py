"""Who asks: whether they have signed in, and whether they sit at this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.types import Message

_LEFT_BY_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


async def signed_in(request: Request) -> bool:
    """Whether ``launch(auth=..)`` lets this person in: Gradio is asked, with the same cookies.

    A server that knows nobody lets everybody in; to ask it costs as much as all else of a request.
    """
    if all(getattr(request.app, name, True) is None for name in ("auth", "auth_dependency")):
        return True
    path = f"{API_PREFIX}/login_check"
    asked = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    status = 0

    async def no_body() -> Message:
        return {"type": "http.request", "body": b""}

    async def note(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    await request.app({**request.scope, **asked}, no_body, note)
    return status == 200


def at_the_machine(request: Request | None) -> bool:
    """Whether a person at this machine asks, with no proxy or public link between.

    A proxy is known by its headers, by the browser's Origin, or by HTTP/1.0, which nginx speaks.
    """
    if request is None or request.client is None or not _is_loopback(request.client.host):
        return False
    origin = urlsplit(request.headers.get("origin", "//localhost")).hostname
    return (
        request.scope.get("http_version") != "1.0"
        and not any(name in request.headers for name in _LEFT_BY_PROXIES)
        and _is_loopback(request.url.hostname)
        and _is_loopback(origin)
        and not request.app.get_blocks().share
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
