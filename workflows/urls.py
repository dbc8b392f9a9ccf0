"""URLs of the app."""

from django.urls import path

from workflows.pages import executions

EXECUTION = "dashboard/workflows/executions/<uuid:execution_id>/"

app_name = "workflows"
urlpatterns = [
    path("dashboard/workflows/", executions.execution_list, name="executions"),
    path(EXECUTION, executions.execution_page, name="execution"),
    path(EXECUTION + "status", executions.ask_status, name="ask-status"),
]
