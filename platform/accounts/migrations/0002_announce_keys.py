"""Tell every process at once when a key stops opening what it opened, through whichever door, raw SQL included."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_announce_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('api_key_revoked', OLD.lookup);
    RETURN NULL;
END $$;

CREATE TRIGGER api_key_changed AFTER UPDATE ON accounts_apikey FOR EACH ROW
WHEN (
    (OLD.lookup, OLD.digest, OLD.user_id, OLD.scope, OLD.expires_at, OLD.revoked_at)
    IS DISTINCT FROM
    (NEW.lookup, NEW.digest, NEW.user_id, NEW.scope, NEW.expires_at, NEW.revoked_at)
)
EXECUTE FUNCTION accounts_announce_api_key();

CREATE TRIGGER api_key_deleted AFTER DELETE ON accounts_apikey FOR EACH ROW
EXECUTE FUNCTION accounts_announce_api_key();

CREATE FUNCTION accounts_announce_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('api_key_revoked', 'user:' || OLD.id);
    RETURN NULL;
END $$;

CREATE TRIGGER user_active_changed AFTER UPDATE OF is_active ON accounts_user FOR EACH ROW
WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active)
EXECUTE FUNCTION accounts_announce_user();
"""

BACKWARD = """
DROP TRIGGER user_active_changed ON accounts_user;
DROP FUNCTION accounts_announce_user();
DROP TRIGGER api_key_deleted ON accounts_apikey;
DROP TRIGGER api_key_changed ON accounts_apikey;
DROP FUNCTION accounts_announce_api_key();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
