"""The audit is appended to: no row changes, and none goes but by the retention command."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION security_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('asterism.audit_prune', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit is append-only: its entries are not changed, and go by "manage.py audit prune" alone.'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON security_auditentry FOR EACH ROW
EXECUTE FUNCTION security_refuse_audit_change();
"""

BACKWARD = """
DROP TRIGGER audit_append_only ON security_auditentry;
DROP FUNCTION security_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("security", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
