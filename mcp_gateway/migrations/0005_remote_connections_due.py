from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mcp_gateway", "0004_tests_of_remote_servers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="remoteconnection",
            name="remote_connection_due",
        ),
        migrations.AddIndex(
            model_name="remoteconnection",
            index=models.Index(
                condition=models.Q(("refresh_due_at__isnull", False)),
                fields=["refresh_due_at"],
                name="remote_connection_due",
            ),
        ),
        migrations.AddIndex(
            model_name="remoteconnection",
            index=models.Index(
                condition=models.Q(
                    ("owner_told_at__isnull", True), ("refresh_due_at__isnull", True), ("status", "error")
                ),
                fields=["id"],
                name="remote_connection_untold",
            ),
        ),
    ]
