"""Addresses of the pages of remote servers."""

from django.urls import path

from mcp_gateway.remote.pages import connecting, editing, integrations, overview, testing, tools

LIST = "dashboard/integrations"
SERVER = f"{LIST}/<int:server_id>"
TOOL = f"{SERVER}/tools/<int:tool_id>"

urlpatterns = [
    path(LIST, integrations.listing, name="integrations"),
    path(f"{LIST}/add", editing.add, name="remote-add"),
    path(f"{LIST}/examples/<slug:example>/add", integrations.add_example, name="remote-add-example"),
    path(SERVER, overview.server_page, name="remote-server"),
    path(f"{SERVER}/activity", overview.activity, name="remote-activity"),
    path(f"{SERVER}/edit", editing.edit, name="remote-edit"),
    path(f"{SERVER}/enable", editing.enable, name="remote-enable"),
    path(f"{SERVER}/delete", editing.delete, name="remote-delete"),
    path(f"{SERVER}/test", testing.test, name="remote-test"),
    path(f"{SERVER}/connect", connecting.connect, name="remote-connect"),
    path(f"{SERVER}/disconnect", connecting.disconnect, name="remote-disconnect"),
    path(TOOL, tools.tool_page, name="remote-tool"),
    path(f"{TOOL}/policy", tools.set_policy, name="remote-tool-policy"),
    path(f"{TOOL}/accept", tools.accept, name="remote-tool-accept"),
]
