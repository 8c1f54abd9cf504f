"""A form with one file in it (RFC 7578), read as it arrives: nothing of it is kept here."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.errors import FileExpected, FormMalformed

FIELD = b"file"


class SingleFile:
    """The parser of one form. Raises FileExpected for another media type, FormMalformed for anything but one file."""

    def __init__(self, content_type: str) -> None:
        """Read the boundary between the parts."""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise FileExpected
        self.file_name = b""
        self._parts = 0
        self._is_complete = False
        self._header, self._value = b"", b""
        self._disposition = b""
        self._pieces: list[bytes] = []
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._read_header,
                    "on_header_value": self._read_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_file,
                    "on_part_data": self._read_data,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise FormMalformed from None

    def feed(self, data: bytes) -> bytes:
        """Return what of these bytes belongs to the file."""
        self._pieces.clear()
        try:
            self._parser.write(data)
        except FormParserError:
            raise FormMalformed from None
        return b"".join(self._pieces)

    def finish(self) -> None:
        """Raise FormMalformed unless the form has ended and had its one file."""
        if not self._is_complete or self._parts != 1:
            raise FormMalformed

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise FormMalformed

    def _read_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _read_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _begin_file(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or options.get(b"name") != FIELD or b"filename" not in options:
            raise FormMalformed
        self.file_name = options[b"filename"]

    def _read_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        self._is_complete = True
