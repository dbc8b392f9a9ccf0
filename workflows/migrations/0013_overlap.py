from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_confirmed_addresses"),
        ("agents_hub", "0012_overlap"),
        ("workflows", "0012_executions_by_their_end"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="overlap",
            field=models.CharField(
                choices=[("skip", "Skip that time"), ("beside", "Run beside it")],
                db_default="skip",
                default="skip",
                help_text="What is done at a due time while the previous run is still going.",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="schedulerun",
            name="is_skipped",
            field=models.BooleanField(
                db_default=False, default=False, help_text="The previous run was still going.", verbose_name="skipped"
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("overlap__in", ["skip", "beside"])), name="workflows_schedule_overlap"
            ),
        ),
    ]
