"""Form fields in Discord's own terms."""

from typing import Any

from django import forms

from bots.discord import snowflake
from bots.discord.snowflake import Snowflake


class SnowflakeField(forms.CharField):
    """A Discord id: typed and shown as text, a number from there on."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(**{"widget": widget, "max_length": 20, **kwargs})

    def clean(self, value: Any) -> Snowflake | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return snowflake.parse(text)
        except ValueError:
            raise forms.ValidationError(
                "A Discord id is 17 to 19 digits. With Discord's developer mode on, it can be copied from the menu of "
                "what it belongs to."
            ) from None
