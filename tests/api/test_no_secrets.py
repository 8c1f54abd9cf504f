"""A system that does write a secret down is found out."""

import pytest
import structlog

from api.bodies import LoginBody
from api.dependencies import Dependencies
from api.flows.sign_in import begin_session
from identity.sign_in import SignedIn
from tests.api.running import Installation
from tests.api.signing_in import ask_to_sign_in
from tests.canaries import find_secrets

CANARY = "canary-of-the-log-line \u00e4"


@pytest.mark.guarantee("G27", planted="a line of the log has the password that was typed")
def test_a_password_in_a_log_line_is_found(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def sign_in() -> list[str]:
        ask_to_sign_in(installation, installation.people["other"].email, CANARY)
        return find_secrets([CANARY.encode()], {"out": "".join(capfd.readouterr()).encode()})

    async def talk(dependencies: Dependencies, body: LoginBody, address: str, agent: str | None) -> SignedIn:
        structlog.get_logger("api").info("sign_in", tried=body.password)
        return await begin_session(dependencies, body, address, agent)

    assert sign_in() == []
    monkeypatch.setattr("api.routes.auth.begin_session", talk)
    assert sign_in() == ["out"]
