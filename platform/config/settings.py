"""Django's settings. Every value an operator may set is an environment variable, listed in docs/operations.md.

Development is the default (`make run`): embedded PostgreSQL, filesystem broker, secrets in var/. Production is
`ASTERISM_ENV=production`, which refuses to start on a default that would not be safe.
"""

import tomllib
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from config import broker, logs, oauth, stored_files
from config import environment as env
from security import client_ip

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(env.text("ASTERISM_VAR", str(ROOT / "var"))).resolve()

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
ENVIRONMENT = env.text("ASTERISM_ENV", "development")
if ENVIRONMENT not in {"development", "production", "test"}:
    raise ImproperlyConfigured(f"ASTERISM_ENV is {ENVIRONMENT!r}; it is development or production.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DEBUG", False)

HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1)
# What the platform calls itself to the outside: issuer, links in mails, copied configurations. Never the Host header.
PUBLIC_URL = env.text("PUBLIC_URL", "" if PRODUCTION else f"http://127.0.0.1:{PORT}").rstrip("/")

# Outside production a secret that is not given is made once and kept in var/.
SECRET_KEY = env.secret("SECRET_KEY", file=VAR / "secret_key", make=None if PRODUCTION else env.random_text)
# AES-256 keys, base64, newest first.
ENCRYPTION_KEYS = (
    env.secret("ENCRYPTION_KEYS", file=VAR / "encryption_keys", make=None if PRODUCTION else env.random_key)
    .replace(",", " ")
    .split()
)
if PRODUCTION:
    for name, value in {
        "SECRET_KEY": SECRET_KEY,
        "ENCRYPTION_KEYS": ENCRYPTION_KEYS,
        "PUBLIC_URL": PUBLIC_URL,
        "DATABASE_URL": env.text("DATABASE_URL"),
        "BROKER_URL": env.text("BROKER_URL"),
    }.items():
        if not value:
            raise ImproperlyConfigured(f"Set {name}: production has no default for it (see docs/operations.md).")
    if not PUBLIC_URL.startswith("https://"):
        raise ImproperlyConfigured(f"PUBLIC_URL is {PUBLIC_URL!r}; in production it begins with https://.")

_public_host = PUBLIC_URL.split("://", 1)[-1].split("/", 1)[0].rsplit(":", 1)[0] if PUBLIC_URL else ""
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [_public_host, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
# Networks (CIDR) whose X-Forwarded-For is believed; empty: the peer's own address counts.
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")
try:
    client_ip.networks(TRUSTED_PROXIES)
except ValueError as error:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES: {error}; it is a comma-separated list like 10.0.0.0/8.") from None

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logs.configuration(
    json=env.text("LOG_FORMAT", "json" if PRODUCTION else "text") == "json", level=env.text("LOG_LEVEL", "INFO").upper()
)

INSTALLED_APPS = [
    "config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "oauth2_provider",
    "security",
    "accounts",
    "dashboard",
    "scheduling",
    "llm",
    "mcp_gateway",
    "agents_hub",
    "workflows",
    "bots",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "security.csp.PageHeaders",
    "dashboard.static_files.WholeFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dashboard.middleware.DomainErrorPages",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.shell",
            ],
        },
    }
]

# One connection a thread, kept open (for pages: config.kept_threads); checked before use, so that a restarted database
# heals by itself.
DATABASE_URL = env.text("DATABASE_URL")
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL or "postgres:///asterism",
        conn_max_age=env.number("DATABASE_CONN_MAX_AGE", 60),
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL names something other than PostgreSQL; it begins with postgres://.")
# Without a URL the platform's own PostgreSQL is started when the first connection is asked for.
LOCAL_POSTGRES_FOLDER = VAR / "postgres"
LOCAL_POSTGRES_DURABLE = True
if not DATABASE_URL:
    DATABASES["default"]["ENGINE"] = "config.local_postgres"
# A native client signs in by a redirect to http on its own machine (RFC 8252, section 7.3); other hosts need https.
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W008"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
BROKER_URL = env.text("BROKER_URL") or broker.URL

