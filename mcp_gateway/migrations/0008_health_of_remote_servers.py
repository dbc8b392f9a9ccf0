import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mcp_gateway", "0007_room_for_leases")]

    operations = [
        migrations.CreateModel(
            name="RemoteHealth",
            fields=[
                (
                    "server",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="mcp_gateway.remoteserver",
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, help_text="In a row.")),
                ("code", models.CharField(max_length=60)),
                ("message", models.CharField(max_length=1000)),
                ("failed_at", models.DateTimeField()),
                (
                    "closed_until",
                    models.DateTimeField(blank=True, help_text="It is not asked before.", null=True),
                ),
            ],
            options={"verbose_name_plural": "remote health"},
        ),
    ]
