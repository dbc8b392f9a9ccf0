"""An entry names the OAuth application a person acted through, as it names an API key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("security", "0002_append_only_audit")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="application_id",
            field=models.BigIntegerField(null=True, verbose_name="OAuth application"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                fields=["application_id", "-id"],
                name="audit_by_application",
                condition=models.Q(("application_id__isnull", False)),
            ),
        ),
    ]
