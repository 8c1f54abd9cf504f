"""What browsers send of security keys: the JSON forms of W3C WebAuthn, level 3, with its names."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from api.bodies import Name, Password, RecoveryCode, SixDigits
from api.http.body import Body
from identity.webauthn import Json

Encoded = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,8000}$")]
Ignored = Annotated[dict[str, JsonValue], Field(max_length=20)]


class Attestation(Body):
    """A new key; only the first two are looked at, a browser sends the others too."""

    client_data: Encoded = Field(alias="clientDataJSON")
    attestation_object: Encoded = Field(alias="attestationObject")
    authenticator_data: Encoded | None = Field(None, alias="authenticatorData")
    public_key: Encoded | None = Field(None, alias="publicKey")
    public_key_algorithm: int | None = Field(None, alias="publicKeyAlgorithm", ge=-70_000, le=70_000)
    transports: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=10)] | None = None


class Assertion(Body):
    """What a key signed."""

    client_data: Encoded = Field(alias="clientDataJSON")
    authenticator_data: Encoded = Field(alias="authenticatorData")
    signature: Encoded
    user_handle: Encoded | None = Field(None, alias="userHandle")


class Credential(Body):
    """What both have in common."""

    id: Encoded
    raw_id: Encoded = Field(alias="rawId")
    type: Literal["public-key"]
    attachment: Annotated[str, Field(max_length=40)] | None = Field(None, alias="authenticatorAttachment")
    extensions: Ignored | None = Field(None, alias="clientExtensionResults")


class RegistrationCredential(Credential):
    """What `navigator.credentials.create` gave."""

    response: Attestation

    @property
    def answer(self) -> Json:
        """In the form that is checked."""
        response = {
            "clientDataJSON": self.response.client_data,
            "attestationObject": self.response.attestation_object,
        }
        return {"id": self.id, "rawId": self.raw_id, "type": self.type, "response": response}


class ConfirmationCredential(Credential):
    """What `navigator.credentials.get` gave."""

    response: Assertion

    @property
    def answer(self) -> Json:
        """In the form that is checked."""
        response = {
            "clientDataJSON": self.response.client_data,
            "authenticatorData": self.response.authenticator_data,
            "signature": self.response.signature,
        }
        return {"id": self.id, "rawId": self.raw_id, "type": self.type, "response": response}


class SecurityKeyBody(Body):
    """A new key and what to call it."""

    name: Name
    credential: RegistrationCredential


class NameBody(Body):
    """Another name."""

    name: Name


class SecondFactorBody(Body):
    """One of: a code of the app; what a security key signed; a recovery code; a code by mail with the password."""

    code: SixDigits | None = None
    security_key: ConfirmationCredential | None = None
    recovery_code: RecoveryCode | None = None
    mailed_code: SixDigits | None = None
    password: Password | None = None

    @model_validator(mode="after")
    def _require_one(self) -> "SecondFactorBody":
        proofs = (self.code, self.security_key, self.recovery_code, self.mailed_code)
        if sum(proof is not None for proof in proofs) != 1:
            raise ValueError("exactly one of code, security_key, recovery_code and mailed_code")
        if (self.mailed_code is None) != (self.password is None):
            raise ValueError("mailed_code and password belong together")
        return self
