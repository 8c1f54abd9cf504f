"""Who may do what: one row for every route, asked on the way of every request that brings a token.

The API does not start with a route that has no row. What a row lets through may still be refused: a transaction knows
its parties, and whoever may not see an object is told that it does not exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.actor import PARTIES, STAFF, Role
from identity.api_key import Scope

WATCHERS = STAFF | {Role.OPERATOR}
READERS = WATCHERS | {Role.AUDITOR}
EVERYBODY = PARTIES | READERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What one route asks of whoever comes.

    `is_open`: nobody is asked who he is. `roles`: one of them is needed; None for whoever is signed in. `scope`: what
    an API key must have; None where no key is good enough. `is_fresh`: the person was confirmed within five minutes.
    """

    is_open: bool = False
    roles: frozenset[Role] | None = None
    scope: Scope | None = None
    is_fresh: bool = False


OPEN = Right(is_open=True)
OWN_ACCOUNT = Right()
OWN_ACCOUNT_FRESH = Right(is_fresh=True)
OWN_NAME = Right(scope=Scope.READ)
READ = Right(roles=EVERYBODY, scope=Scope.READ)
BUY = Right(roles=frozenset({Role.BUYER}), scope=Scope.TRADE)
SELL = Right(roles=frozenset({Role.SELLER}), scope=Scope.TRADE)
JUDGE = Right(roles=PARTIES | STAFF, scope=Scope.READ)
TAKE_PART = Right(roles=EVERYBODY, scope=Scope.TRADE)
REVEAL = Right(roles=EVERYBODY, is_fresh=True)
WATCH = Right(roles=WATCHERS, scope=Scope.AUDIT)
AUDIT = Right(roles=READERS, scope=Scope.AUDIT)
GUARD = Right(roles=frozenset({Role.SUPER_ADMIN}))
"""The security officer, who sees what everybody read and from where."""
HANDLE = Right(roles=STAFF)
DECIDE = Right(roles=STAFF, is_fresh=True)

