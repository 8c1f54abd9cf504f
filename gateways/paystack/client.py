"""The Paystack client: all that `gateways` asks of a processor, over HTTP, for Paystack and for the stand-in alike."""

from datetime import datetime
from types import TracebackType
from typing import Self

from domain.money import Currency
from gateways.bank import Bank, Holder
from gateways.bookkeeping import BalanceEntry, Settlement
from gateways.chargeback import Answer, Chargeback, ChargebackStatus, Evidence, Upload
from gateways.payment import (
    Balance,
    Charge,
    ChargeLink,
    Mode,
    NewCharge,
    NewRecipient,
    NewRefund,
    NewTransfer,
    Recipient,
    Refund,
    RefundAccount,
    Transfer,
)
from gateways.paystack import (
    balance,
    bank,
    bookkeeping,
    charge,
    chargeback,
    integration,
    recipient,
    refund,
    transfer,
    upload,
)
from gateways.paystack.http import PAYSTACK_URL, PaystackHttp, Retries, Timeouts
from gateways.paystack.limiter import Limiter
from gateways.paystack.secret import SecretKey


class Paystack:
    """Paystack over one connection pool. Use it as an async context manager, or close it with `aclose`.

    Every command must have its intent committed before it is called, and its outcome recorded after: this class
    remembers nothing.
    """

    def __init__(self, http: PaystackHttp) -> None:
        """Speak over that exchange; `connect` builds the usual one."""
        self._http = http

    @classmethod
    def connect(
        cls,
        *,
        secret: SecretKey,
        base_url: str = PAYSTACK_URL,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        limiter: Limiter | None = None,
    ) -> Self:
        """Return a client; nothing is sent yet. Raises `BaseUrlUnsafe`."""
        return cls(PaystackHttp(secret=secret, base_url=base_url, timeouts=timeouts, retries=retries, limiter=limiter))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    @property
    def mode(self) -> Mode:
        """Whether the key moves real money."""
        return self._http.mode

    async def initialize(self, new: NewCharge) -> ChargeLink:
        """Open a checkout; `DuplicateReference` if the reference was ever used."""
        return await charge.initialize(self._http, new)

    async def verify_charge(self, reference: str) -> Charge:
        """Ask what became of a charge; `UnknownReference` if there is none."""
        return await charge.verify(self._http, reference)

    async def fetch_charge(self, processor_id: int) -> Charge:
        """Ask for a charge by Paystack's id; `UnknownReference` if there is none."""
        return await charge.fetch(self._http, processor_id)

    async def checkout_seconds(self) -> int:
        """Return how long after it was opened a checkout can be paid; 0 for ever."""
        return await integration.fetch_checkout_seconds(self._http)

    async def create_recipient(self, new: NewRecipient) -> Recipient:
        """Register a payout account; doing it twice gives the same recipient."""
        return await recipient.create(self._http, new)

    async def initiate_transfer(self, new: NewTransfer) -> Transfer:
        """Pay out; after `GatewayUncertain` or `DuplicateReference` only `verify_transfer` tells what happened."""
        return await transfer.initiate(self._http, new)

    async def verify_transfer(self, reference: str) -> Transfer:
        """Ask what became of a transfer; `UnknownReference` may mean not yet."""
        return await transfer.verify(self._http, reference)

    async def finalize_transfer(self, transfer_code: str, otp: str) -> Transfer:
        """Send the code that Paystack asked for; a refusal is about the code, `verify_transfer` tells the rest."""
        return await transfer.finalize(self._http, transfer_code, otp)

    async def resend_otp(self, transfer_code: str) -> None:
        """Have the code for a transfer sent again."""
        await transfer.resend_otp(self._http, transfer_code)

    async def create_refund(self, new: NewRefund) -> Refund:
        """Give money back; `gateways.ensure` looks before it posts."""
        return await refund.create(self._http, new)

    async def list_refunds(self, *, since: datetime) -> tuple[Refund, ...]:
        """Return every refund created since then, completely or not at all."""
        return await refund.list_all(self._http, since=since)

    async def fetch_refund(self, processor_id: int) -> Refund:
        """Ask what became of a refund; `UnknownReference` if there is none."""
        return await refund.fetch(self._http, processor_id)

    async def retry_refund(self, processor_id: int, account: RefundAccount) -> Refund:
        """Send a refund that needs attention to an account; in any other status `GatewayRefused`."""
        return await refund.retry(self._http, processor_id, account)

    async def balance(self) -> tuple[Balance, ...]:
        """Return the spendable balance of each currency."""
        return await balance.fetch(self._http)

    async def list_charges(self, *, since: datetime) -> tuple[Charge, ...]:
        """Return every charge created since then, in whatever status, completely or not at all."""
        return await bookkeeping.list_charges(self._http, since)

    async def list_transfers(self, *, since: datetime) -> tuple[Transfer, ...]:
        """Return every transfer created since then, in whatever status, completely or not at all."""
        return await bookkeeping.list_transfers(self._http, since)

    async def list_balance_entries(self, *, since: datetime) -> tuple[BalanceEntry, ...]:
        """Return every movement of the balances since then, oldest first, completely or not at all."""
        return await bookkeeping.list_balance_entries(self._http, since)

    async def list_settlements(self, *, since: datetime) -> tuple[Settlement, ...]:
        """Return every settlement since then, completely or not at all."""
        return await bookkeeping.list_settlements(self._http, since)

    async def list_settled_charges(self, settlement_id: int) -> tuple[Charge, ...]:
        """Return the charges that a settlement paid out, completely or not at all."""
        return await bookkeeping.list_settled_charges(self._http, settlement_id)

    async def list_chargebacks(
        self, *, since: datetime, status: ChargebackStatus | None = None
    ) -> tuple[Chargeback, ...]:
        """Return every chargeback created since then, or those in one status, completely or not at all."""
        return await chargeback.list_all(self._http, since, status)

    async def list_chargebacks_of(self, charge_id: int) -> tuple[Chargeback, ...]:
        """Return the chargebacks of one charge, by Paystack's id of the charge."""
        return await chargeback.list_of(self._http, charge_id)

    async def fetch_chargeback(self, processor_id: int) -> Chargeback:
        """Ask where a chargeback stands; `UnknownReference` if there is none."""
        return await chargeback.fetch(self._http, processor_id)

    async def send_evidence(self, processor_id: int, evidence: Evidence) -> int:
        """Send what we know about the sale; return the id of the evidence. Sending it again replaces it."""
        return await chargeback.send_evidence(self._http, processor_id, evidence)

    async def open_upload(self, processor_id: int, file_name: str = "evidence.pdf") -> Upload:
        """Ask for an address to which one file can be written within 30 minutes."""
        return await chargeback.open_upload(self._http, processor_id, file_name)

    async def upload(self, target: Upload, content: bytes, media_type: str) -> None:
        """Write a PDF or JPEG there, without showing the key."""
        await upload.put(self._http, target, content, media_type)

    async def answer_chargeback(self, processor_id: int, answer: Answer) -> Chargeback:
        """Accept or decline; a chargeback that is resolved already raises `GatewayRefused`."""
        return await chargeback.answer(self._http, processor_id, answer)

    async def list_banks(self, currency: Currency) -> tuple[Bank, ...]:
        """Return every bank for a currency; its `type` is nuban, ghipss, mobile_money, kepss or basa."""
        return await bank.list_all(self._http, currency)

    async def resolve_account(self, account_number: str, bank_code: str) -> Holder:
        """Return whose account it is; `GatewayRefused` when the bank knows none."""
        return await bank.resolve(self._http, account_number, bank_code)
