"""Security keys as their owner sees them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from identity.security_key import SecurityKey


class SecurityKeyItem(BaseModel):
    """A key of yours; one that was copied serves no more."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    is_copied: bool

    @classmethod
    def of(cls, key: SecurityKey) -> "SecurityKeyItem":
        """Show a key to its owner."""
        return cls(
            id=key.id,
            name=key.name,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            is_copied=key.copied_at is not None,
        )


class SecurityKeysView(BaseModel):
    """Your keys, oldest first."""

    items: list[SecurityKeyItem]


class NewSecurityKeyView(SecurityKeyItem):
    """A new key; with your first second factor come recovery codes, shown once."""

    recovery_codes: list[str] = Field(repr=False)

    @classmethod
    def of_new(cls, key: SecurityKey, codes: tuple[str, ...]) -> "NewSecurityKeyView":
        """Show a new key to its owner."""
        return cls(**SecurityKeyItem.of(key).model_dump(), recovery_codes=list(codes))


class BrowserOptionsView(BaseModel):
    """What to give to the browser: `navigator.credentials.create` or `get`, byte strings in base64url."""

    publicKey: dict[str, JsonValue]  # noqa: N815 - the browser's name
