"""At rest the ledger and the processor say the same: every transfer, refund and charge once on both sides."""

from collections import Counter

from gateways.paystack.sim.records import DisputeRecord, RefundRecord
from projections.registry import PROJECTIONS
from tests.domain.chart import BALANCE, UNCLEARED, need
from tests.simulation.world import World

CURRENCIES = ("KES", "NGN", "GHS", "ZAR", "USD")
PAID = {"success": "paid"}


async def compare(w: World) -> None:
    """Raise `Wrong` where the two sides differ, or where the read models do not say what the log says."""
    compare_transfers(w)
    compare_refunds(w)
    compare_charges(w)
    compare_chargebacks(w)
    compare_fees(w)
    need(not w.processor.problems, "the stand-in's own books are wrong", w.processor.problems)
    for currency in CURRENCIES:
        here = w.judge.held_minor(currency, UNCLEARED, BALANCE)
        there = w.processor.funds_minor(currency) + nameless_minor(w, currency)
        need(here == there, "the balances differ", currency, "ledger", here, "processor", there)
    await compare_read_models(w)


def compare_transfers(w: World) -> None:
    """Each transfer there is one payout here, of the same amount and end."""
    payouts = {ref: payout for deal in w.judge.books.deals.values() for ref, payout in deal.payouts.items()}
    there = {transfer.reference: transfer for transfer in w.processor.sim.store.transfers.all()}
    for reference, transfer in there.items():
        need(reference in payouts, "a transfer that nobody ordered", reference)
        payout = payouts[reference]
        need(transfer.amount_minor == payout["amount"], "another amount was paid", reference)
        ended = PAID.get(transfer.status, "failed")
        need(payout["state"] == ended, "a payout ended otherwise", reference, payout["state"], transfer.status)
    lost = [ref for ref, payout in payouts.items() if payout["state"] in ("sent", "paid") and ref not in there]
    need(not lost, "payouts that the processor does not know", lost)


def compare_refunds(w: World) -> None:
    """Each refund there is one refund here, of the same charge, amount and end."""
    refunds = {ref: refund for deal in w.judge.books.deals.values() for ref, refund in deal.refunds.items()}
    numbers = {f["processor_refund_id"]: f["reference"] for f in w.judge.own("refund_submitted")}
    need(len(numbers) == len(w.judge.own("refund_submitted")), "two refunds here are one refund there")
    for refund in own_refunds(w):
        if not refund.merchant_note and str(refund.id) not in numbers:
            continue  # it lost its note and its answer: it waits for a person, who is told why
        need(str(refund.id) in numbers, "a refund that is not in the ledger", refund.id, refund.merchant_note)
        own = refunds[numbers[str(refund.id)]]
        need(own["amount"] == refund.amount_minor, "another amount was refunded", refund.id)
        ended = {"processed": "paid", "failed": "failed"}.get(refund.status, "sent")
        need(own["state"] == ended, "a refund ended otherwise", refund.id, own["state"], refund.status)
    notes = Counter(r.merchant_note for r in own_refunds(w) if r.merchant_note)
    need(not [note for note, times in notes.items() if times > 1], "refunded twice", notes)


def own_refunds(w: World) -> list[RefundRecord]:
    """Those that we ordered: a chargeback that is lost makes one too."""
    return [refund for refund in w.processor.sim.store.refunds.all() if refund.dispute_id is None]


def nameless_minor(w: World, currency: str) -> int:
    """What left in refunds that lost their note and their answer: it waits for a person, who is told why."""
    numbers = {f["processor_refund_id"] for f in w.judge.own("refund_submitted")}
    refunds = (r for r in own_refunds(w) if not r.merchant_note and str(r.id) not in numbers)
    return sum(r.amount_minor for r in refunds if r.currency == currency and r.status != "failed")


def compare_charges(w: World) -> None:
    """Each payment there is recorded here, as the price or as money to send back, and nothing else is."""
    here: Counter[str] = Counter()
    for fields in w.judge.own("payment_received"):
        here[fields["processor_id"]] += fields["amount_minor"] + fields["surcharge_minor"]
    for fields in w.judge.own("payment_mismatched"):
        here[fields["processor_id"]] += fields["suspense_minor"]
    there = {str(c.id): c.paid_minor for c in w.processor.sim.store.charges.all() if c.paid_at is not None}
    invented = {number: amount for number, amount in here.items() if there.get(number) != amount}
    need(not invented, "payments that nobody made", invented, there)
    need(set(there) == set(here), "payments that nobody saw", sorted(set(there) - set(here)))


