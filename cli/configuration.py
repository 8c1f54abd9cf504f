"""What `escrow setting` does: money settings are events, because whoever changes a fee or a limit moves money."""

import asyncio
import hashlib

from cli.accounts import OPERATOR, open_escrow
from cli.database import running_server
from cli.output import print_json, print_table, say
from database.connect import open_pool, resolve_dsn
from database.settings import Settings
from domain.configuration import CONFIGURATION_ID, ChangeSetting, Configuration, Setting, StartConfiguration
from domain.errors import Invalid, NotFound
from domain.policy import Terms
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request


class SettingUnknown(Invalid):
    """There is no such money setting: there are fee_bps, four_eyes_above_usd and break_glass."""

    code = "setting_unknown"


def list_settings(*, as_json: bool) -> None:
    """Print every money setting, its value and where that comes from."""
    settings = Settings()
    with running_server(settings):
        changed = asyncio.run(_read(settings))
    given = {
        Setting.FEE_BPS: Terms().fee_bps,
        Setting.FOUR_EYES_ABOVE_USD: int(settings.escrow_four_eyes_above_usd),
        Setting.BREAK_GLASS: 0,
    }
    rows = [
        {"name": name.value, "value": changed.get(name, value), "changed": name in changed}
        for name, value in given.items()
    ]
    if as_json:
        print_json({"settings": rows})
    else:
        print_table(rows, ("name", "value", "changed"))


async def _read(settings: Settings) -> dict[Setting, int]:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        found = await _find(open_escrow(pool, appender))
    return {} if found is None else found.values


def change_setting(name: str, value: int, reason: str, *, as_json: bool) -> None:
    """Record a new value. Raises `SettingUnknown`, `SettingOutOfRange` and `ReasonTooShort`."""
    if name not in set(Setting):
        raise SettingUnknown
    settings = Settings()
    with running_server(settings):
        position = asyncio.run(_change(settings, ChangeSetting(setting=Setting(name), value=value, reason=reason)))
    if as_json:
        print_json({"position": position})
    else:
        say(f"{name} is {value} from position {position} on")


async def _change(settings: Settings, command: ChangeSetting) -> int:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        escrow = open_escrow(pool, appender)
        found = await _find(escrow)
        if found is None:
            result = await escrow.execute(CONFIGURATION_ID, StartConfiguration(), _request("start", 0))
            found = result.aggregate
        return (await escrow.execute(CONFIGURATION_ID, command, _request(repr(command), found.version))).position


async def _find(escrow: Escrow) -> Configuration | None:
    try:
        return await escrow.get(Configuration, CONFIGURATION_ID)
    except NotFound:
        return None


def _request(key: str, version: int) -> Request:
    """The same at the same version is a repeat."""
    digest = hashlib.sha256(f"configuration:{version}:{key}".encode()).digest()
    return Request(actor=OPERATOR, command_id=digest, digest=digest, request_id=digest.hex()[:32])
