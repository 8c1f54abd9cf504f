"""HTTP as uvicorn reads it, with two differences: what is no HTTP is refused in our form, and headers end somewhere."""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.front_door import LARGEST_HEADERS
from api.http.problems import MEDIA_TYPE, TYPE_PREFIX

CODE = "malformed_request"
BODY = json.dumps(
    {
        "type": f"{TYPE_PREFIX}{CODE}",
        "title": "Bad request",
        "status": 400,
        "detail": "This is not a request in HTTP/1.1 (RFC 9112).",
        "code": CODE,
        "request_id": "",
    }
).encode()
REFUSAL = b"\r\n".join(
    (
        b"HTTP/1.1 400 Bad Request",
        b"content-type: " + MEDIA_TYPE.encode(),
        b"content-length: " + str(len(BODY)).encode(),
        b"connection: close",
        b"",
        BODY,
    )
)
UNFINISHED = 2 * LARGEST_HEADERS


class StrictHttp(HttpToolsProtocol):
    """One connection. Give the class to uvicorn as `http`."""

    _unfinished: int = 0

    def data_received(self, data: bytes) -> None:
        """Close the connection of a client whose headers never end: the parser itself has no bound."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > UNFINISHED and not self.transport.is_closing():
            self.send_400_response("")

    def on_headers_complete(self) -> None:
        """What comes now is a body, which has its own bounds."""
        self._unfinished = -(2**62)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next request begins."""
        self._unfinished = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse in the form of RFC 9457; what uvicorn has to say about it, `msg`, is for its log."""
        self.transport.write(REFUSAL)
        self.transport.close()
