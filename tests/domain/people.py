"""Who acts in the stories, and when they begin."""

from datetime import UTC, datetime
from uuid import UUID

from domain.actor import Actor, Role, reaction

START = datetime(2026, 1, 5, 12, tzinfo=UTC)

BUYER_ID = UUID(int=0xB)
SELLER_ID = UUID(int=0x5)

BUYER = Actor(str(BUYER_ID), Role.BUYER)
SELLER = Actor(str(SELLER_ID), Role.SELLER)
STRANGER = Actor(str(UUID(int=0x57)), Role.BUYER)
OTHER_SELLER = Actor(str(UUID(int=0x58)), Role.SELLER)
ADMIN = Actor(str(UUID(int=0xAD)), Role.ADMIN)
SUPER = Actor(str(UUID(int=0x501)), Role.SUPER_ADMIN)
SECOND = Actor(str(UUID(int=0x502)), Role.SUPER_ADMIN)
AUDITOR = Actor(str(UUID(int=0xA0)), Role.AUDITOR)
SYSTEM = reaction("stories")
BUYER_AS_STAFF = Actor(str(BUYER_ID), Role.SUPER_ADMIN)

EVERYBODY = {
    "buyer": BUYER,
    "seller": SELLER,
    "stranger": STRANGER,
    "other seller": OTHER_SELLER,
    "admin": ADMIN,
    "super_admin": SUPER,
    "second super_admin": SECOND,
    "auditor": AUDITOR,
    "system": SYSTEM,
    "buyer with a staff role": BUYER_AS_STAFF,
}
