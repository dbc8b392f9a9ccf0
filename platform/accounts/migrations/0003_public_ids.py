"""Give people and organizations an id that may be shown: rows first, then the promise that each has its own."""

from typing import Any

from django.db import migrations, models

from security.identifiers import uuid7


def give_ids(apps: Any, schema_editor: Any) -> None:
    for name in ("User", "Organization"):
        for row in apps.get_model("accounts", name).objects.filter(uid=None).only("pk").iterator():
            row.uid = uuid7()
            row.save(update_fields=["uid"])


def public_id(**extra: Any) -> models.UUIDField:
    return models.UUIDField(editable=False, verbose_name="public id", **extra)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_announce_keys")]

    operations = [
        # Without the default: adding a column works one out once, and gives it to every row there is.
        migrations.AddField("user", "uid", public_id(null=True)),
        migrations.AddField("organization", "uid", public_id(null=True)),
        migrations.RunPython(give_ids, migrations.RunPython.noop, elidable=True),
        migrations.AlterField("user", "uid", public_id(default=uuid7, unique=True)),
        migrations.AlterField("organization", "uid", public_id(default=uuid7, unique=True)),
    ]
