"""`manage.py reencrypt`: seal every stored secret under the newest key, so that older keys can be dropped."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from security.encryption import DecryptionError, key_name, keyring
from security.fields import EncryptedTextField, Sealed

BATCH = 200


class Command(BaseCommand):
    help = "Seal every stored secret under the newest of ENCRYPTION_KEYS. Safe to run while the platform is used."

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        unreadable: list[str] = []
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, EncryptedTextField):
                    count = reseal(model, field, unreadable)
                    total += count
                    self.stdout.write(f"{model._meta.label}.{field.name}: {count} sealed anew.")
        if unreadable:
            raise CommandError(
                f"{total} sealed anew; these cannot be opened with the keys in ENCRYPTION_KEYS, and were left: "
                + ", ".join(unreadable)
            )
        self.stdout.write(f"{total} sealed anew. The keys after the first in ENCRYPTION_KEYS are no longer needed.")


def reseal(model: type[models.Model], field: EncryptedTextField, unreadable: list[str]) -> int:
    """How many rows of one field were sealed under an older key and are no longer. What does not open is named."""
    done, after = 0, None
    while True:
        with transaction.atomic():
            rows = model._default_manager.filter(**{f"{field.name}__isnull": False}).order_by("pk")
            if after is not None:
                rows = rows.filter(pk__gt=after)
            batch = list(rows.select_for_update(of=("self",)).only("pk", field.name)[:BATCH])
            for row in batch:
                sealed = row.__dict__[field.attname]
                if key_name(sealed) == keyring().newest:
                    continue
                try:
                    fresh = keyring().seal(keyring().open(sealed, field.bound_to(row)), field.bound_to(row))
                except DecryptionError:
                    unreadable.append(f"{model._meta.label} {row.pk}")
                    continue
                model._default_manager.filter(pk=row.pk).update(**{field.name: Sealed(fresh)})
                done += 1
        if len(batch) < BATCH:
            return done
        after = batch[-1].pk
