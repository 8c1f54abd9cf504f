"""Money settings in the log: whoever changes a fee, a limit or break-glass leaves an event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.actor import IN_CHARGE, Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand
from domain.errors import Forbidden, Invalid
from domain.event import Context, CreatedEvent, Event
from domain.reason import require_reason

CONFIGURATION_ID = UUID("0d0c2f0e-8a53-5f0b-8f3b-5a1f9f0c7e11")


class Setting(StrEnum):
    """The settings that decide about money; all are whole numbers."""

    FOUR_EYES_ABOVE_USD = "four_eyes_above_usd"
    FEE_BPS = "fee_bps"
    BREAK_GLASS = "break_glass"


class SettingOutOfRange(Invalid):
    """A limit is from 0 to 10^9 dollars, a fee from 0 to 10000 basis points, break-glass is 0 or 1."""

    code = "setting_out_of_range"


LIMITS = {Setting.FOUR_EYES_ABOVE_USD: 10**9, Setting.FEE_BPS: 10_000, Setting.BREAK_GLASS: 1}


class ConfigurationStarted(CreatedEvent):
    """The installation was set up."""

    TOPIC = "configuration.started.v1"


class SettingChanged(Event):
    """A money setting has a new value from now on; transactions that are open keep theirs."""

    TOPIC = "configuration.setting_changed.v1"
    setting: Setting
    value: int
    reason: str

    def apply(self, aggregate: "Configuration") -> None:
        """It holds from now on."""
        aggregate.values[self.setting] = self.value


class Configuration(Aggregate):
    """The money settings that were changed; what is missing has its default."""

    TOPIC = "configuration"

    def __init__(self) -> None:
        self.values: dict[Setting, int] = {}

    @property
    def state(self) -> str:
        """A configuration is always in force."""
        return "in_force"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Super administrators change settings."""
        return ("change-setting",) if actor.role is Role.SUPER_ADMIN else ()

    def change(self, setting: Setting, value: int, reason: str) -> None:
        """Change a setting; the same value again changes nothing."""
        if self.actor.role not in IN_CHARGE:
            raise Forbidden
        require_reason(reason)
        if not 0 <= value <= LIMITS[setting]:
            raise SettingOutOfRange
        if self.values.get(setting) != value:
            self.record(SettingChanged, setting=setting, value=value, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConfiguration(CreationCommand[Configuration]):
    """Set the installation up."""

    aggregate_type = Configuration

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Configuration:
        """Return the new stream."""
        if context.actor.role not in IN_CHARGE:
            raise Forbidden
        return Configuration.start(ConfigurationStarted, stream_id, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSetting(Command[Configuration]):
    """Change a money setting."""

    aggregate_type = Configuration
    setting: Setting
    value: int
    reason: str

    def decide(self, aggregate: Configuration, *related: Aggregate) -> None:
        """Call `Configuration.change`."""
        aggregate.change(self.setting, self.value, self.reason)
