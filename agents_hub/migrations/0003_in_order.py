from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents_hub", "0002_agents_by_part_of_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="profile",
            name="cache_cleared_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="agent",
            index=models.Index(fields=["organization", "-updated_at", "-id"], name="agent_by_update"),
        ),
        migrations.AddIndex(
            model_name="profilepool",
            index=models.Index(fields=["organization", "name", "id"], name="pool_by_name"),
        ),
        migrations.RemoveIndex(
            model_name="poolmembership",
            name="pool_by_last_use",
        ),
        migrations.AddIndex(
            model_name="poolmembership",
            index=models.Index(
                models.F("pool"),
                models.OrderBy(models.F("last_used_at"), nulls_first=True),
                models.F("id"),
                name="pool_by_turn",
            ),
        ),
    ]
