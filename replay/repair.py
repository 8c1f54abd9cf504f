"""Repair: verify, then fold anew only what differs, then verify that again."""

from collections.abc import Sequence
from dataclasses import dataclass

from eventstore.idempotency import rebuild_idempotency
from replay.damage import LogDamaged
from replay.finding import OF_COMMANDS, OF_TABLES, OnFinding
from replay.progress import Progress, ignore
from replay.rebuild import Rebuilt, rebuild
from replay.report import Report
from replay.shadow import connect_owner
from replay.verify import verify


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """`before` says what was wrong; `rebuilt` is None when no read model was; `after` is the second verification.

    `commands` is how many rows the table of commands has after it was folded anew, None when it was right.
    """

    before: Report
    rebuilt: Rebuilt | None
    commands: int | None
    after: Report | None

    @property
    def ok(self) -> bool:
        """Whether everything is right now."""
        return (self.after or self.before).ok

    def as_json(self) -> dict[str, object]:
        """Stable names."""
        return {
            "ok": self.ok,
            "before": self.before.as_json(),
            "rebuilt": None if self.rebuilt is None else self.rebuilt.as_json(),
            "commands": self.commands,
            "after": None if self.after is None else self.after.as_json(),
        }


def repair(
    dsn: str,
    *,
    actor: str,
    projections: Sequence[str] | None = None,
    dry_run: bool = False,
    processes: int | None = None,
    progress: Progress = ignore,
    on_finding: OnFinding | None = None,
) -> Repaired:
    """Verify everything, and fold anew the read models that differ and the table of commands if it does.

    With `dry_run` only say which. Raises `LogDamaged` when the log itself has findings (nothing can be made from it),
    and what `rebuild` raises.
    """
    before = verify(
        dsn, actor=actor, projections=projections, processes=processes, progress=progress, on_finding=on_finding
    )
    _refuse_damage(before)
    rebuilt = None
    if before.differing:
        rebuilt = rebuild(
            dsn,
            actor=actor,
            projections=before.differing,
            dry_run=dry_run,
            check_log=False,  # it was verified a moment ago
            processes=processes,
            progress=progress,
        )
    forgotten = any(kind in OF_COMMANDS for kind in before.counts)
    commands = _rebuild_commands(dsn) if forgotten and not dry_run else None
    if dry_run or (rebuilt is None and commands is None):
        return Repaired(before=before, rebuilt=rebuilt, commands=commands, after=None)
    after = verify(
        dsn, actor=actor, projections=before.differing, log=forgotten, processes=processes, progress=progress
    )
    return Repaired(before=before, rebuilt=rebuilt, commands=commands, after=after)


def _refuse_damage(report: Report) -> None:
    damage = [finding.describe() for finding in report.findings if finding.kind not in OF_TABLES | OF_COMMANDS]
    if damage:
        raise LogDamaged(findings=damage[:10])


def _rebuild_commands(dsn: str) -> int:
    with connect_owner(dsn) as connection:
        return rebuild_idempotency(connection)
