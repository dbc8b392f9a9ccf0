"""A version's content never changes, and its number only once, from none to one."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION workflows_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.graph, OLD.rules, OLD.settings, OLD.environment_template, OLD.task, OLD.agent_id)
        IS DISTINCT FROM (NEW.graph, NEW.rules, NEW.settings, NEW.environment_template, NEW.task, NEW.agent_id)
        OR (OLD.version IS NOT NULL AND NEW.version IS DISTINCT FROM OLD.version)
    THEN
        RAISE EXCEPTION 'A version of a workflow does not change: make a new one with this one as its parent.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER workflow_immutable BEFORE UPDATE ON workflows_workflow FOR EACH ROW
EXECUTE FUNCTION workflows_refuse_change();
"""

BACKWARD = """
DROP TRIGGER workflow_immutable ON workflows_workflow;
DROP FUNCTION workflows_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0001_versions")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
