"""`.venv/bin/python -m tests.simulation`: run seeds, show how fast, and print what replays a failure."""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from tests.simulation.database import own_databases
from tests.simulation.kept import COMMAND, keep, replay_command
from tests.simulation.runner import Outcome
from tests.simulation.spread import play
from tests.simulation.world import Plan

DIFFERENCE = 3


def main() -> int:
    """Return 0 when every seed came to rest as it should, 3 otherwise."""
    options = _parse()
    plan = _plan(options)
    processes = min(options.processes or len(os.sched_getaffinity(0)), options.seeds)
    began = time.monotonic()
    with own_databases(processes) as databases, closing(play(databases, options.first, options.seeds, plan)) as played:
        totals, failed = _follow(played, options)
    totals["seconds"] = round(time.monotonic() - began, 1)
    summary = {**totals, "processes": processes, "failed": failed}
    print(json.dumps(summary) if options.json else _sentence(summary))
    return DIFFERENCE if failed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first one")
    parser.add_argument("--steps", type=int, default=Plan.steps, help="random steps before everything heals")
    parser.add_argument("--transactions", type=int, default=Plan.transactions, help="how many at most in a seed")
    parser.add_argument("--misbehave", action="store_true", help="let everything go wrong in every seed")
    parser.add_argument("--no-webhooks", action="store_true", help="deliver none: only polls tell")
    parser.add_argument("--processes", type=int, default=0, help="how many play at once, by default one per core")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    parser.add_argument("--trace", action="store_true", help="print the steps of every seed")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(
        steps=options.steps,
        transactions=options.transactions,
        misbehave=options.misbehave,
        webhooks=not options.no_webhooks,
    )


def _follow(played: Iterator[Outcome], options: argparse.Namespace) -> tuple[dict, list[int]]:
    began, failed, totals, phases = time.monotonic(), [], Counter(), Counter()
    for outcome in played:
        totals.update(seeds=1, steps=options.steps, events=outcome.events, transactions=sum(outcome.phases.values()))
        phases.update(outcome.phases)
        _report(outcome, options)
        failed += [outcome.seed] if outcome.failure else []
        _progress(totals["seeds"], options.seeds, time.monotonic() - began)
        if failed and not options.keep_going:
            break
    return {**totals, "phases": dict(sorted(phases.items()))}, failed


def _report(outcome: Outcome, options: argparse.Namespace) -> None:
    if options.trace or outcome.failure:
        print("\n".join(outcome.trace), file=sys.stderr)
    if outcome.failure:
        plan = _plan(options)
        print(outcome.failure, file=sys.stderr)
        print(f"replay: {replay_command(outcome.seed, plan)}", file=sys.stderr)
        print(f"keep in failed_seeds.txt: {keep(outcome.seed, plan)}", file=sys.stderr)


def _progress(done: int, seeds: int, seconds: float) -> None:
    rate = done / seconds
    left = (seeds - done) / rate
    end = "\n" if done == seeds else ""
    if sys.stderr.isatty() or done == seeds or done % 50 == 0:
        text = f"\r{done}/{seeds} seeds, {rate:.1f} a second, {left:.0f} s left "
        print(text, end=end if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def _sentence(summary: dict) -> str:
    return (
        f"{summary['seeds']} seeds in {summary['processes']} processes: {summary['transactions']} transactions, "
        f"{summary['steps']} steps, {summary['events']} events in {summary['seconds']} s; "
        f"failed: {summary['failed'] or 'none'}; ends: {summary['phases']}"
    )


if __name__ == "__main__":
    sys.exit(main())
