"""Reading the fields of a request as Discord does: what does not fit is refused with code 50035, naming the field."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bots.discord import snowflake
from bots.discord.sandbox.refusals import invalid


class Fields:
    """The fields of one body, query or path."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str, *, default: str | None = None, least: int = 0, most: int = 1024) -> str | None:
        value = self._fields.get(name, default)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(name, "STRING_TYPE_CONVERT", f'Could not interpret "{value}" as string.')
        if not least <= len(value) <= most:
            wanted = f"between {least} and {most} in length" if least else f"{most} or fewer in length"
            raise invalid(name, "BASE_TYPE_BAD_LENGTH", f"Must be {wanted}.")
        return value

    def integer(self, name: str, *, default: int, least: int, most: int) -> int:
        value = self._fields.get(name, default)
        try:
            number = default if value is None else int(value)
        except (TypeError, ValueError):
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.') from None
        if number < least:
            raise invalid(name, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        if number > most:
            raise invalid(name, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")
        return number

    def snowflake(self, name: str) -> int | None:
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            return int(snowflake.parse(str(value)))
        except ValueError:
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.') from None

    def moment(self, name: str) -> datetime | None:
        value = self._fields.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise invalid(name, "DATE_TIME_TYPE_PARSE", f"Could not parse {value}. Should be ISO8601.") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
