from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from django.db.models.signals import post_delete

        from agents_hub.agent_links import agent_links
        from agents_hub.chat.sources import sources
        from agents_hub.files.content import forget_with_its_row
        from dashboard.jump import jump_list
        from dashboard.navigation import Section, navigation
        from dashboard.panels import home_panels
        from scheduling.registry import kinds as kinds_of_schedules
        from workflows.chat.source import WorkflowRuns
        from workflows.models import ExecutionFile
        from workflows.nodes import kinds
        from workflows.nodes.api import run_api
        from workflows.nodes.iris import run_iris
        from workflows.nodes.output import run_output
        from workflows.pages import shell
        from workflows.pages.schedules import KIND
        from workflows.task import asking, builtin, calls, files  # noqa: F401  # add their actions

        icon = "workflows/icons/workflow.svg"
        navigation.add(Section.MAIN, "Workflows", "workflows:executions", icon=icon, order=30)
        hooks = "workflows/icons/webhook.svg"
        navigation.add(Section.CONTROL_HUB, "Webhooks", "workflows:webhooks", icon=hooks, order=50)
        agent_links.add("Workflows", "workflows:versions")
        jump_list.add("Executions", shell.places)
        home_panels.add("workflows/home_panel.html", shell.panel, order=7)
        kinds_of_schedules.add(KIND)
        sources.add(WorkflowRuns())
        kinds.add("api", run_api)
        kinds.add("iris", run_iris)
        kinds.add("output", run_output)
        post_delete.connect(forget_with_its_row, sender=ExecutionFile, dispatch_uid="ExecutionFile content")
