"""One refresh: from a lease, over one exchange with the provider, to what is written down of it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from django.db import InterfaceError, OperationalError

from mcp_gateway.models import ClientMode, RemoteConnection
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import breaker, leases, lifetimes, settling
from mcp_gateway.remote.breaker import Admission
from mcp_gateway.remote.leases import LEASE_SECONDS, Lease
from mcp_gateway.remote.oauth.provider import Provider
from mcp_gateway.remote.oauth.revocation import revoke
from mcp_gateway.remote.oauth.tokens import ProviderUnavailable, TokenAnswer, TokenRefused, redeem_refresh

logger = logging.getLogger(__name__)

# New tokens are in memory alone until they are written, so a database that restarts is waited for.
WRITE_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
# A client that may not refresh is a matter of the server's settings, like one the provider does not know.
CLIENT_REFUSALS = {settling.UNKNOWN_CLIENT, "unauthorized_client"}

Answer = TokenAnswer | TokenRefused | ProviderUnavailable


class Outcome(StrEnum):
    RENEWED = "renewed"
    POSTPONED = "postponed"
    ENDED = "ended"
    # Other tokens were stored meanwhile, or somebody else has taken over; this refresh changed nothing.
    SUPERSEDED = "superseded"
    # The person has disconnected meanwhile.
    GONE = "gone"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class Request:
    """What is about to be redeemed, where, and that its issuer may be asked."""

    provider: Provider
    refresh_token: str
    admission: Admission


async def redeem(lease: Lease) -> Outcome:
    """Redeem the lease's refresh token, once, and write down what came of it."""
    try:
        async with _kept(lease):
            request = await in_domain(_request, lease)
            if isinstance(request, Outcome):
                return request
            answer = await _answer(request)
            outcome = await _written(lease, request, answer)
            if outcome is Outcome.GONE and isinstance(answer, TokenAnswer):
                await _give_back(lease, answer)
            return outcome
    except (OperationalError, InterfaceError):
        raise  # Without the database there is nothing to write; the lease ends by itself.
    except Exception as error:
        # Whatever it is, a secret that does not open or a fault of ours: it must not come round every few seconds.
        await in_domain(_postpone, lease, f"internal_{type(error).__name__}")
        raise


@asynccontextmanager
async def _kept(lease: Lease) -> AsyncIterator[None]:
    """The lease goes on for as long as the block takes, because this process shows that it lives."""

    async def keep() -> None:
        with suppress(OperationalError, InterfaceError):
            while True:
                await asyncio.sleep(LEASE_SECONDS / 3)
                await in_domain(leases.extend, lease)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _answer(request: Request) -> Answer:
    """The provider's answer; that there is none is an answer too."""
    try:
        return await redeem_refresh(request.provider, request.refresh_token)
    except (TokenRefused, ProviderUnavailable) as refusal:
        return refusal


async def _written(lease: Lease, request: Request, answer: Answer) -> Outcome:
    for pause in WRITE_PAUSES:
        try:
            return await in_domain(_settle, lease, request, answer)
        except (OperationalError, InterfaceError):
            logger.warning("The database is away; tokens of connection %s wait to be written.", lease.connection.pk)
            await asyncio.sleep(pause)
    return await in_domain(_settle, lease, request, answer)


async def _give_back(lease: Lease, answer: TokenAnswer) -> None:
    """Revoke tokens that came for somebody who has disconnected: they would be good for nobody, and for long."""
    lost = lease.connection
    lost.access_token, lost.refresh_token = answer.access_token, answer.refresh_token
    await revoke(lost)


# The rows before and after ------------------------------------------------------------------------------------------


def _request(lease: Lease) -> Request | Outcome:
    """What to ask; or, where there is nothing to ask or nobody to be asked now, how it ended."""
    row = lease.connection
    if not row.refresh_token or not row.provider:
        error = f"{row.server.name} gave a sign-in that does not last, and it has run out. Connect again."
        return _ended(settling.end(lease, code="no_refresh_token", error=error))
    admission = breaker.admit(row.issuer)
    if admission.wait:
        return _unavailable(lease, admission.wait)
    return Request(_provider(lease), row.refresh_token, admission)


