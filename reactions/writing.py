"""Writing a message: a template and facts become a subject, a text and HTML.

A template is a text: the subject on its first line, then paragraphs. The HTML is made of the same paragraphs, escaped,
so the two never differ. A fact that is missing is an error, not a gap.
"""

import re
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, TemplateError, select_autoescape

from domain.errors import EscrowError
from identity.notification import Facts

SUBJECT = "Subject: "
PARAGRAPHS = re.compile(r"\n\s*\n")


class Unwritable(EscrowError):
    """A message cannot be written from these facts."""

    code = "message_unwritable"
    status = 500


class Letter(NamedTuple):
    """What somebody gets to read."""

    subject: str
    text: str
    html: str


def write(template: str, facts: Facts) -> Letter:
    """Return the message. Raises `Unwritable` for an unknown template and for a missing fact."""
    try:
        return _write(template, facts)
    except TemplateError as error:
        raise Unwritable(template=template, reason=type(error).__name__) from error


def _write(template: str, facts: Facts) -> Letter:
    source = _environment().get_template(f"{template}.txt").render(facts)
    first, _, body = source.partition("\n")
    subject = first.removeprefix(SUBJECT)
    paragraphs = [" ".join(part.split()) for part in PARAGRAPHS.split(body) if part.strip()]
    about = {"transaction": facts.get("transaction"), "listing": facts.get("listing")}
    text = _environment().get_template("letter.txt").render(body="\n\n".join(paragraphs), **about)
    html = _environment().get_template("letter.html").render(subject=subject, paragraphs=paragraphs, **about)
    return Letter(subject, text, html)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reactions", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
