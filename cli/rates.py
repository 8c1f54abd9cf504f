"""Rates to the US dollar, with their date: for limits and reports, never for moving money."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from cli.errors import NotReady
from domain.errors import EscrowError
from domain.money import Currency
from domain.transaction.opening import UsdRate

RATES_FILE = "rates.json"
DEFAULT_ON = "2026-11-01"
DEFAULT_UNITS_PER_USD: Mapping[Currency, str] = {
    Currency.NGN: "1500",
    Currency.GHS: "12.5",
    Currency.KES: "129.5",
    Currency.ZAR: "17.5",
}


class RatesInvalid(NotReady):
    """rates.json must look like {"on": "2026-11-01", "units_per_usd": {"KES": "129.5"}}, decimals as text."""

    code = "rates_invalid"


def load_rates(home: Path) -> Mapping[Currency, UsdRate]:
    """Return the rates of `ESCROW_HOME/rates.json`, with round defaults for what it does not name.

    Raises `RatesInvalid`.
    """
    units = {
        currency: UsdRate(currency=currency, units_per_usd=rate, on=DEFAULT_ON)
        for currency, rate in DEFAULT_UNITS_PER_USD.items()
    }
    file = home / RATES_FILE
    if file.exists():
        units |= _read(file)
    return units


def _read(file: Path) -> dict[Currency, UsdRate]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        named = TypeAdapter(dict[Currency, str]).validate_python(content["units_per_usd"])
        on = TypeAdapter(str).validate_python(content["on"])
        return {currency: UsdRate(currency=currency, units_per_usd=rate, on=on) for currency, rate in named.items()}
    except (KeyError, TypeError, ValueError, ValidationError, EscrowError):
        raise RatesInvalid(file=str(file)) from None
