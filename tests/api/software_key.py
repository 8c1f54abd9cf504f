"""A security key in software: keeps private keys, signs challenges, counts, and lies where a test wants it to."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
Json = dict[str, object]


@dataclass
class SoftwareKey:
    """One credential, and the browser it is plugged into."""

    origin: str = ORIGIN
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))

    def create(self, options: Json) -> Json:
        """As `navigator.credentials.create`, with what browsers add to it."""
        public_key = ES256.from_cryptography_key(self.private_key.public_key())
        attested = AttestedCredentialData.create(bytes(16), self.credential_id, public_key)
        data = AuthenticatorData.create(self._host_hash, AuthenticatorData.FLAG(self.flags | ATTESTED), 0, attested)
        response = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", options)),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
            "transports": ["usb"],
            "publicKeyAlgorithm": -7,
        }
        return self._credential(response)

    def get(self, options: Json) -> Json:
        """As `navigator.credentials.get`."""
        self.count += 1
        data = AuthenticatorData.create(self._host_hash, AuthenticatorData.FLAG(self.flags), self.count)
        client_data = self._client_data("webauthn.get", options)
        signature = self.private_key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": None,
        }
        return self._credential(response)

    @property
    def _host_hash(self) -> bytes:
        return sha256(self.host.encode()).digest()

    def _client_data(self, kind: str, options: Json) -> bytes:
        challenge = cast("Json", options["publicKey"])["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, response: Json) -> Json:
        name = websafe_encode(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": response,
        }
