"""API keys as their owner sees them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from identity.api_key import ApiKey


class ApiKeyItem(BaseModel):
    """A key of yours; of the key itself only the end is known."""

    id: UUID
    name: str
    mode: str
    ends_in: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyItem":
        """Show a key to its owner."""
        return cls(
            id=key.id,
            name=key.name,
            mode=key.mode,
            ends_in=key.ends_in,
            scopes=key.scope_names,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
        )


class NewApiKeyView(ApiKeyItem):
    """A new key, shown once: send it as `Authorization: Bearer`."""

    key: str = Field(repr=False)

    @classmethod
    def of_new(cls, made: ApiKey, key: str) -> "NewApiKeyView":
        """Show a new key to its owner."""
        return cls(**ApiKeyItem.of(made).model_dump(), key=key)


class ApiKeysView(BaseModel):
    """Your keys that are good, newest first; `last_used_at` is right to ten minutes."""

    items: list[ApiKeyItem]
