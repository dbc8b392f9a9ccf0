"""Model fields that keep secrets: encrypted in the database, bound to their row, opened only when read.

A secret's associated data is its table, primary key and field, so a ciphertext copied to another row, column or table
does not open. The primary key must therefore exist before the row is inserted: a new row takes it from its sequence
just before it is saved.
"""

from typing import Any

from django.core.exceptions import FieldError
from django.db import connections, models, router
from django.db.models.lookups import IsNull
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import pre_save
from django.forms import CharField, Field, PasswordInput

from security.encryption import keyring
from security.redact import REDACTED


class Sealed(bytes):
    """A secret as it lies in the database."""

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


class _OpenedOnRead(DeferredAttribute):
    """Gives the secret in clear, opening it on the first read; sealed it stays in the instance's dict."""

    field: "EncryptedTextField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = keyring().open(value, self.field.bound_to(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        # With a setter, Python asks the descriptor before the dict of the instance, where the value lies sealed.
        instance.__dict__[self.field.attname] = value


class _SecretInput(PasswordInput):
    """Shows that there is a secret, never which."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "placeholder": "Leave empty to keep the stored one"})


class EncryptedTextField(models.BinaryField):  # type: ignore[type-arg]
    """Text that is stored sealed. Null stays null; nothing but `isnull` can be asked of it in a query."""

    descriptor_class = _OpenedOnRead
    description = "Encrypted text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract:
            pre_save.connect(take_primary_key, sender=cls, dispatch_uid=f"primary key of {cls._meta.label}")

    def bound_to(self, instance: models.Model) -> bytes:
        """The associated data: where this secret belongs."""
        if instance.pk is None:
            raise FieldError(
                f"{self.model._meta.label}.{self.name} is bound to its row's primary key, which is not known yet. "
                "Save the rows one by one, or give them their keys before bulk_create."
            )
        return "\x1f".join((self.model._meta.db_table, str(instance.pk), self.name)).encode()

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, Sealed):
            return value
        return self.seal(str(value), model_instance)

    def seal(self, text: str, instance: models.Model) -> Sealed:
        """The text as it would lie in this row, for an update that holds only under a condition."""
        return Sealed(keyring().seal(text, self.bound_to(instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise FieldError(f"{self.model._meta.label}.{self.name} is written by saving its row, not by a query.")
        return super().get_db_prep_value(None if value is None else bytes(value), connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: Any) -> Any:
        return value

    def get_lookup(self, lookup_name: str) -> Any:
        return IsNull if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        return None

    def value_from_object(self, obj: models.Model) -> str:
        """What forms and answers may show: that there is one."""
        return REDACTED if obj.__dict__.get(self.attname) else ""

    def value_to_string(self, obj: models.Model) -> str:
        return self.value_from_object(obj)

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Nothing, or the placeholder sent back, keeps the stored secret."""
        if data not in (None, "", REDACTED):
            setattr(instance, self.name, data)

    def formfield(self, **kwargs: Any) -> Field:
        return CharField(
            label=str(self.verbose_name).capitalize(),
            help_text=self.help_text,
            required=False,
            strip=True,
            widget=_SecretInput(),
        )


def take_primary_key(sender: type[models.Model], instance: models.Model, using: str | None, **_: Any) -> None:
    """Give a new row its primary key from the sequence the database would have used."""
    primary_key = sender._meta.pk
    if instance.pk is not None or primary_key.has_default():
        return
    connection = connections[using or router.db_for_write(sender, instance=instance)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s))",
            [connection.ops.quote_name(sender._meta.db_table), primary_key.column],
        )
        instance.pk = cursor.fetchone()[0]