# Late acknowledgement and one message at a time: a worker that dies gives back what it had begun.
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = env.number("TASK_SOFT_TIME_LIMIT", 240, least=1)
CELERY_TASK_TIME_LIMIT = env.number("TASK_TIME_LIMIT", 300, least=2)
CELERY_TIMEZONE = "UTC"
# Two queues, each with workers of its own (`celery worker --queues`): what takes seconds never stands behind what may
# take hours. A worker that is told no queue serves both.
SHORT_WORK, LONG_WORK = "short", "long"
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in (SHORT_WORK, LONG_WORK)]
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_ROUTING_KEY = SHORT_WORK
CELERY_TASK_ROUTES = {
    "workflows.tasks.run_next_execution": {"queue": LONG_WORK},
    "agents_hub.tasks.carry_out_turn": {"queue": LONG_WORK},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
if BROKER_URL == broker.URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = broker.options(VAR / "broker")
    # Remote control and gossip talk by fan-out, which on a folder is files that nobody takes away.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
elif BROKER_URL.startswith(("redis://", "rediss://")):
    # Redis hands a message out again when it was not acknowledged for this long: longer than any task that is
    # acknowledged at its end may run.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT}
elif not BROKER_URL.startswith(("amqp://", "amqps://")):
    raise ImproperlyConfigured(
        f"BROKER_URL begins with {BROKER_URL.split(':')[0]!r}; it is an amqp:// or redis:// URL."
    )

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "dashboard:home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
# Whether anybody may make an account; invitations work either way.
SIGN_UP_OPEN = env.flag("SIGN_UP_OPEN", False)
PASSWORD_RESET_TIMEOUT = 3_600
# Days that entries of the audit are kept; 0 keeps them for ever.
AUDIT_RETENTION_DAYS = env.number("AUDIT_RETENTION_DAYS", 400)

CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failed"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.flag("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Requests made to addresses that people enter: https:// to public servers alone. Outside production this machine's own
# servers are allowed too, by http:// as well; networks (CIDR) can be opened, for an intranet, and closed besides.
OUTBOUND_ALLOW_LOCAL = env.flag("OUTBOUND_ALLOW_LOCAL", not PRODUCTION)
OUTBOUND_ALLOW_NETWORKS = env.words("OUTBOUND_ALLOW_NETWORKS")
OUTBOUND_DENY_NETWORKS = env.words("OUTBOUND_DENY_NETWORKS")
for name, networks in (
    ("OUTBOUND_ALLOW_NETWORKS", OUTBOUND_ALLOW_NETWORKS),
    ("OUTBOUND_DENY_NETWORKS", OUTBOUND_DENY_NETWORKS),
):
    try:
        client_ip.networks(networks)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}; it is a comma-separated list like 10.20.0.0/16.") from None

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.text("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "asterism@localhost")

# The longest body of a request whose route takes no files; those say what they take (security.body_size).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Collected in production alone; elsewhere files are served from where they lie.
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR / "static"))) if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "dashboard.static_files.NamedFiles"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
    "files": stored_files.storage(VAR),
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_ALLOW_ALL_ORIGINS = False

