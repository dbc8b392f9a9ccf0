from django.db import migrations, models

# Each step writes its execution's row anew. With room in its page, and no index over what a step changes, PostgreSQL
# writes the new version beside the old one and touches no index (a HOT update).
FORWARD = "ALTER TABLE workflows_execution SET (fillfactor = 70)"
BACKWARD = "ALTER TABLE workflows_execution RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("workflows", "0009_webhooks")]

    operations = [
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status__in", frozenset({"starting", "running"}))),
                fields=["id"],
                name="execution_alive",
            ),
        ),
        migrations.RemoveIndex(model_name="execution", name="execution_active"),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
