"""What `escrow setting` does: money settings are events, because whoever changes a fee or a limit moves money."""

from decimal import Decimal

from cli.operator import make_request, run_on_log
from cli.output import print_rows, report
from database.settings import Settings
from domain.configuration import CONFIGURATION_ID, ChangeSetting, Configuration, Setting, StartConfiguration
from domain.errors import Invalid, NotFound
from domain.policy import CENT, Terms, limit_usd_cents
from eventstore.escrow import Escrow


class SettingUnknown(Invalid):
    """There is no such money setting: there are fee_bps, four_eyes_above_usd and break_glass."""

    code = "setting_unknown"


def list_settings(*, as_json: bool) -> None:
    """Print every money setting, its value and where that comes from."""
    settings = Settings()
    found = run_on_log(settings, lambda _pool, escrow: _find(escrow))
    changed = {} if found is None else found.values
    limit = limit_usd_cents(settings.escrow_four_eyes_above_usd, changed.get(Setting.FOUR_EYES_ABOVE_USD))
    values = {
        Setting.FEE_BPS: changed.get(Setting.FEE_BPS, Terms().fee_bps),
        Setting.FOUR_EYES_ABOVE_USD: in_dollars(limit),
        Setting.BREAK_GLASS: changed.get(Setting.BREAK_GLASS, 0),
    }
    columns = ("name", "value", "changed")
    rows = [(name.value, value, name in changed) for name, value in values.items()]
    print_rows("settings", [dict(zip(columns, row, strict=True)) for row in rows], columns, as_json=as_json)


def in_dollars(cents: int) -> Decimal | int:
    """Return a sum in dollars; a whole number, as most are, without decimals."""
    dollars = cents * CENT
    return int(dollars) if dollars == int(dollars) else dollars


def change_setting(name: str, value: int, reason: str, *, as_json: bool) -> None:
    """Record a new value. Raises `SettingUnknown`, `SettingOutOfRange` and `ReasonTooShort`."""
    if name not in set(Setting):
        raise SettingUnknown
    command = ChangeSetting(setting=Setting(name), value=value, reason=reason)
    position = run_on_log(Settings(), lambda _pool, escrow: _change(escrow, command))
    report({"position": position}, f"{name} is {value} from position {position} on", as_json=as_json)


async def _change(escrow: Escrow, command: ChangeSetting) -> int:
    """The same change at the same version is a repeat."""
    found = await _find(escrow)
    if found is None:
        starting = make_request("configuration", "0", "start")
        found = (await escrow.execute(CONFIGURATION_ID, StartConfiguration(), starting)).aggregate
    request = make_request("configuration", str(found.version), repr(command))
    return (await escrow.execute(CONFIGURATION_ID, command, request)).position


async def _find(escrow: Escrow) -> Configuration | None:
    try:
        return await escrow.get(Configuration, CONFIGURATION_ID)
    except NotFound:
        return None
