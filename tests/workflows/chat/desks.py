"""Agents with published workflows, and the tools by which a chat runs them."""

from typing import Any

from accounts.caller import Caller
from agents_hub.chat.sources import ChatTool
from agents_hub.models import Agent
from tests.agents_hub.chat.calling import offered, tools_by_name
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph
from workflows.models import Publication, Workflow


def published(
    *parts: Any, organization: Any, name: str = "Harbour desk", description: str = "", **fields: Any
) -> Agent:
    """An agent with a published workflow of these parts."""
    drawn = {"graph": graph(*parts)} if parts else {}
    workflow: Workflow = WorkflowFactory(
        agent__organization=organization, agent__name=name, agent__description=description, **drawn, **fields
    )
    publish(workflow)
    return workflow.agent


def publish(workflow: Workflow, version: int = 1) -> None:
    workflow.version = version
    workflow.save(update_fields=["version"])
    Publication.objects.create(workflow=workflow, agent=workflow.agent)


def run_tool(caller: Caller, agent: Agent, desk: Agent) -> ChatTool:
    return tools_by_name(offered("workflows", caller, agent, desk.pk))[f"run_harbour_desk_{desk.pk.hex[-6:]}"]
