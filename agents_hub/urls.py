"""URLs of the app."""

from django.urls import path

from agents_hub.pages import agents, connect, content, files

AGENT = "dashboard/agents/<uuid:agent_id>/"
FILE = AGENT + "files/<uuid:file_id>/"

app_name = "agents"
urlpatterns = [
    path("files/<str:token>", content.show_content, name="content"),
    path("dashboard/agents/", agents.agent_list, name="list"),
    path("dashboard/agents/create", agents.create, name="create"),
    path(AGENT, files.agent_page, name="agent"),
    path(AGENT + "rename", agents.rename, name="rename"),
    path(AGENT + "delete", agents.delete, name="delete"),
    path(AGENT + "files/delete", files.delete_all, name="delete-files"),
    path(FILE + "download", files.download, name="download"),
    path(FILE + "freeze", files.freeze, name="freeze"),
    path(FILE + "replace", files.replace, name="replace"),
    path(FILE + "delete", files.delete, name="delete-file"),
    path("dashboard/connect", connect.connect, name="connect"),
]
