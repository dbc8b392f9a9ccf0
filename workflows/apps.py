from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from workflows.nodes import kinds
        from workflows.nodes.api import run_api
        from workflows.nodes.output import run_output

        kinds.add("api", run_api)
        kinds.add("output", run_output)
