"""The rules of the short streams: listings, deposits, users, configuration, treasury, external payments."""

from domain.canary import Canary, CanaryFailed, CanaryRecovered
from domain.configuration import Configuration, SettingChanged
from domain.listing import DepositAttached, Listing, ListingDepositLost, ListingRevised
from domain.listing.proof import MOST_PROOFS, ProofAttached, ProofRemoved
from domain.listing.sale import ListingFreed, ListingRemoved, ListingReserved, ListingSold
from domain.listing.status import EDITABLE, ListingStatus
from domain.listing.vetting import ListingApproved, ListingInfoRequested, ListingRejected, ListingSubmitted
from domain.restore import ExternalPayment, ExternalPaymentSettled
from domain.treasury import ACCOUNTS, FundsMoved, Treasury
from domain.user import RoleGranted, RoleRevoked, User
from domain.vault import CredentialsDestroyed, CredentialsLost, DepositStatus, Vault
from replay.rules import Rule, require


def _is_reserved_for(listing: Listing, event: ListingFreed | ListingSold) -> bool:
    return listing.status is ListingStatus.RESERVED and listing.transaction_id == event.transaction_id


def _is_new_proof(listing: Listing, event: ProofAttached) -> bool:
    is_new = event.proof_id not in listing.proofs and listing.find_proof(event.sha256) is None
    return is_new and listing.status in EDITABLE and len(listing.proofs) < MOST_PROOFS


def _is_attached(listing: Listing, event: ProofRemoved) -> bool:
    return event.proof_id in listing.proofs and listing.status in EDITABLE


def _moves_between_its_accounts(treasury: Treasury, event: FundsMoved) -> bool:
    lines = {account: amount for account, _, amount in event.postings}
    to, source = ACCOUNTS[event.movement]
    expected = {to: event.amount_minor, source: -event.amount_minor}
    return lines == expected and event.currency is treasury.currency


def _takes_deposit(listing: Listing, event: DepositAttached) -> bool:
    waits = listing.vault_id is None and listing.status in {ListingStatus.SUBMITTED, ListingStatus.APPROVED}
    return waits or listing.status in EDITABLE


SHORT_RULES: dict[str, Rule] = dict(
    [
        require(Listing, ListingRevised, "an editable listing", lambda x, e: x.status in EDITABLE),
        require(Listing, DepositAttached, "a listing that is editable, or has lost its deposit", _takes_deposit),
        require(Listing, ListingDepositLost, "the deposit of the listing", lambda x, e: x.vault_id == e.vault_id),
        require(Listing, ProofAttached, "an editable listing without this file", _is_new_proof),
        require(Listing, ProofRemoved, "an editable listing with this file", _is_attached),
        require(
            Listing,
            ListingSubmitted,
            "an editable listing with credentials",
            lambda x, e: x.status in EDITABLE and x.vault_id is not None,
        ),
        require(Listing, ListingApproved, "a submitted listing", lambda x, e: x.status is ListingStatus.SUBMITTED),
        require(Listing, ListingRejected, "a submitted listing", lambda x, e: x.status is ListingStatus.SUBMITTED),
        require(Listing, ListingInfoRequested, "a submitted listing", lambda x, e: x.status is ListingStatus.SUBMITTED),
        require(Listing, ListingReserved, "an approved listing", lambda x, e: x.status is ListingStatus.APPROVED),
        require(Listing, ListingFreed, "a listing reserved for this transaction", _is_reserved_for),
        require(Listing, ListingSold, "a listing reserved for this transaction", _is_reserved_for),
        require(
            Listing, ListingRemoved, "a listing not removed yet", lambda x, e: x.status is not ListingStatus.REMOVED
        ),
        require(
            Vault, CredentialsDestroyed, "a deposit that exists", lambda x, e: x.status is not DepositStatus.DESTROYED
        ),
        require(Vault, CredentialsLost, "a sealed deposit", lambda x, e: x.status is DepositStatus.SEALED),
        require(Canary, CanaryFailed, "a canary that was well", lambda x, e: not x.is_failing),
        require(Canary, CanaryRecovered, "a canary that was failing", lambda x, e: x.is_failing),
        require(User, RoleGranted, "a user without the role", lambda x, e: e.role not in x.roles),
        require(User, RoleRevoked, "a user with the role", lambda x, e: e.role in x.roles),
        require(
            Configuration, SettingChanged, "another value than before", lambda x, e: x.values.get(e.setting) != e.value
        ),
        require(ExternalPayment, ExternalPaymentSettled, "one that is open", lambda x, e: not x.is_settled),
        require(Treasury, FundsMoved, "the accounts of the movement", _moves_between_its_accounts),
    ]
)
