"""Remote MCP servers that a guild's bot may call: for custom commands and workflows of that guild."""

from django.db import models

from bots.models.guilds import Guild
from bots.models.tenancy import OwnedQuerySet
from mcp_gateway.models import RemoteServer


class McpInstallQuerySet(OwnedQuerySet["McpInstall"]):
    owner_path = "guild__bot__owner_id"


class McpInstall(models.Model):
    """A remote server installed in one guild. Its tools run with the connection of the bot's owner.

    Whether it may be used depends on the owner's plan as well, which is asked each time: after a downgrade the newest
    ones are out of use, and come back with the plan.
    """

    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="mcp_installs")
    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = McpInstallQuerySet.as_manager()

    class Meta:
        verbose_name = "MCP install"
        constraints = [models.UniqueConstraint(fields=["guild", "server"], name="mcp_install_once")]

    def __str__(self) -> str:
        return f"{self.server} in {self.guild}"
