"""Banks, as people choose one."""

from pydantic import BaseModel

from gateways.bank import Bank


class BankItem(BaseModel):
    """A bank or mobile money provider; `code` is the `bank_code` of a payout account, `type` its `type` where known."""

    code: str
    name: str
    type: str | None

    @classmethod
    def of(cls, bank: Bank) -> "BankItem":
        """Show one."""
        return cls(code=bank.code, name=bank.name, type=bank.type)


class BanksView(BaseModel):
    """All of them, in Paystack's order."""

    items: list[BankItem]
