"""Requests made up from the OpenAPI document: no 5xx, and every answer is one that the document announces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.running import Installation

EXAMPLES = os.environ.get("ESCROW_EXAMPLES")
RUNS = [
    ("super_admin", "1"),
    pytest.param("super_admin", "3", marks=pytest.mark.soak),
    pytest.param("seller", "3", marks=pytest.mark.soak),
]
NOT_CHECKED = "positive_data_acceptance,use_after_free,ensure_resource_availability,object_level_authorization"
"""What a schema cannot say: whether an id exists, what the state allows, whose object it is. The matrix checks that."""


@pytest.mark.guarantee(
    "G21",
    faults="requests made up from the OpenAPI document",
    runs="1 example for each operation as super_admin, in `make soak` 3, as seller too; ESCROW_EXAMPLES= for more",
)
@pytest.mark.parametrize(("name", "examples"), RUNS)
def test_made_up_requests_get_documented_answers(
    installation: Installation, tmp_path: Path, name: str, examples: str
) -> None:
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{installation.base_url}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {installation.people[name].token}",
        "--checks",
        "all",
        "--exclude-checks",
        NOT_CHECKED,
        "--max-examples",
        EXAMPLES or examples,
        "--phases",
        "examples,coverage,fuzzing",
        "--generation-deterministic",
        "--exclude-path",
        "/api/v1/auth/logout",
        "--no-color",
    ]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False)
    assert ended.returncode == 0, ended.stdout.partition("FAILURES")[2][:12000] + ended.stderr[-2000:]
