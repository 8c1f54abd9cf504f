"""The page of the demo that shows messages. It runs in the demo's own process and nowhere else.

Messages hold what strangers wrote: everything is escaped, and the browser is told to run and load nothing. Codes stand
in them, so the address has a secret in it, as the demo's other files are for their owner alone.
"""

import hmac
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined

from domain.errors import NotFound
from gateways.outbox import find_message, list_messages

HOST, ANY_PORT = "127.0.0.1", 0
MOST_SHOWN = 200
KEY_BYTES = 18
STYLE = "style.css"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@contextmanager
def open_letterbox(folder: Path) -> Generator[str]:
    """Serve the messages in `folder` on this machine until the end of the block; yield the address of the page."""
    key = secrets.token_urlsafe(KEY_BYTES)

    pages = _Pages(folder, key)

    class Page(_Page):
        """Bound to this folder."""

    with ThreadingHTTPServer((HOST, ANY_PORT), Page) as server:
        pages.host = f"{HOST}:{server.server_port}"
        Page.pages = pages
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/{key}/"
        finally:
            server.shutdown()
            thread.join()


class _Pages:
    """What is shown under which path."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        self.host = ""
        loader = PackageLoader("cli", "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)

    def find(self, path: str) -> tuple[str, bytes]:
        """Return the type and content of a page. Raises NotFound."""
        key, _, name = path.removeprefix("/").partition("/")
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            raise NotFound
        if name == STYLE:
            return "text/css", self._render(STYLE)
        if name == "":
            return "text/html", self._render("messages.html", messages=list_messages(self._folder, MOST_SHOWN))
        try:
            message_id = UUID(name)
        except ValueError:
            raise NotFound from None
        return "text/html", self._render("message.html", message=find_message(self._folder, message_id))

    def _render(self, name: str, **facts: object) -> bytes:
        return self._templates.get_template(name).render(facts).encode()


class _Page(BaseHTTPRequestHandler):
    pages: _Pages

    def do_GET(self) -> None:
        """Show a page, only under the name that it was given: another host's script has another one."""
        try:
            if self.headers.get("Host") != self.pages.host:
                raise NotFound
            kind, content = self.pages.find(self.path)
        except NotFound:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is nothing here.\n")
            return
        self._answer(HTTPStatus.OK, kind, content)

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: the path holds the key."""
