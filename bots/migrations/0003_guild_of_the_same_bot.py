"""A row that names a bot and a guild names a guild of that bot: no row can hang on one owner and show another's."""

from django.db import migrations

CHILDREN = (
    ("bots_ticket", "ticket_guild_of_its_bot"),
    ("bots_moderationcase", "case_guild_of_its_bot"),
    ("bots_giftcode", "gift_code_guild_of_its_bot"),
    ("bots_activitybucket", "activity_guild_of_its_bot"),
    ("bots_commandinvocation", "invocation_guild_of_its_bot"),
    ("bots_roisnapshot", "roi_snapshot_guild_of_its_bot"),
)


class Migration(migrations.Migration):
    dependencies = [("bots", "0002_rate_limits")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE bots_guild ADD CONSTRAINT guild_with_its_bot UNIQUE (id, bot_id)",
            "ALTER TABLE bots_guild DROP CONSTRAINT guild_with_its_bot",
        ),
        *[
            migrations.RunSQL(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (guild_id, bot_id) "
                "REFERENCES bots_guild (id, bot_id) DEFERRABLE INITIALLY DEFERRED",
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
            )
            for table, name in CHILDREN
        ],
    ]
