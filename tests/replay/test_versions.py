"""Another version of Python folds the log into the same rows, byte by byte.

The other one is CPython compiled to WebAssembly, run by Node.js: it comes from the registry of npm, so that no second
Python has to be installed. Where Node.js or that package cannot be had, the test says so and is skipped.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import files
from pathlib import Path

import pytest

from domain.event import Event
from eventstore.transcoder import encode
from tests.projections.wandering import wander

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PYODIDES = {"3.12": "0.27.7", "3.13": "0.28.3", "3.14": "314.0.7"}
PURE = ("eventsourcing", "structlog", "typing_extensions")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many sales that go anywhere."""
    story, _ = wander(8, sales=200, steps=5_000)
    return write(story.events, tmp_path_factory.mktemp("log") / "log.jsonl")


def write(events: Sequence[Event], file: Path) -> Path:
    lines = [
        {
            "stream": str(event.originator_id),
            "version": event.originator_version,
            "topic": type(event).TOPIC,
            "state": encode(event).decode(),
        }
        for event in events
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return file


def fold_here(log: Path) -> dict[str, object]:
    """By a process of this Python."""
    program = [sys.executable, str(HERE / "fold_file.py"), str(log)]
    done = subprocess.run(program, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    return json.loads(done.stdout)


def fold_there(log: Path, version: str, folder: Path) -> dict[str, object]:
    """By a process of the other one."""
    pyodide = install(version, folder)
    packages = lend_packages(folder / "packages")
    program = ["node", str(HERE / "fold_file.mjs"), str(pyodide), str(ROOT), str(packages), str(log)]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def install(version: str, folder: Path) -> Path:
    """The package from npm, into this folder alone."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are needed for another Python")
    program = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", f"pyodide@{PYODIDES[version]}"]
    done = subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm does not give pyodide: {done.stderr[-300:]}")
    return folder / "node_modules" / "pyodide"


def lend_packages(folder: Path) -> Path:
    """The few pure packages that a fold needs, in a folder where nothing else is."""
    for name in PURE:
        for file in files(name) or ():
            if file.suffix == ".py" and ".." not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    return folder


@pytest.mark.soak
@pytest.mark.guarantee("G8", faults="another version of Python, in WebAssembly", runs="3.12, 3.13 and 3.14")
@pytest.mark.parametrize("version", PYODIDES)
def test_another_python_folds_the_same_rows(log: Path, version: str, tmp_path: Path) -> None:
    here, there = fold_here(log), fold_there(log, version, tmp_path)
    assert str(there.pop("python")).startswith(version)
    here.pop("python")
    assert there == here
    assert here["events"] > 5_000  # type: ignore[operator]
