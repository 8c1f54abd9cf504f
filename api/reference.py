"""Write the tables of docs/reference/http-api.md from the routes and the errors themselves.

`.venv/bin/python -m api.reference docs/reference/http-api.md`
"""

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from fastapi.routing import APIRoute

import api
import database
import domain
import eventstore
import gateways
import identity
import projections
import reactions
import vault
from api.app import ROUTERS
from domain.errors import SERVER_ERROR, EscrowError

START = "<!-- generated: .venv/bin/python -m api.reference docs/reference/http-api.md -->\n"
END = "<!-- end of generated -->\n"
ROOMS = (domain, database, eventstore, projections, gateways, identity, vault, reactions, api)


def render_reference() -> str:
    """Return the generated part of the page."""
    return f"{START}\n{_routes()}\n\n## Problems\n\n{_problems()}\n\n{END}"


def _routes() -> str:
    lines: list[str] = []
    for router in ROUTERS:
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        title = str(router.tags[0]) if router.tags else "other"
        if f"### {title}" not in lines:
            lines += ["", f"### {title}", "", "| route | |", "|---|---|"]
        lines += [
            f"| `{method} {route.path}` | {_first_line(route)} |" for route in routes for method in route.methods or ()
        ]
    return "\n".join(lines).strip()


def _first_line(route: APIRoute) -> str:
    return route.description.split("\n")[0].replace("|", "\\|")


def _problems() -> str:
    rows = {f"| `{kind.code}` | {kind.status} | {_sentence(kind)} |" for kind in list_errors()}
    return "\n".join(["| code | status | |", "|---|---|---|", *sorted(rows)])


def _sentence(kind: type[EscrowError]) -> str:
    return " ".join((kind.__doc__ or "").split()).replace("|", "\\|")


def list_errors() -> list[type[EscrowError]]:
    """Return every error that a client can meet, with a code of its own."""
    for room in ROOMS:
        _import_all(room)
    rooms = {room.__name__ for room in ROOMS}
    return [
        kind
        for kind in _descend(EscrowError)
        if "code" in kind.__dict__ and kind.status != SERVER_ERROR and kind.__module__.partition(".")[0] in rooms
    ]


def _import_all(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _descend(kind: type[EscrowError]) -> list[type[EscrowError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _descend(child))]


def main(path: Path) -> None:
    """Replace the generated part of the page."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    path.write_text(before + render_reference() + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
