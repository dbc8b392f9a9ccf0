"""URLs of the app."""

from django.urls import path

from agents_hub.pages import (
    abilities,
    agent_edit,
    agents,
    audience,
    connect,
    content,
    files,
    pools,
    profile_parts,
    profiles,
    servers,
    tasks,
)

AGENT = "dashboard/agents/<uuid:agent_id>/"
TASKS = "dashboard/schedules/tasks/"
PROFILES = "dashboard/profiles/"
PROFILE = PROFILES + "<uuid:profile_id>/"
CREDENTIAL = PROFILE + "credentials/<uuid:credential_id>/"
POOLS = PROFILES + "pools/"
POOL = POOLS + "<uuid:pool_id>/"
FILE = AGENT + "files/<uuid:file_id>/"

app_name = "agents"
urlpatterns = [
    path("files/<str:token>", content.show_content, name="content"),
    path("dashboard/agents/", agents.agent_list, name="list"),
    path("dashboard/agents/create", agents.create, name="create"),
    path(AGENT, files.agent_page, name="agent"),
    path(AGENT + "edit", agent_edit.edit, name="edit"),
    path(AGENT + "audience", audience.audience_page, name="audience"),
    path(AGENT + "delete", agents.delete, name="delete"),
    path(AGENT + "servers", servers.servers_page, name="servers"),
    path(AGENT + "servers/<int:server_id>", servers.tools_page, name="server-tools"),
    path(AGENT + "abilities/<slug:source>", abilities.abilities_page, name="abilities"),
    path(AGENT + "abilities/<slug:source>/tools", abilities.switch_tools, name="switch-tools"),
    path(AGENT + "files/delete", files.delete_all, name="delete-files"),
    path(FILE + "download", files.download, name="download"),
    path(FILE + "freeze", files.freeze, name="freeze"),
    path(FILE + "replace", files.replace, name="replace"),
    path(FILE + "delete", files.delete, name="delete-file"),
    path(AGENT + "schedule", tasks.new_task, name="new-task"),
    path(TASKS + "new", tasks.choose_agent, name="task-agent"),
    path(TASKS + "<uuid:schedule_id>/edit", tasks.edit_task, name="edit-task"),
    path(PROFILES, profiles.profile_list, name="profiles"),
    path(PROFILES + "create", profiles.create, name="create-profile"),
    path(PROFILE, profiles.profile_page, name="profile"),
    path(PROFILE + "edit", profiles.edit, name="edit-profile"),
    path(PROFILE + "duplicate", profiles.duplicate, name="duplicate-profile"),
    path(PROFILE + "clear-cache", profiles.clear_cache, name="clear-cache"),
    path(PROFILE + "delete", profiles.delete, name="delete-profile"),
    path(PROFILE + "credentials/add", profile_parts.add_credential, name="add-credential"),
    path(CREDENTIAL + "replace", profile_parts.replace_credential, name="replace-credential"),
    path(CREDENTIAL + "delete", profile_parts.delete_credential, name="delete-credential"),
    path(PROFILE + "cookies/add", profile_parts.add_cookie, name="add-cookie"),
    path(PROFILE + "cookies/<uuid:cookie_id>/delete", profile_parts.delete_cookie, name="delete-cookie"),
    path(POOLS, pools.pool_list, name="pools"),
    path(POOLS + "create", pools.create, name="create-pool"),
    path(POOL, pools.pool_page, name="pool"),
    path(POOL + "edit", pools.edit, name="edit-pool"),
    path(POOL + "delete", pools.delete, name="delete-pool"),
    path(POOL + "add", pools.add_members, name="add-members"),
    path(POOL + "remove", pools.remove_member, name="remove-member"),
    path("dashboard/connect", connect.connect, name="connect"),
]
