import django.contrib.postgres.indexes
from django.db import migrations

import agents_hub.models.search

FUNCTION = """
CREATE FUNCTION agents_hub_trigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(upper(value), place, 3)), '{}')
    FROM generate_series(1, length(upper(value)) - 2) AS place
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agents_hub", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION agents_hub_trigrams(text)"),
        migrations.AddIndex(
            model_name="agent",
            index=django.contrib.postgres.indexes.GinIndex(
                agents_hub.models.search.Trigrams("name"), name="agent_by_part_of_name"
            ),
        ),
    ]