RIGHTS: Mapping[str, Right] = {
    "POST /api/v1/auth/register": OPEN,
    "POST /api/v1/auth/verify-email": OPEN,
    "POST /api/v1/auth/resend-code": OPEN,
    "POST /api/v1/auth/login": OPEN,
    "POST /api/v1/auth/refresh": OPEN,
    "POST /api/v1/auth/logout": OWN_ACCOUNT,
    "GET /api/v1/auth/second-factor": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/code": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/app": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/app/begin": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/recovery-codes": OWN_ACCOUNT_FRESH,
    "GET /api/v1/auth/second-factor/keys": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/keys/begin": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/keys": OWN_ACCOUNT,
    "POST /api/v1/auth/second-factor/keys/challenge": OWN_ACCOUNT,
    "PATCH /api/v1/auth/second-factor/keys/{security_key_id}": OWN_ACCOUNT,
    "DELETE /api/v1/auth/second-factor/keys/{security_key_id}": OWN_ACCOUNT_FRESH,
    "GET /api/v1/auth/sessions": OWN_ACCOUNT,
    "DELETE /api/v1/auth/sessions": OWN_ACCOUNT,
    "DELETE /api/v1/auth/sessions/{session_id}": OWN_ACCOUNT,
    "POST /api/v1/auth/password-reset": OPEN,
    "POST /api/v1/auth/password-reset/confirm": OPEN,
    "GET /api/v1/auth/recovery-key": OWN_ACCOUNT,
    "POST /api/v1/auth/recovery-key": OWN_ACCOUNT_FRESH,
    "DELETE /api/v1/auth/recovery-key": OWN_ACCOUNT_FRESH,
    "GET /api/v1/auth/phone": OWN_ACCOUNT,
    "PUT /api/v1/auth/phone": OWN_ACCOUNT_FRESH,
    "POST /api/v1/auth/phone/code": OWN_ACCOUNT,
    "POST /api/v1/auth/phone/verify": OWN_ACCOUNT,
    "POST /api/v1/auth/password": OWN_ACCOUNT_FRESH,
    "GET /api/v1/auth/me": OWN_NAME,
    "GET /api/v1/banks": OWN_ACCOUNT,
    "GET /api/v1/users/me/payout-account": OWN_ACCOUNT,
    "PUT /api/v1/users/me/payout-account": OWN_ACCOUNT_FRESH,
    "POST /api/v1/users/me/api-keys": OWN_ACCOUNT_FRESH,
    "GET /api/v1/users/me/api-keys": OWN_ACCOUNT,
    "DELETE /api/v1/users/me/api-keys/{key_id}": OWN_ACCOUNT,
    "POST /api/v1/users/me/erasure": OWN_ACCOUNT_FRESH,
    "GET /api/v1/users/me/erasure": OWN_ACCOUNT,
    "DELETE /api/v1/users/me/erasure": OWN_ACCOUNT,
    "POST /api/v1/listings": SELL,
    "GET /api/v1/listings": READ,
    "GET /api/v1/listings/{listing_id}": READ,
    "PATCH /api/v1/listings/{listing_id}": SELL,
    "PUT /api/v1/listings/{listing_id}/credentials": SELL,
    "POST /api/v1/listings/{listing_id}/proofs": SELL,
    "GET /api/v1/listings/{listing_id}/proofs": JUDGE,
    "GET /api/v1/listings/{listing_id}/proofs/{proof_id}": JUDGE,
    "DELETE /api/v1/listings/{listing_id}/proofs/{proof_id}": SELL,
    "POST /api/v1/listings/{listing_id}/submit": SELL,
    "GET /api/v1/catalog": READ,
    "GET /api/v1/catalog/{listing_id}": READ,
    "POST /api/v1/transactions": BUY,
    "GET /api/v1/transactions": READ,
    "GET /api/v1/transactions/{transaction_id}": READ,
    "GET /api/v1/transactions/{transaction_id}/events": READ,
    "GET /api/v1/transactions/{transaction_id}/statement": READ,
    "GET /api/v1/transactions/{transaction_id}/contract": READ,
    "POST /api/v1/transactions/{transaction_id}/pay": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/contract/sign": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/reveal": REVEAL,
    "POST /api/v1/transactions/{transaction_id}/reveal/acknowledge": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/reveal/missed": TAKE_PART,
    "GET /api/v1/transactions/{transaction_id}/addendum": READ,
    "POST /api/v1/transactions/{transaction_id}/redeposit": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/confirm-access": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/cancel": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/disputes": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/disputes/{dispute_id}/withdraw": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/inspection/extend": TAKE_PART,
    "POST /api/v1/transactions/{transaction_id}/state-access": TAKE_PART,
    "GET /api/v1/admin/transactions": WATCH,
    "GET /api/v1/admin/transactions/{transaction_id}": WATCH,
    "POST /api/v1/admin/transactions/{transaction_id}/release": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/refund": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/payout/finalize": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/payout/resend-otp": HANDLE,
    "POST /api/v1/admin/transactions/{transaction_id}/refund/account": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/compensation": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/recovery": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/write-off": DECIDE,
    "POST /api/v1/admin/transactions/{transaction_id}/notes": HANDLE,
    "POST /api/v1/admin/transactions/{transaction_id}/disputes/{dispute_id}/escalate": HANDLE,
    "POST /api/v1/admin/transactions/{transaction_id}/disputes/{dispute_id}/resolve": DECIDE,
    "GET /api/v1/admin/access-log": GUARD,
    "GET /api/v1/admin/security-alerts": WATCH,
    "GET /api/v1/admin/approvals": WATCH,
    "POST /api/v1/admin/approvals/{approval_id}/approve": DECIDE,
    "POST /api/v1/admin/approvals/{approval_id}/reject": HANDLE,
    "POST /api/v1/admin/listings/{listing_id}/approve": HANDLE,
    "POST /api/v1/admin/listings/{listing_id}/reject": HANDLE,
    "POST /api/v1/admin/listings/{listing_id}/request-info": HANDLE,
    "POST /api/v1/admin/listings/{listing_id}/remove": HANDLE,
    "GET /api/v1/admin/actions": WATCH,
    "GET /api/v1/admin/alerts": WATCH,
    "POST /api/v1/webhooks/paystack": OPEN,
    "POST /api/v1/webhooks/paystack/approval": OPEN,
    "GET /api/v1/audit/events": AUDIT,
    "GET /api/v1/audit/trial-balance": AUDIT,
    "GET /api/v1/audit/accounts": AUDIT,
    "GET /api/v1/audit/accounts/{account}/entries": AUDIT,
    "GET /api/v1/audit/reconciliations": AUDIT,
    "GET /api/v1/audit/reconciliations/{reconciliation_id}": AUDIT,
    "GET /api/v1/audit/statements": AUDIT,
    "GET /api/v1/ops/liveness": OPEN,
    "GET /api/v1/ops/readiness": OPEN,
    "GET /api/v1/ops/health": OPEN,
    "GET /api/v1/ops/projections": OPEN,
    "GET /metrics": OPEN,
}


def require_rights(routes: Iterable[str]) -> None:
    """Raise LookupError for routes without a row: nobody would know who may use them."""
    missing = sorted(set(routes) - RIGHTS.keys())
    if missing:
        raise LookupError(f"api/rights.py has no row for {', '.join(missing)}")


def roles_of_key(right: Right, roles: frozenset[Role], scopes: frozenset[Scope]) -> frozenset[Role]:
    """Return in which of its person's roles an API key acts: as staff it only reads, with the scope for that."""
    if right.scope is None or right.scope not in scopes:
        return frozenset()
    within = PARTIES if right.scope is Scope.TRADE or Scope.AUDIT not in scopes else EVERYBODY
    return roles & within & (within if right.roles is None else right.roles)
