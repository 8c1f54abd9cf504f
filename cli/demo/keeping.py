"""What the demo keeps in its home from one start to the next, readable by the owner alone."""

import json
from dataclasses import dataclass
from pathlib import Path

from database.private_file import replace_private_file

STORY_FILE = "story.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Which transactions have been told, by phase, kept one by one: a first start may be interrupted anywhere."""

    file: Path
    told: dict[str, str]

    @classmethod
    def read(cls, home: Path) -> "Story":
        """Return what earlier starts have told; nothing on the first."""
        file = home / STORY_FILE
        return cls(file=file, told=json.loads(file.read_text()) if file.exists() else {})

    def keep(self, phase: str, transaction_id: str) -> None:
        """Never tell this one again."""
        self.told[phase] = transaction_id
        write_private(self.file, self.told)


def read_people(file: Path) -> dict[str, dict[str, str]]:
    """Return the people that were made, by name; secrets are among what makes them."""
    return json.loads(file.read_text()) if file.exists() else {}


def write_private(file: Path, content: object) -> None:
    """Write whole or not at all, readable by the owner alone: it may hold passwords."""
    replace_private_file(file, json.dumps(content, indent=2).encode() + b"\n")
