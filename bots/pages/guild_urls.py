"""URLs of a guild's pages, by its Discord id: /dashboard/<guild id>/mcp."""

from django.urls import path

from bots.pages import installs

urlpatterns = [
    path("<int:guild_id>/mcp", installs.guild_servers, name="guild-servers"),
    path("<int:guild_id>/mcp/<int:install_id>/switch", installs.switch, name="switch-guild-server"),
    path("<int:guild_id>/mcp/<int:install_id>/remove", installs.remove, name="remove-guild-server"),
]