# The gateway. Two pools: quick for what only reads and writes the database, wide for tools that call out.
QUICK_THREADS = env.number("QUICK_THREADS", 2, least=1)
WIDE_THREADS = env.number("WIDE_THREADS", 16, least=1)
# Connections on the event loop, for the reads that are called most.
HOT_CONNECTIONS = env.number("HOT_CONNECTIONS", 4, least=1)
# Requests a minute from one address; 0 leaves the counting to a proxy.
MCP_SERVER_RATE_PER_MINUTE = env.number("MCP_SERVER_RATE_PER_MINUTE", 60)
# Origins of pages that may call the MCP endpoints from a browser, besides our own.
MCP_ALLOWED_ORIGINS = env.words("MCP_ALLOWED_ORIGINS")
MCP_SERVER_MAX_BODY_BYTES = 1_048_576
KEY_CACHE_SECONDS = env.number("KEY_CACHE_SECONDS", 5)
# Requests a minute from one address to /mcp, where a person's own client works all day.
MCP_PLATFORM_RATE_PER_MINUTE = env.number("MCP_PLATFORM_RATE_PER_MINUTE", 600)
# Requests a minute from one API key to the REST API; 0 leaves the counting to a proxy.
REST_RATE_PER_MINUTE = env.number("REST_RATE_PER_MINUTE", 600)
SPECTACULAR_SETTINGS = {
    "TITLE": "Asterism",
    "DESCRIPTION": "Agents, browser profiles, files and workflows. The guide: /docs/rest-api.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": PUBLIC_URL}],
    # The schemas are the tools' own; nothing is to be guessed or gathered into others.
    "POSTPROCESSING_HOOKS": [],
}
# Remote MCP servers: seconds that connecting may take, and a call of a tool; and the bytes one answer may have.
MCP_REMOTE_CONNECT_SECONDS = env.number("MCP_REMOTE_CONNECT_SECONDS", 15, least=1)
MCP_REMOTE_CALL_SECONDS = env.number("MCP_REMOTE_CALL_SECONDS", 120, least=1)
MCP_REMOTE_ANSWER_BYTES = env.number("MCP_REMOTE_ANSWER_MB", 16, least=1) * 1_048_576
# A tool that reports progress may go on for so many seconds in all; what people are asked in between is not counted.
MCP_REMOTE_LONGEST_CALL_SECONDS = env.number("MCP_REMOTE_LONGEST_CALL_SECONDS", 900, least=1)
# Where providers find the document about us (client ID metadata), if not at our own address: behind a firewall, say.
MCP_REMOTE_CLIENT_DOCUMENT_URL = env.text("MCP_REMOTE_CLIENT_DOCUMENT_URL")
# What is passed on of one result: text, and images, sounds and files together.
MCP_REMOTE_TEXT_BYTES = env.number("MCP_REMOTE_TEXT_KB", 1_024, least=1) * 1_024
MCP_REMOTE_MEDIA_BYTES = env.number("MCP_REMOTE_MEDIA_KB", 8_192, least=1) * 1_024
# Refreshes of a connection that have to fail before an expired one is shown as in error.
MCP_REMOTE_REFRESH_ATTEMPTS = env.number("MCP_REMOTE_REFRESH_ATTEMPTS", 10, least=1)
# Days that the calls of remote tools are kept for their server's page; 0 keeps them for ever.
MCP_REMOTE_CALLS_RETENTION_DAYS = env.number("MCP_REMOTE_CALLS_RETENTION_DAYS", 30)
# Days that each call of a model is kept by itself; older ones are summed up by day. 0 keeps them for ever.
MODEL_CALLS_RETENTION_DAYS = env.number("MODEL_CALLS_RETENTION_DAYS", 90)
# Live pages: streams open at once, of one person and in one web process; how often a stream shows that it is there, and
# whether whoever holds it may still look on, in seconds.
STREAMS_PER_PERSON = env.number("STREAMS_PER_PERSON", 20, least=1)
STREAMS_PER_PROCESS = env.number("STREAMS_PER_PROCESS", 500, least=1)
STREAM_BEAT_SECONDS = env.number("STREAM_BEAT_SECONDS", 15, least=1)
# Executions. Seconds for which a worker holds one: another takes it over so long after a worker was lost.
WORKFLOW_LEASE_SECONDS = env.number("WORKFLOW_LEASE_SECONDS", 30, least=1)
# How often in a row a step may lose its worker before the run is given up.
WORKFLOW_MOST_ATTEMPTS = env.number("WORKFLOW_MOST_ATTEMPTS", 5, least=1)
# Executions at work at once: in all, of one organization, of one agent. What is beyond waits for its turn.
WORKFLOW_PLACES = env.number("WORKFLOW_PLACES", 50, least=1)
WORKFLOW_PLACES_PER_ORGANIZATION = env.number("WORKFLOW_PLACES_PER_ORGANIZATION", 10, least=1)
WORKFLOW_PLACES_PER_AGENT = env.number("WORKFLOW_PLACES_PER_AGENT", 5, least=1)
# Executions of one organization that may wait for their places; a start beyond is refused. 0 sets no limit.
WORKFLOW_MOST_WAITING = env.number("WORKFLOW_MOST_WAITING", 10_000)
# Seconds for which an execution keeps its worker while another one waits for it; it gives way at its next commit.
WORKFLOW_SLICE_SECONDS = env.number("WORKFLOW_SLICE_SECONDS", 30, least=1)
# Seconds that a worker told to stop leaves to what is under way, before it gives its execution back in the midst of it.
WORKFLOW_STOP_SECONDS = env.number("WORKFLOW_STOP_SECONDS", 20)
# Hours that a question of an agent to people may stay unanswered before its run fails.
WORKFLOW_ANSWER_HOURS = env.number("WORKFLOW_ANSWER_HOURS", 72, least=1)
# Days that executions are kept after their end, with all that belongs to them; 0 keeps them for ever.
EXECUTIONS_RETENTION_DAYS = env.number("EXECUTIONS_RETENTION_DAYS", 0)
# Webhooks. Seconds until another worker sends what one took and was lost with: more than sending may take (15).
WEBHOOK_LEASE_SECONDS = env.number("WEBHOOK_LEASE_SECONDS", 60, least=1)
# Days that deliveries are kept for their endpoint's page; 0 keeps them for ever.
WEBHOOK_DELIVERIES_RETENTION_DAYS = env.number("WEBHOOK_DELIVERIES_RETENTION_DAYS", 30)
# Chats. Seconds for which a process holds a turn: after so long one that was lost is marked as interrupted.
CHAT_LEASE_SECONDS = env.number("CHAT_LEASE_SECONDS", 15, least=1)
# Turns that one process carries out at once; the rest wait.
CHAT_TURNS_PER_PROCESS = env.number("CHAT_TURNS_PER_PROCESS", 100, least=0)
# Turns of one person, and of one organization, that are carried out at once by all processes; the rest wait.
CHAT_TURNS_PER_PERSON = env.number("CHAT_TURNS_PER_PERSON", 10, least=1)
CHAT_TURNS_PER_ORGANIZATION = env.number("CHAT_TURNS_PER_ORGANIZATION", 50, least=1)
# Seconds that an answer may take, without the time in which it waits for the person; and minutes that it waits.
CHAT_TURN_SECONDS = env.number("CHAT_TURN_SECONDS", 900, least=1)
CHAT_ANSWER_MINUTES = env.number("CHAT_ANSWER_MINUTES", 30, least=1)
# An agent with more tools than this is given one to search them with.
CHAT_TOOLS_DIRECT = env.number("CHAT_TOOLS_DIRECT", 40, least=1)
# Days that what was sent to models is kept for administrators.
CHAT_RECORD_RETENTION_DAYS = env.number("CHAT_RECORD_RETENTION_DAYS", 30, least=1)
# Where spans are sent by OTLP over HTTP; without it none are made. Needs requirements-extras.txt.
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
# Who may read /metrics: whoever shows this as a Bearer token; without one, this machine only.
METRICS_TOKEN = env.text("METRICS_TOKEN")

