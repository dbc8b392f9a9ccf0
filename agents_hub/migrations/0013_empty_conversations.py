from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_confirmed_addresses"),
        ("agents_hub", "0012_overlap"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(condition=models.Q(("tip", None)), fields=["created_at"], name="conversation_empty"),
        ),
    ]
