"""What the lists of agents are made with."""

from accounts.services.organizations import organization_of, organizations_of
from mcp_gateway.numbered_pages import NumberedPage, numbered, ordering

__all__ = ["NumberedPage", "numbered", "ordering", "organization_of", "organizations_of"]
