"""No secret stands in anything that a running system writes: files, database, logs, mail, answers, exports, dumps."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest

from database.facts import read_facts
from tests.canaries import find_secrets, read_what_was_written
from tests.cli.secret_story import CODE, Story, tell
from tests.running_demo import Demo

PRINTED = (
    ("events", "--json", "--limit", "1000"),
    ("access", "list", "--json", "--limit", "1000"),
    ("mail", "list", "--json"),
    ("webhooks", "list", "--json"),
)
FAULTS = "passwords, credentials, tokens and keys, right, wrong and malformed, through the real API"


@pytest.fixture(scope="module")
def story(demo: Demo) -> Story:
    """A sale that is full of secrets, told once."""
    told = Story(demo)
    tell(told)
    return told


@pytest.mark.weakness("W31")
@pytest.mark.guarantee("G27", faults=FAULTS, runs="every answer, log, list and paper of one sale")
def test_no_secret_stands_in_any_answer_log_or_export(story: Story) -> None:
    demo = story.demo
    written: dict[object, bytes] = {**story.answers, **download(story)}
    for arguments in PRINTED:
        done = demo.escrow(*arguments)
        assert done.returncode == 0, done.stderr
        written[arguments] = (done.stdout + done.stderr).encode()
    logs = {path: path.read_bytes() for path in [*Path(demo.home, "log").glob("*"), demo.home / "out"]}
    assert len(logs) > 2
    assert find_secrets(story.secrets, {**written, **logs}) == []
    said = b"\n".join(logs.values()).decode(errors="replace")
    assert not {match[1] for match in re.finditer(rf"(?<!\.){CODE.pattern}", said)} & story.used


@pytest.mark.weakness("W31")
@pytest.mark.guarantee("G27", faults=FAULTS, runs="every file and a dump of one sale")
def test_no_secret_stands_in_any_file_of_the_database_or_the_home(story: Story) -> None:
    facts = read_facts(story.demo.home).embedded
    assert facts is not None
    with psycopg.connect(story.demo.facts["dsn"]["owner"], autocommit=True) as connection:
        connection.execute("CREATE TABLE planted AS SELECT 'something-that-is-searched-for'::text AS word")
        try:
            files = {**read_what_was_written(facts.root, story.started), **read_what_was_written(story.demo.home, 0)}
        finally:
            connection.execute("DROP TABLE planted")
    assert find_secrets([b"something-that-is-searched-for"], files), "the search itself finds nothing"
    assert any("pg_wal" in path.parts for path in files)
    assert {"demo.json", "pepper"} <= {path.name for path in files}
    assert find_secrets(story.secrets, {**files, "pg_dump": dump(story, facts.bin_dir)}) == []


def download(story: Story) -> Mapping[object, bytes]:
    """What people take away: papers, statements, the metrics, what the officer and the auditor read."""
    base_url, found = story.demo.facts["base_url"], dict[object, bytes]()
    asked = [
        ("buyer", "/metrics", "text/plain"),
        ("super_admin", "/api/v1/admin/access-log?limit=100", "application/json"),
        ("super_admin", f"/api/v1/admin/transactions/{story.transaction}", "application/json"),
        ("auditor", f"/api/v1/audit/statements?transaction_id={story.transaction}", "text/csv"),
        ("auditor", f"/api/v1/transactions/{story.transaction}/events?limit=100", "application/json"),
        ("auditor", f"/api/v1/transactions/{story.transaction}/contract", "text/plain"),
        ("auditor", f"/api/v1/transactions/{story.transaction}/contract", "application/pdf"),
    ]
    for name, path, media_type in asked:
        headers = {"Authorization": f"Bearer {story.token_of(name)}", "Accept": media_type}
        answer = httpx.get(f"{base_url}{path}", headers=headers, trust_env=False, timeout=30)
        found[f"{path} as {media_type}"] = answer.raise_for_status().content
    return found


def dump(story: Story, bin_dir: Path | None) -> bytes:
    """Everything that a backup with pg_dump holds."""
    assert bin_dir is not None
    command = [bin_dir / "pg_dump", "--inserts", story.demo.facts["dsn"]["owner"]]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert b"vault_grants" in done.stdout
    return done.stdout
