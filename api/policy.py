"""The money settings in force: changed through events, else those the program was started with."""

from dataclasses import replace

from api.dependencies import Dependencies
from domain.configuration import CONFIGURATION_ID, Configuration, Setting
from domain.errors import NotFound
from domain.money import Currency, CurrencyUnsupported
from domain.policy import Terms, limit_usd_cents
from domain.transaction.opening import UsdRate


async def get_setting(dependencies: Dependencies, setting: Setting) -> int | None:
    """Return what a setting was changed to; None when nobody ever changed it."""
    try:
        configuration = await dependencies.escrow.get(Configuration, CONFIGURATION_ID)
    except NotFound:
        return None
    return configuration.values.get(setting)


async def get_terms(dependencies: Dependencies) -> Terms:
    """Return the terms of a transaction that is opened now."""
    fee_bps = await get_setting(dependencies, Setting.FEE_BPS)
    return dependencies.terms if fee_bps is None else replace(dependencies.terms, fee_bps=fee_bps)


async def get_limit(dependencies: Dependencies) -> int:
    """Return what one person may move alone, in US cents."""
    changed = await get_setting(dependencies, Setting.FOUR_EYES_ABOVE_USD)
    return limit_usd_cents(dependencies.settings.escrow_four_eyes_above_usd, changed)


async def get_refund_limit(dependencies: Dependencies) -> int | None:
    """Return the same for a refund, which break-glass frees of its limit (None)."""
    if await get_setting(dependencies, Setting.BREAK_GLASS):
        return None
    return await get_limit(dependencies)


def get_rate(dependencies: Dependencies, currency: Currency) -> UsdRate:
    """Return the rate for reports and limits. Raises CurrencyUnsupported."""
    rate = dependencies.rates.get(currency)
    if rate is None:
        raise CurrencyUnsupported
    return rate
