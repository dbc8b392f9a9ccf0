"""How often the entrance may be tried, by address and account. Ask outside a transaction: a refusal must be counted."""

from accounts.caller import Caller
from accounts.errors import Throttled
from security.client_ip import counted_as
from security.throttle import Limit

QUARTER_HOUR, HOUR = 900, 3600
SIGN_INS_BY_ADDRESS = Limit("sign-in by address", 30, QUARTER_HOUR)
SIGN_INS_BY_ACCOUNT = Limit("sign-in by account", 10, QUARTER_HOUR)
CONFIRMATIONS = Limit("password confirmation", 10, QUARTER_HOUR)
RESETS_BY_ADDRESS = Limit("reset by address", 10, HOUR)
RESETS_BY_ACCOUNT = Limit("reset by account", 3, HOUR)
ADDRESS_CHANGES = Limit("address change", 5, HOUR)
SIGN_UPS_BY_ADDRESS = Limit("sign-up by address", 10, HOUR)


def check_pace(visitor: Caller, by_address: Limit, by_account: Limit | None = None, *, account: str = "") -> None:
    """Count an attempt for the address and the account; raise `Throttled` where either has had too many."""
    waits = [by_address.hit(counted_as(visitor.ip))]
    if by_account is not None:
        waits.append(by_account.hit(account))
    refuse_after(max(waits))


def refuse_after(wait: int) -> None:
    """Raise `Throttled` where there are seconds to wait."""
    if wait:
        minutes = -(-wait // 60)
        raise Throttled(
            f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}.",
            data={"retry_after": wait},
        )
