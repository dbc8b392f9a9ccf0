"""The ASGI application: Django's pages with the MCP endpoints mounted beside them."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from config.body_limit import BodyLimit
from config.edge import Edge

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from config.endpoints import endpoints  # noqa: E402 - the apps have to be ready before the tools they register are looked at
from mcp_gateway.asgi import mount  # noqa: E402

application = Edge(mount(BodyLimit(pages), endpoints()), proxies=settings.TRUSTED_PROXIES)
