"""What people filled in for servers is not kept, also not what was filled in before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents_hub", "0010_turns_in_order")]

    operations = [
        migrations.RunSQL(
            "UPDATE agents_hub_inquiry SET answer = answer - 'content' WHERE answer ? 'content'",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            "inquiry",
            models.Index(fields=["id"], condition=models.Q(answer__has_key="content"), name="inquiry_with_content"),
        ),
    ]