def compare_chargebacks(w: World) -> None:
    """Each chargeback there is one here, of the same amount and end; one in another currency freezes nothing."""
    lost: Counter[str] = Counter()
    for kind in ("chargeback_lost", "stray_chargeback_lost"):
        booked = w.judge.own(kind)
        parts = {fields["processor_dispute_id"]: fields["amount_minor"] for fields in booked}
        need(len(parts) == len(booked), "a chargeback is booked twice", booked)
        lost.update(parts)
    opened = [fields for fields in w.judge.own("dispute_opened") if fields["source"] == "processor"]
    ours = {fields["processor_dispute_id"]: fields["dispute_id"] for fields in opened}
    findings = {fields["dispute_id"]: fields["finding"] for fields in w.judge.own("dispute_resolved")}
    there = {str(d.id): d for d in w.processor.sim.store.disputes.all()}
    own = {number for number, dispute in there.items() if dispute.currency == w.mind.currency}
    need(set(ours) == own, "chargebacks that nobody made, or nobody saw", set(ours) ^ own)
    for number, dispute in there.items():
        taken_minor = taken_by(w, dispute)
        need(lost.get(number, 0) == taken_minor, "another amount was charged back", lost.get(number), taken_minor)
        if number not in own:
            continue
        ended = findings.get(ours[number])
        need(ended == "processor_lost" if taken_minor else ended, "a chargeback ended otherwise", ended, taken_minor)


def taken_by(w: World, dispute: DisputeRecord) -> int:
    """What the processor took for a chargeback, in minor units."""
    refund = w.processor.sim.store.refunds.get(str(dispute.refund_id))
    return 0 if refund is None else refund.amount_minor


def compare_fees(w: World) -> None:
    """What the processor kept of each charge and took for each transfer is booked once, whoever told of it and when."""
    here: Counter[str] = Counter()
    for name in ("payment_fee_assessed", "payout_succeeded", "payout_fee_assessed", "payout_paid_after_all"):
        for fields in w.judge.own(name):
            here[fields["reference"]] += fields["fee_minor"]
    store = w.processor.sim.store
    there = {t.reference: t.fee_minor for t in store.transfers.all() if t.transferred_at is not None}
    there |= {c.reference: c.fee_minor or 0 for c in store.charges.all() if c.paid_at is not None}
    wrong = {ref: (here[ref], there.get(ref, 0)) for ref in {*here, *there} if here[ref] != there.get(ref, 0)}
    history = [(t.model_dump_json(), t.status) for ref in wrong if (t := store.transfers.get(ref)) is not None]
    need(not wrong, "another fee was booked than was taken", wrong, history, _told_of(w, wrong))


def _told_of(w: World, references: dict[str, tuple[int, int]]) -> list[tuple[str, str]]:
    """What the log says of these references, in its order."""
    return [(name, str(fields)) for _, name, fields in w.judge.events if fields.get("reference") in references]


async def compare_read_models(w: World) -> None:
    """The tables say what the log says."""
    w.fold(PROJECTIONS)
    async with w.stage.pool.connection() as connection:
        accounts = await (
            await connection.execute("SELECT account, currency, balance_minor FROM ledger_accounts")
        ).fetchall()
        states = await (await connection.execute("SELECT id, state, stuck_reason FROM transactions")).fetchall()
    totals = {(account, currency): minor for account, currency, minor in accounts if minor}
    model = {(a, c): minor for c, total in w.judge.books.totals.items() for a, minor in total.items() if minor}
    need(totals == model, "the ledger's table differs", totals, model)
    for transaction_id, state, stuck_reason in states:
        t = await w.look(transaction_id)
        need((state, stuck_reason) == (t.state, t.stuck_reason), "the table of transactions differs", state, t.state)
    need(len(states) == len(w.transactions), "a transaction is not in the table")
