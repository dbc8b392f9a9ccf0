"""Endpoints of webhooks and their deliveries, which a trigger makes in the transaction in which an execution ends."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import security.fields
import security.identifiers
import workflows.models.webhooks

# Asked only where a statement sets the status, and at work only where that ends the execution: steps do not pay.
FORWARD = """
CREATE FUNCTION workflows_deliver_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO workflows_webhookdelivery (
        endpoint_id, execution_id, message_id, event, occurred_at, created_at, state, due_at,
        attempts, attempts_in_a_row, response_excerpt, fault
    )
    SELECT endpoint.id, NEW.id, gen_random_uuid(), NEW.status, NEW.terminal_at, clock_timestamp(), 'waiting',
        clock_timestamp(), 0, 0, '', ''
    FROM workflows_webhookendpoint endpoint
    WHERE endpoint.organization_id = NEW.organization_id AND endpoint.enabled AND NEW.status = ANY(endpoint.statuses)
        AND (endpoint.every_agent OR EXISTS (
            SELECT 1 FROM workflows_webhookendpoint_agents chosen
            WHERE chosen.webhookendpoint_id = endpoint.id AND chosen.agent_id = NEW.agent_id
        ))
    FOR KEY SHARE OF endpoint;
    RETURN NULL;
END $$;

CREATE TRIGGER execution_end_delivered AFTER UPDATE OF status ON workflows_execution FOR EACH ROW
WHEN (OLD.status NOT IN ('completed', 'failed', 'cancelled') AND NEW.status IN ('completed', 'failed', 'cancelled'))
EXECUTE FUNCTION workflows_deliver_end();
"""
BACKWARD = """
DROP TRIGGER execution_end_delivered ON workflows_execution;
DROP FUNCTION workflows_deliver_end();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_confirmed_addresses"),
        ("agents_hub", "0004_agent_servers"),
        ("workflows", "0008_schedules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=security.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("url", models.CharField(max_length=2048, verbose_name="URL")),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "statuses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[("completed", "Completed"), ("failed", "Failed"), ("cancelled", "Cancelled")],
                            max_length=24,
                        ),
                        default=workflows.models.webhooks.all_ends,
                        size=None,
                    ),
                ),
                ("every_agent", models.BooleanField(default=True)),
                ("secret", security.fields.EncryptedTextField()),
                ("old_secret", security.fields.EncryptedTextField(blank=True, null=True)),
                ("old_secret_until", models.DateTimeField(blank=True, null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("fault", models.CharField(blank=True, max_length=500)),
                ("admins_told_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("agents", models.ManyToManyField(blank=True, related_name="+", to="agents_hub.agent")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="webhook_endpoints",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "message_id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, help_text="webhook-id, in each attempt the same."
                    ),
                ),
                (
                    "event",
                    models.CharField(help_text="The status that the execution ended with, or test.", max_length=24),
                ),
                ("occurred_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("given_up", "Given up")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ("lease_until", models.DateTimeField(blank=True, help_text="While somebody sends it.", null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("attempts_in_a_row", models.PositiveIntegerField(default=0)),
                ("attempted_at", models.DateTimeField(blank=True, null=True)),
                ("response_status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("response_excerpt", models.CharField(blank=True, max_length=500)),
                (
                    "fault",
                    models.CharField(blank=True, help_text="Why the last attempt failed, for people.", max_length=500),
                ),
                ("duration_ms", models.FloatField(blank=True, null=True)),
                (
                    "execution",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workflows.execution",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="workflows.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(("enabled", True)), fields=["organization"], name="webhook_endpoint_in_use"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(
                condition=models.Q(
                    ("admins_told_at", None), ("enabled", False), models.Q(("fault", ""), _negated=True)
                ),
                fields=["id"],
                name="webhook_endpoint_untold",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["endpoint", "due_at", "id"],
                name="webhook_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False)),
                fields=["endpoint"],
                name="webhook_delivery_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["created_at"], name="webhook_delivery_by_time"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state", "waiting")),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("due_at", None)),
                    _connector="OR",
                ),
                name="webhook_delivery_waits_or_ended",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
