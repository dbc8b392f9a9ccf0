from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class McpGatewayConfig(AppConfig):
    name = "mcp_gateway"
    verbose_name = "MCP gateway"

    def ready(self) -> None:
        from accounts.pages.frame import add_tab
        from dashboard.audit_names import audit_names
        from dashboard.jump import jump_list
        from dashboard.navigation import Section, navigation
        from dashboard.panels import home_panels
        from mcp_gateway.oauth import connections
        from mcp_gateway.remote.pages import shell

        icon = "mcp_gateway/icons/integrations.svg"
        navigation.add(Section.CONTROL_HUB, "Integrations", "mcp_gateway:integrations", icon=icon, order=10)
        jump_list.add("MCP servers", shell.places)
        home_panels.add("mcp_gateway/remote/home_panel.html", shell.panel, order=5)
        navigation.add(Section.HELP, "API", "mcp_gateway:api", icon="mcp_gateway/icons/api.svg", order=110)
        add_tab("mcp_gateway:connections", "Connected applications", after="accounts:settings")
        audit_names.add("application_id", connections.names)
        autodiscover_modules("mcp_tools")
        autodiscover_modules("api")  # the routes to those tools
