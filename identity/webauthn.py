"""W3C WebAuthn, level 2: what a browser is asked, and whether what a security key signed is an answer to it.

Pure: the library reads and checks the bytes; challenges, keys and counters are kept elsewhere. The key must have asked
its owner for a PIN or a finger: one that was left in a laptop does not serve.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from domain.errors import Forbidden, Refused

NAME = "Escrow"
ALGORITHMS = frozenset({-7, -8, -257})
"""ES256, EdDSA and RS256 of the COSE registry: what keys and telephones of today sign with."""
ALGORITHM = 3
"""The label of the algorithm in a COSE key (RFC 9052)."""
MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, struct.error,
             UnsupportedAlgorithm)  # fmt: skip
"""What the parsers of the library raise for bytes that are none of theirs."""
REQUIRED = UserVerificationRequirement.REQUIRED

Json = Mapping[str, object]


class SecurityKeyRefused(Forbidden):
    """This is not what a security key of yours signs for this address and this moment; begin again."""

    code = "security_key_refused"


class NoPublicUrl(Refused):
    """Security keys sign for one address: whoever runs the server has to set ESCROW_PUBLIC_URL first."""

    code = "no_public_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What keys sign for: the host, and the address of the pages as browsers send it."""

    host: str
    origin: str

    @classmethod
    def of(cls, public_url: str | None) -> "Site":
        """Raise NoPublicUrl when there is none."""
        parts = urlsplit(public_url or "")
        if not parts.hostname:
            raise NoPublicUrl
        return cls(host=parts.hostname, origin=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new key: its id, all that it showed of itself, and what it has counted so far."""

    credential_id: bytes
    credential: bytes
    sign_count: int


class RelyingParty(Protocol):
    """The part of `Fido2Server` that is used here; the library leaves its types open."""

    def register_begin(
        self,
        user: PublicKeyCredentialUserEntity,
        credentials: Sequence[AttestedCredentialData],
        *,
        user_verification: UserVerificationRequirement,
        challenge: bytes,
    ) -> tuple[Json, object]:
        """Make options."""
        ...

    def register_complete(self, state: Json, response: Json) -> AuthenticatorData:
        """Check a registration."""
        ...

    def authenticate_begin(
        self,
        credentials: Sequence[AttestedCredentialData],
        *,
        user_verification: UserVerificationRequirement,
        challenge: bytes,
    ) -> tuple[Json, object]:
        """Make options."""
        ...

    def authenticate_complete(
        self, state: Json, credentials: Sequence[AttestedCredentialData], response: Json
    ) -> AttestedCredentialData:
        """Check a signature."""
        ...


def _relying_party(site: Site) -> RelyingParty:
    # The library's own check of origins would take sub-domains too.
    server = Fido2Server(
        PublicKeyCredentialRpEntity(name=NAME, id=site.host), verify_origin=lambda origin: origin == site.origin
    )
    server.allowed_algorithms = [each for each in server.allowed_algorithms if each.alg in ALGORITHMS]
    return cast("RelyingParty", server)


def _state_of(challenge: bytes) -> Json:
    return {"challenge": websafe_encode(challenge), "user_verification": REQUIRED}


def ask_to_register(site: Site, user_id: bytes, name: str, known: Sequence[bytes], challenge: bytes) -> Json:
    """Return what a browser gives to `navigator.credentials.create`; `known` are credentials not to register again."""
    user = PublicKeyCredentialUserEntity(id=user_id, name=name, display_name=name)
    credentials = [AttestedCredentialData(each) for each in known]
    party = _relying_party(site)
    options, _ = party.register_begin(user, credentials, user_verification=REQUIRED, challenge=challenge)
    return dict(options)


def read_registration(site: Site, challenge: bytes, answer: Json) -> Registered:
    """Return the key that answered. Raises SecurityKeyRefused."""
    try:
        found = _relying_party(site).register_complete(_state_of(challenge), answer)
        credential = found.credential_data
        if credential is None or credential.public_key[ALGORITHM] not in ALGORITHMS:
            raise SecurityKeyRefused
    except MALFORMED:
        raise SecurityKeyRefused from None
    return Registered(
        credential_id=credential.credential_id, credential=bytes(credential), sign_count=int(found.counter)
    )


def ask_to_confirm(site: Site, known: Sequence[bytes], challenge: bytes) -> Json:
    """Return what a browser gives to `navigator.credentials.get`."""
    credentials = [AttestedCredentialData(each) for each in known]
    party = _relying_party(site)
    options, _ = party.authenticate_begin(credentials, user_verification=REQUIRED, challenge=challenge)
    return dict(options)


def read_confirmation(site: Site, challenge: bytes, known: Sequence[bytes], answer: Json) -> tuple[bytes, int]:
    """Return the id of the key that signed and what it has counted. Raises SecurityKeyRefused."""
    credentials = [AttestedCredentialData(each) for each in known]
    try:
        found = _relying_party(site).authenticate_complete(_state_of(challenge), credentials, answer)
        counter = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except MALFORMED:
        raise SecurityKeyRefused from None
    return found.credential_id, int(counter)
