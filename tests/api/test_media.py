"""What a file is by what it holds: every kind that is taken, cut off anywhere, changed, or two things at once."""

import struct

import pytest

from api.files.media import LARGEST_BYTES, MediaType, inspect_data, require_size
from api.files.media.errors import FileEmpty, FileTooLarge, ImageTooLarge, MediaDamaged, MediaUnsupported
from domain.errors import EscrowError
from tests.api.samples import OTHERS, SAMPLES, TWO_THINGS, box, element, mp4, pdf, picture, png_of, webm

VARIANTS = {
    "a progressive JPEG": picture("JPEG", progressive=True, quality=95),
    "a JPEG with restarts": picture("JPEG", restart_marker_blocks=2),
    "a JPEG with a comment": picture("JPEG", comment=b"taken in the garden"),
    "a WebP without loss": picture("WEBP", lossless=True),
    "a WebP with EXIF": picture("WEBP", exif=b"Exif\0\0II*\0"),
    "a WebM as browsers record it": webm(is_open=True),
    "an MP4 with space for an index": mp4(box(b"free", bytes(32))),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kind_is_known_by_what_it_holds(name: str):
    assert inspect_data(SAMPLES[name]) is MediaType(name)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_cameras_and_writers_make_is_taken(name: str):
    inspect_data(VARIANTS[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_off_anywhere_it_is_refused_and_never_a_defect(name: str):
    whole = SAMPLES[name]
    steps = range(len(whole)) if len(whole) < 2_000 else range(0, len(whole), len(whole) // 500)
    for length in steps:
        if whole[:length].rstrip() == whole.rstrip():
            continue  # a PDF without its last line break
        with pytest.raises(EscrowError) as refused:
            inspect_data(whole[:length])
        assert refused.value.status in {415, 422}


@pytest.mark.parametrize("name", SAMPLES)
def test_something_behind_the_end_is_refused(name: str):
    with pytest.raises(MediaDamaged):
        inspect_data(SAMPLES[name] + b"MZ and a program")


ACTIVE = {
    "a PDF that runs a script": pdf().replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction <</S /JavaScript>>"),
    "a PDF that starts a program": pdf().replace(b"/Type /Catalog", b"/Type /Catalog /AA <</S /Launch>>"),
    "a PDF that holds a file": pdf().replace(b"/Type /Catalog", b"/Type /Catalog /Names <</EmbeddedFiles 1 0 R>>"),
    "a Matroska that is no WebM": webm(document=b"matroska"),
    "a WebM with attachments": webm(element("1941a469", b"x" * 20)),
    "a sound without a picture": mp4(handler=b"soun"),
    "an MP4 with a box of no kind": mp4(box(b"evil", bytes(10))),
    "an MP4 of another brand": mp4(brand=b"heic"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_of_no_kind_is_refused(name: str):
    with pytest.raises((MediaUnsupported, MediaDamaged)):
        inspect_data(OTHERS[name])


@pytest.mark.parametrize("name", TWO_THINGS)
def test_what_is_two_things_is_refused(name: str):
    with pytest.raises(MediaDamaged):
        inspect_data(TWO_THINGS[name])


@pytest.mark.parametrize("name", ACTIVE)
def test_what_is_active_or_hides_something_is_refused(name: str):
    with pytest.raises(MediaDamaged):
        inspect_data(ACTIVE[name])


def test_a_flipped_byte_of_a_png_is_noticed():
    whole = SAMPLES["image/png"]
    for at in range(len(whole)):
        with pytest.raises(EscrowError):
            inspect_data(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])


def webp_of(side: int) -> bytes:
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (side - 1).to_bytes(3, "little") * 2
    body = b"WEBP" + canvas + SAMPLES["image/webp"][12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of(side: int) -> bytes:
    whole = SAMPLES["image/jpeg"]
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", side, side) + whole[at + 4 :]


@pytest.mark.parametrize("bomb", [png_of(50_000, 50_000), jpeg_of(50_000), webp_of(16_384), png_of(30_001, 1)])
def test_an_image_that_would_fill_the_memory_is_refused_by_its_header(bomb: bytes):
    assert len(bomb) < 10_000
    with pytest.raises(ImageTooLarge):
        inspect_data(bomb)


def test_millions_of_parts_are_not_looked_at():
    with pytest.raises(MediaDamaged):
        inspect_data(mp4(box(b"free") * 100_000))


def test_nothing_and_too_much():
    with pytest.raises(FileEmpty):
        inspect_data(b"")
    for kind in MediaType:
        require_size(kind, LARGEST_BYTES[kind.kind])
        with pytest.raises(FileTooLarge):
            require_size(kind, LARGEST_BYTES[kind.kind] + 1)
