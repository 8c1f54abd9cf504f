"""The errors that say: what is stored is not what was recorded. The command line ends with 3 for all of them."""

from domain.errors import DetailedError


class Damage(DetailedError):
    """What is stored is not what was recorded."""

    code = "damaged"
    status = 500


class LogDamaged(Damage):
    """The log is damaged, and what is folded from it would be wrong; nothing was changed. See `replay verify`."""

    code = "log_damaged"


class TableUnreadable(Damage):
    """A table cannot be read, or is gone. See `escrow replay verify`, which says what is damaged."""

    code = "table_unreadable"


class RebuildStopped(Damage):
    """A read model cannot be folded past an event; its old tables serve on. See the position, then verify the log."""

    code = "rebuild_stopped"


class RebuildUnproven(Damage):
    """What was rebuilt is not what the log adds up to; the old tables serve on."""

    code = "rebuild_unproven"
