"""URLs of the app."""

from django.urls import path

from workflows.pages import acting, comparing, executions, live, marks, schedules, starting, versions, webhooks

EXECUTION = "dashboard/workflows/executions/<uuid:execution_id>/"
COMMENT = EXECUTION + "comments/<uuid:comment_id>/"
LABEL = "dashboard/workflows/labels/<uuid:label_id>/"
SCHEDULES = "dashboard/schedules/workflows/"
AGENT = "dashboard/workflows/agents/<uuid:agent_id>/"
VERSION = AGENT + "<uuid:workflow_id>/"
WEBHOOK = "dashboard/webhooks/<uuid:endpoint_id>/"

app_name = "workflows"
urlpatterns = [
    path("dashboard/workflows/", executions.execution_list, name="executions"),
    path(EXECUTION, executions.execution_page, name="execution"),
    path(EXECUTION + "stream", live.execution_stream, name="execution-stream"),
    path(EXECUTION + "files/<uuid:file_id>", executions.execution_file, name="execution-file"),
    path(EXECUTION + "variables", executions.execution_variables, name="execution-variables"),
    path(EXECUTION + "status", acting.ask_status, name="ask-status"),
    path(EXECUTION + "upload", acting.upload, name="upload"),
    path(EXECUTION + "sync", acting.sync, name="sync"),
    path(EXECUTION + "labels", marks.execution_labels, name="execution-labels"),
    path(EXECUTION + "comments/", marks.add_comment, name="comment"),
    path(COMMENT, marks.edit_comment, name="edit-comment"),
    path(COMMENT + "delete", marks.delete_comment, name="delete-comment"),
    path("dashboard/workflows/labels/", marks.label_list, name="labels"),
    path("dashboard/workflows/labels/new", marks.new_label, name="new-label"),
    path(LABEL, marks.edit_label, name="edit-label"),
    path(LABEL + "delete", marks.delete_label, name="delete-label"),
    path(SCHEDULES + "new", schedules.choose_agent, name="schedule-agent"),
    path(SCHEDULES + "<uuid:schedule_id>/edit", schedules.edit_schedule, name="edit-schedule"),
    path(AGENT + "schedule", schedules.new_schedule, name="new-schedule"),
    path(AGENT, versions.version_list, name="versions"),
    path(AGENT + "new", versions.new_version, name="new-version"),
    path(AGENT + "compare", comparing.compare, name="compare"),
    path(AGENT + "publications", versions.publication_list, name="publications"),
    path(VERSION, versions.version_page, name="version"),
    path(VERSION + "publish", versions.publish, name="publish"),
    path(VERSION + "delete", versions.delete, name="delete-version"),
    path(VERSION + "run", starting.run, name="run"),
    path("dashboard/webhooks/", webhooks.endpoint_list, name="webhooks"),
    path("dashboard/webhooks/new", webhooks.create, name="new-webhook"),
    path(WEBHOOK, webhooks.endpoint_page, name="webhook"),
    path(WEBHOOK + "edit", webhooks.edit, name="edit-webhook"),
    path(WEBHOOK + "rotate", webhooks.rotate, name="rotate-webhook"),
    path(WEBHOOK + "delete", webhooks.delete, name="delete-webhook"),
    path(WEBHOOK + "test", webhooks.send_test, name="test-webhook"),
    path(WEBHOOK + "deliveries/<int:delivery_id>/send", webhooks.send_again, name="send-again"),
]
