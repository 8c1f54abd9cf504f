"""A proxy in front of PostgreSQL that cuts a connection at the worst moment."""

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

ROWS_ARE_COMPLETE = b"SELECT "  # the tag of the call; preparing it is answered without
IN_TRANSACTION = b"Z\x00\x00\x00\x05T"  # the pool's reads, which commit nothing
READY_FOR_QUERY = b"Z\x00\x00\x00\x05I"


class Proxy:
    """Forwards everything, until it is told to cut; every connection goes through a socket of its own folder."""

    def __init__(self, dsn: str) -> None:
        parts = conninfo_to_dict(dsn)
        self.name = f".s.PGSQL.{parts.get('port', '5432')}"
        self.target = str(Path(str(parts["host"])) / self.name)
        self.folder = tempfile.TemporaryDirectory(prefix="proxy-")
        self.dsn = make_conninfo(dsn, host=self.folder.name)
        self.cuts = 0
        self._cut: str | None = None
        self._refusing = False
        self._refuse_after_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_unix_server(self._serve, str(Path(self.folder.name) / self.name))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.folder.cleanup()

    def cut_after_next_commit(self, *, and_refuse: bool = False) -> None:
        """The server has answered that it committed; nobody hears of it, and perhaps nobody gets through again."""
        self._cut = "answer"
        self._refuse_after_cut = and_refuse

    def cut_before_next_request(self) -> None:
        """The request never arrives."""
        self._cut = "request"

    def refuse(self) -> None:
        self._refusing = True
        self._close_all()

    def accept(self) -> None:
        self._refusing = False

    def _close_all(self) -> None:
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self.target)
        self._writers |= {writer, server_writer}
        for pump in (
            self._requests(reader, server_writer, writer),
            self._answers(server_reader, writer, server_writer),
        ):
            task = asyncio.create_task(pump)
            self._tasks.add(task)

    async def _requests(self, reader, server, client) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                if self._cut == "request":
                    self._cut_off(client, server)
                    return
                server.write(data)
                await server.drain()
        server.close()

    async def _answers(self, reader, client, server) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 20):
                if self._cut == "answer" and ROWS_ARE_COMPLETE in data and not data.endswith(IN_TRANSACTION):
                    while more := b"" if data.endswith(READY_FOR_QUERY) else await reader.read(1 << 20):
                        data += more
                    self._cut_off(client, server)
                    return
                client.write(data)
                await client.drain()
        client.close()

    def _cut_off(self, *writers) -> None:
        self._cut = None
        self._refusing, self._refuse_after_cut = self._refuse_after_cut, False
        self.cuts += 1
        for writer in writers:
            writer.close()
