"""What a verification says in the end: one object for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from replay.finding import COMMANDS_TABLE, Finding, FindingKind
from replay.log import LogSummary
from replay.places import STOPS
from replay.projections import ProjectionSummary


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of `verify`. `findings` are the first ones, `counts` all of them by kind.

    `log` is None when the log was not verified; `not_checked` says what nobody should take for proven.
    """

    started_at: datetime
    finished_at: datetime
    head: int
    log: LogSummary | None
    projections: tuple[ProjectionSummary, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    not_checked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    @property
    def differing(self) -> tuple[str, ...]:
        """The projections that have findings, in the order in which they are folded."""
        return tuple(summary.name for summary in self.projections if summary.findings)

    @property
    def commands_differ(self) -> bool:
        """Whether the table of commands is not what the log says, or cannot be read."""
        return any(finding.table == COMMANDS_TABLE for finding in self.findings)

    @property
    def commands_need_a_new_file(self) -> bool:
        """Whether PostgreSQL cannot read the table of commands, or its index."""
        kinds = {found.kind for found in self.findings if found.table == COMMANDS_TABLE}
        return bool(kinds & {FindingKind.TABLE_UNREADABLE, FindingKind.COMMAND_HIDDEN})

    @property
    def stops_lost(self) -> bool:
        """Whether the table of where read models stopped cannot be read, or is gone."""
        return any(found.table == STOPS and found.kind is not FindingKind.INDEX_UNREADABLE for found in self.findings)

    @property
    def misindexed(self) -> tuple[str, ...]:
        """The tables beside the read models of which only the index is damaged."""
        return tuple(str(found.table) for found in self.findings if found.kind is FindingKind.INDEX_UNREADABLE)

    @property
    def unknown_checkpoints(self) -> tuple[str, ...]:
        """The names of checkpoints of which the program has no projection."""
        return tuple(str(found.key) for found in self.findings if found.kind is FindingKind.CHECKPOINT_UNKNOWN)

    def as_json(self) -> dict[str, object]:
        """Stable names; times are ISO 8601 in UTC, money is in minor units."""
        return {
            "ok": self.ok,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "head": self.head,
            "log": None if self.log is None else self.log.as_json(),
            "projections": [summary._asdict() for summary in self.projections],
            "counts": dict(self.counts),
            "findings": [finding.as_json() for finding in self.findings],
            "not_checked": list(self.not_checked),
        }
