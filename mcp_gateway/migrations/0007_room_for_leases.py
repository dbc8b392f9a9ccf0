from django.db import migrations

# A lease is written onto a row many times between two refreshes. With room in its page PostgreSQL writes the new version
# beside the old one and touches no index (a HOT update).
FORWARD = "ALTER TABLE mcp_gateway_remoteconnection SET (fillfactor = 80)"
BACKWARD = "ALTER TABLE mcp_gateway_remoteconnection RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("mcp_gateway", "0006_earlier_definitions_of_tools")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