DISCORD_API_URL = env.text("DISCORD_API_URL", "https://discord.com/api/v10").rstrip("/")
# Where bots of the sandbox act instead; `up` starts one at a port that is free, and sets this for the processes.
DISCORD_SANDBOX_URL = env.text("DISCORD_SANDBOX_URL", f"http://127.0.0.1:{PORT + 1}/api/v10").rstrip("/")

# Our sign-in for MCP clients. The toolkit's models are swapped for ours, and so its own migrations have nothing to do.
OAUTH2_PROVIDER = oauth.toolkit(PUBLIC_URL)
OAUTH2_PROVIDER_APPLICATION_MODEL = oauth.MODELS["APPLICATION"]
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = oauth.MODELS["ACCESS_TOKEN"]
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = oauth.MODELS["REFRESH_TOKEN"]
OAUTH2_PROVIDER_GRANT_MODEL = oauth.MODELS["GRANT"]
OAUTH2_PROVIDER_ID_TOKEN_MODEL = oauth.MODELS["ID_TOKEN"]
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = oauth.MODELS["DEVICE_GRANT"]
MIGRATION_MODULES = {"oauth2_provider": None}
# Schemes of desktop apps that clients may have people sent back to, besides https and loopback.
OAUTH_APP_SCHEMES = env.words("OAUTH_APP_SCHEMES", "cursor")
# Clients that may register themselves from one address in an hour.
OAUTH_REGISTRATIONS_PER_HOUR = env.number("OAUTH_REGISTRATIONS_PER_HOUR", 20, least=1)

# What stands behind the @ of a browser profile's inbox.
INBOX_DOMAIN = env.text("INBOX_DOMAIN", "inbox.localhost")
# What the files of one organization may take up together.
FILES_QUOTA_BYTES = env.number("FILES_QUOTA_MB", 5_120) * 1_048_576
# The largest files that a message in a chat may carry, by what they are.
ATTACHMENT_TEXT_BYTES = env.number("ATTACHMENT_TEXT_MB", 2, least=1) * 1_048_576
ATTACHMENT_PDF_BYTES = env.number("ATTACHMENT_PDF_MB", 20, least=1) * 1_048_576
# Providers take no more of one image.
ATTACHMENT_IMAGE_BYTES = env.number("ATTACHMENT_IMAGE_MB", 5, least=1) * 1_048_576
