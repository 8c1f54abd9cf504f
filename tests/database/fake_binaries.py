"""A PostgreSQL that is none."""

from pathlib import Path


def make_fake(bin_dir: Path, version: str) -> None:
    """Programs that only tell their version."""
    bin_dir.mkdir(parents=True, exist_ok=True)
    for program in ("initdb", "postgres"):
        (bin_dir / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (bin_dir / program).chmod(0o755)
