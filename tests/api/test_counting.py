"""What the metrics count: commands that were written or refused, and whose fault it is that nothing was answered."""

import re

from tests.api.running import WIRE, Installation
from tests.raw_http import dial, raw_command
from tests.waiting import wait_until

T = "/api/v1/transactions"


def count(installation: Installation, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", WIRE.get(f"{installation.base_url}/metrics").text, re.MULTILINE)
    assert found is not None, series
    return float(found[1])


def stored(installation: Installation) -> float:
    return count(installation, 'escrow_commands_total{outcome="stored"}')


def test_what_is_only_tried_does_not_count_as_stored(installation: Installation) -> None:
    transaction, buyer = installation.sold(), installation.people["buyer"]
    before, body = stored(installation), {"category": "not_working", "statement": "It does not work."}
    assert buyer.post(f"{T}/{transaction}/disputes?dry_run=true", body).status_code == 200
    assert stored(installation) == before
    assert buyer.post(f"{T}/{transaction}/disputes", body).status_code == 201
    assert stored(installation) == before + 1


def test_a_client_who_goes_away_is_no_fault_of_ours(installation: Installation) -> None:
    series = {each: f'escrow_http_requests_total{{route="unmatched",status="{each}"}}' for each in ("4xx", "5xx")}
    before = {each: count(installation, name) for each, name in series.items()}
    buyer = installation.people["buyer"]
    with dial(installation.base_url) as wire:
        wire.sendall(raw_command(f"POST {T}", b'{"listing_id":', buyer.token, "gone", Content_Length="100"))
    wait_until(lambda: count(installation, series["4xx"]), lambda counted: counted == before["4xx"] + 1)
    assert count(installation, series["5xx"]) == before["5xx"]
