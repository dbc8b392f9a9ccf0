"""What figures are held to. A bench says each as it comes; the last lines of all say which were missed."""

_missed: list[str] = []


def at_most(what: str, measured: float, limit: float, unit: str) -> None:
    """Print a figure that should not be above `limit`."""
    _hold(what, measured, "at most", limit, unit, held=measured <= limit)


def at_least(what: str, measured: float, limit: float, unit: str) -> None:
    """Print a figure that should not be below `limit`."""
    _hold(what, measured, "at least", limit, unit, held=measured >= limit)


def missed() -> list[str]:
    """What was not held, in the words it was printed with."""
    return list(_missed)


def _hold(what: str, measured: float, how: str, limit: float, unit: str, *, held: bool) -> None:
    said = f"{what}: {_figure(measured)} {unit}; {how} {_figure(limit)} wanted"
    print(said if held else f"{said}: MISSED", flush=True)
    if not held:
        _missed.append(said)


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}".rstrip("0").rstrip(".")
