"""Connecting to the local PostgreSQL, starting it first where it does not run."""

from typing import Any

import dj_database_url
from django.conf import settings
from django.db.backends.postgresql import base

from config.embedded import Cluster

cluster = Cluster(settings.LOCAL_POSTGRES_FOLDER, durable=settings.LOCAL_POSTGRES_DURABLE)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        where = dj_database_url.parse(cluster.ensure())
        self.settings_dict.update({key: where[key] for key in ("HOST", "USER", "PASSWORD")})
        return super().get_connection_params()
