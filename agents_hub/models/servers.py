"""Which remote MCP servers an agent works with: its executions can be given their tools, and those of no others."""

from django.conf import settings
from django.db import models

from agents_hub.models.agents import Agent
from agents_hub.models.tenancy import OrganizationQuerySet
from mcp_gateway.models import RemoteServer


class AgentServerQuerySet(OrganizationQuerySet["AgentServer"]):
    organization_path = "agent__organization"


class AgentServer(models.Model):
    """A remote server assigned to an agent of the same organization."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="agent_servers")
    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="agent_servers")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_at = models.DateTimeField(auto_now_add=True)

    objects = AgentServerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "server"], name="agent_server_once")]

    def __str__(self) -> str:
        return f"{self.server} for {self.agent}"
