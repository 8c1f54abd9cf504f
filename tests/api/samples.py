"""Small files of every kind that is taken, made by well-known writers or by the book; and some that are refused."""

import io
import struct
import zipfile
import zlib

from fpdf import FPDF
from PIL import Image


def picture(form: str, **options: object) -> bytes:
    """A picture of 64 by 48 pixels in a form that Pillow writes."""
    gradient = Image.radial_gradient("L").resize((64, 48)).convert("RGB")
    file = io.BytesIO()
    gradient.save(file, form, **options)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size, and holds one row of it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 10)), (b"IEND", b""))
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pdf(text: str = "A receipt") -> bytes:
    """A page with a line on it."""
    document = FPDF()
    document.add_page()
    document.set_font("Helvetica", size=12)
    document.cell(text=text)
    return bytes(document.output())


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4(*more: bytes, brand: bytes = b"isom", handler: bytes = b"vide") -> bytes:
    """The boxes of a video with one track."""
    track = box(b"trak", box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(13))))
    return b"".join(
        (
            box(b"ftyp", brand, bytes(4), b"isommp42"),
            box(b"moov", box(b"mvhd", bytes(100)), track),
            *more,
            box(b"mdat", b"\x55" * 64),
        )
    )


def element(name: str, *content: bytes) -> bytes:
    body = b"".join(content)
    return bytes.fromhex(name) + struct.pack(">Q", len(body) | 1 << 56) + body


def webm(*more: bytes, document: bytes = b"webm", is_open: bool = False) -> bytes:
    """The elements of a video with one track; `is_open` as browsers record it, without knowing the end."""
    header = element("1a45dfa3", element("4282", document))
    body = b"".join(
        (
            element("1549a966", element("2ad7b1", b"\x0f\x42\x40")),
            element("1654ae6b", element("ae", element("d7", b"\1"), element("83", b"\1"))),
            *more,
        )
    )
    if is_open:
        unknown = b"\x01" + b"\xff" * 7
        return header + bytes.fromhex("18538067") + unknown + body + bytes.fromhex("1f43b675") + unknown + b"\x55" * 40
    return header + element("18538067", body, element("1f43b675", b"\x55" * 40))


SAMPLES = {
    "image/png": picture("PNG"),
    "image/jpeg": picture("JPEG"),
    "image/webp": picture("WEBP"),
    "application/pdf": pdf(),
    "video/mp4": mp4(),
    "video/webm": webm(),
}
PNG = SAMPLES["image/png"]


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("run.js", "alert(1)")
    return file.getvalue()


SCRIPT = b"<script>alert(1)</script>"
OTHERS = {
    "an SVG with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a page": b"<!doctype html><body onload=alert(1)>",
    "an archive": archive(),
    "a program": b"\x7fELF" + bytes(60),
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "a GIF": b"GIF89a" + bytes(20),
    "a photo that is HEIC": box(b"ftyp", b"heic", bytes(4)),
    "text": b"Just believe me.",
    "one byte": b"\x89",
}
TWO_THINGS = {
    "a PNG with a page in a comment": PNG[:33] + chunk(b"tEXt", SCRIPT) + PNG[33:],
    "a JPEG with a page in a comment": picture("JPEG", comment=SCRIPT),
    "a JPEG with a PDF in a comment": picture("JPEG", comment=b"%PDF-1.7"),
    "an MP4 with an archive at its end": mp4() + box(b"free", archive()),
    "a WebM with an archive at its end": webm() + element("ec", archive()),
    "a WebP of one kind and chunks of another": SAMPLES["image/webp"][:12] + b"HTML" + SAMPLES["image/webp"][16:],
    "a PDF with an archive whose comment ends like a PDF": pdf() + archive()[:-2] + b"\x06\0%%EOF\n",
}
