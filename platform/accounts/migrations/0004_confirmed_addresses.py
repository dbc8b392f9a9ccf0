"""A new e-mail address waits in a row of its own until it is confirmed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.models.users


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_public_ids")]

    operations = [
        migrations.CreateModel(
            name="AddressChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", accounts.models.users.EmailAddressField(max_length=254, verbose_name="new e-mail address")),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="address_change",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
