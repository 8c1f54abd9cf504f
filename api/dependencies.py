"""Everything the routes work with, made by whoever starts the program and passed in: there are no globals."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from api.access_log import AccessLog
from api.banks import Banks
from api.errands import Errands
from api.metrics import Metrics
from api.pace import Pace
from database.connect import Pool
from database.settings import Settings
from domain.ids import Clock, RandomBytes
from domain.money import Currency
from domain.policy import Terms
from domain.transaction.opening import UsdRate
from eventstore.escrow import Escrow
from gateways.objects import Folder
from gateways.paystack.secret import SecretKey
from identity.authenticator import Authenticator
from identity.email_code import SendCode
from identity.session import Lifetimes
from reactions.erasure import Eraser
from reactions.refusals import Refusals
from reactions.toolbox import Permit, Processor
from vault.locksmith import Locksmith


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """One set per application. `pool` reads and writes as escrow_app.

    `shared_key` signs cursors and keys the hashes of those who try to sign in. `permit` is asked before money is sent.
    Who holds a connection and needs a second one has `pair` for so long: many who hold one and wait for another would
    wait for each other.
    """

    settings: Settings
    clock: Clock
    random_bytes: RandomBytes
    pool: Pool
    escrow: Escrow
    authenticator: Authenticator
    locksmith: Locksmith
    gateway: Processor
    permit: Permit
    webhook_secret: SecretKey
    send_code: SendCode
    text_code: SendCode
    objects: Folder
    eraser: Eraser
    shared_key: bytes = field(repr=False)
    rates: Mapping[Currency, UsdRate]
    terms: Terms = field(default_factory=Terms)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    metrics: Metrics = field(default_factory=Metrics)
    refusals: Refusals = field(default_factory=Refusals)
    banks: Banks = field(default_factory=Banks)
    pair: asyncio.Lock = field(default_factory=asyncio.Lock)
    errands: Errands = field(default_factory=Errands)
    pace: Pace = field(default_factory=Pace)
    access_log: AccessLog = field(default_factory=AccessLog)


def dependencies_of(request: Request) -> Dependencies:
    """The set of the application that received this request."""
    return cast("Dependencies", request.app.state.dependencies)


async def get_dependencies(request: Request) -> Dependencies:
    """The same for a route, which takes coroutines alone."""
    return dependencies_of(request)


DependenciesDep = Annotated[Dependencies, Depends(get_dependencies)]