def _provider(lease: Lease) -> Provider:
    """The provider as it was signed in to, with the secret as an admin has entered it since."""
    row = lease.connection
    provider: Provider = json.loads(row.provider or "{}")
    server, client = row.server, provider["client"]
    if (
        server.client_mode == ClientMode.KNOWN_CREDENTIALS
        and server.client_secret
        and server.client_id == client["client_id"]
    ):
        client["client_secret"] = server.client_secret
    return provider


def _settle(lease: Lease, request: Request, answer: Answer) -> Outcome:
    if isinstance(answer, TokenAnswer):
        breaker.answered(request.admission)
        if settling.store(lease.connection, answer, lease.generation):
            return Outcome.RENEWED
        gone = not RemoteConnection.objects.filter(pk=lease.connection.pk).exists()
        return Outcome.GONE if gone else Outcome.SUPERSEDED
    if isinstance(answer, TokenRefused):
        breaker.answered(request.admission)
        return _refused(lease, request, answer)
    if answer.status is None or answer.status == 429 or answer.status >= 500:
        breaker.failed(request.admission, answer.retry_after)
    else:
        breaker.answered(request.admission)
    logger.warning("Connection %s could not be refreshed: %s", lease.connection.pk, answer.reason)
    return _unavailable(lease, lifetimes.pause(lease.connection.attempts + 1, answer.retry_after))


def _refused(lease: Lease, request: Request, refused: TokenRefused) -> Outcome:
    row, server = lease.connection, lease.connection.server
    logger.warning("Connection %s was refused a refresh: %s", row.pk, refused)
    if refused.error == "invalid_grant":
        # Only the lease's holder redeemed this token, and it is the stored one still, or `end` does nothing.
        error = f"{server.name} no longer accepts this sign-in: it was revoked, or it has run out. Connect again."
        return _ended(settling.end(lease, code=refused.error, error=error))
    if refused.error not in CLIENT_REFUSALS:
        return _postpone(lease, refused.error)
    if server.client_mode == ClientMode.DYNAMIC:
        # No setting fixes that: whoever connects again has a new client registered.
        settling.forget_registration(row, request.provider["client"]["client_id"])
        error = f"The provider of {server.name} has forgotten the client it registered for us. Connect again."
        return _ended(settling.end(lease, code=refused.error, error=error))
    fault = (
        f"The provider does not accept the client that we are to it ({refused.error}), so nobody's connection can be "
        "refreshed. Check the client ID, enter the client secret again, and see that the app may refresh its tokens."
    )
    settling.blame_server(server, code=settling.UNKNOWN_CLIENT, fault=fault)
    return _postponed(settling.leave_for(lease, lifetimes.pause(lease.connection.attempts + 1)))


def _unavailable(lease: Lease, seconds: float) -> Outcome:
    error = (
        f"The sign-in service of {lease.connection.server.name} has not answered for a while. It is asked again from "
        "time to time; you can also connect again."
    )
    return _postponed(settling.postpone(lease, seconds, code="provider_unavailable", error=error))


def _postpone(lease: Lease, code: str) -> Outcome:
    """Put off what is refused for no reason that is known to be for good."""
    error = f"The sign-in at {lease.connection.server.name} could not be refreshed ({code}). Connect again."
    seconds = lifetimes.pause(lease.connection.attempts + 1)
    return _postponed(settling.postpone(lease, seconds, code=code, error=error, lasting=True))


def _postponed(held: bool) -> Outcome:
    return Outcome.POSTPONED if held else Outcome.SUPERSEDED


def _ended(held: bool) -> Outcome:
    return Outcome.ENDED if held else Outcome.SUPERSEDED
