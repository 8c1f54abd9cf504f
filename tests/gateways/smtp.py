"""A mail server that speaks enough SMTP (RFC 5321) to be sent to: real sockets, answers as a test wants them."""

import socketserver
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one client handed over, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return cast("EmailMessage", message_from_bytes(self.content, policy=default))


@dataclass(kw_only=True)
class MailServer:
    """`answers` replaces the answer to a verb, `hangs_up_after` closes the line instead of an answer to it."""

    port: int
    letters: list[Letter] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    hangs_up_after: str = ""
    extensions: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """As SMTP_URL says it."""
        return f"smtp://127.0.0.1:{self.port}"


class Conversation(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self) -> None:
        """Answer line by line until it goes."""
        server = cast("MailServer", getattr(self.server, "mail"))  # noqa: B009 - the library's server has no such field
        self.sender, self.recipients = "", list[str]()
        self._say("220 stub")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].upper().split(" ")[0]
            if verb == "DATA":
                self._take(server)
                if server.hangs_up_after == "DATA":
                    return
                continue
            self._envelope(verb, line)
            if verb == "EHLO":
                self._say("\r\n".join(f"250-{name}" for name in ("stub", *server.extensions)) + "\r\n250 HELP")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say(server.answers.get(verb, "250 ok"))

    def _envelope(self, verb: str, line: str) -> None:
        address = line.partition(":")[2].split(">")[0].strip(" <")
        if verb == "MAIL":
            self.sender = address
        elif verb == "RCPT":
            self.recipients.append(address)

    def _take(self, server: MailServer) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        answer = server.answers.get("DATA", "250 ok")
        if answer.startswith("2"):
            letter = Letter(sender=self.sender, recipients=tuple(self.recipients), content=b"".join(lines))
            server.letters.append(letter)
        if server.hangs_up_after != "DATA":
            self._say(answer)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server() -> Generator[MailServer]:
    """Run one on this machine."""
    with _Server(("127.0.0.1", 0), Conversation) as server:
        mail = MailServer(port=server.server_address[1])
        setattr(server, "mail", mail)  # noqa: B010 - as above
        with serving(server):
            yield mail


@contextmanager
def serving(server: socketserver.BaseServer) -> Generator[None]:
    """Answer in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
