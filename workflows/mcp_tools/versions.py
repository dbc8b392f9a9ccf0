"""workflow*: versions by tool."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY
from mcp_gateway.shapes import Nothing
from workflows.services import versions
from workflows.shapes.differences import DifferenceShape, DiffWorkflow
from workflows.shapes.versions import (
    AnyWorkflow,
    CreatedWorkflow,
    CreateWorkflow,
    ListWorkflows,
    OneWorkflow,
    PublishedWorkflow,
    WorkflowRefs,
    WorkflowRefShape,
    WorkflowShape,
)


@registry.tool("workflowsList", server=SERVER, scope=Scope.READ, title="List an agent's workflows", read_only=True)
def list_workflows(caller: Caller, arguments: ListWorkflows) -> WorkflowRefs:
    """List the workflow versions of an agent, the newest first, without their graphs.

    A version without a number is a draft. workflowGet loads one whole.
    """
    found = versions.list_versions(caller, agent_id=arguments.agent_id)
    return WorkflowRefs([WorkflowRefShape.of(workflow) for workflow in found])


@registry.tool("workflowGet", server=SERVER, scope=Scope.READ, title="Get a workflow", read_only=True)
def get_workflow(caller: Caller, arguments: AnyWorkflow) -> WorkflowShape:
    """Load one version whole: its graph, rules and settings, and the inputs a run of it has to be given."""
    return WorkflowShape.of(
        versions.find_version(caller, workflow_id=arguments.workflow_id, agent_id=arguments.agent_id)
    )


@registry.tool("workflowCreate", server=SERVER, scope=Scope.WRITE, title="Create a workflow version")
def create_workflow(caller: Caller, arguments: CreateWorkflow) -> CreatedWorkflow:
    """Create a new version of an agent's workflow, unpublished until workflowPublish.

    Versions never change: to edit one, load it with workflowGet, change what it gives, and create a version with the
    old one's id as parentId. A graph that has faults is kept as a draft; workflowPublish names them all.
    """
    return CreatedWorkflow(workflow_id=versions.create_version(caller, **dict(arguments)).pk)


@registry.tool("workflowPublish", server=SERVER, scope=Scope.WRITE, title="Publish a workflow version", idempotent=True)
def publish_workflow(caller: Caller, arguments: OneWorkflow) -> PublishedWorkflow:
    """Publish a version, so that it becomes the default of new runs. An older one published again is a rollback.

    Refused with every fault of the graph named where it cannot run.
    """
    workflow = versions.publish_version(caller, **dict(arguments))
    assert workflow.version is not None  # publishing numbers it
    return PublishedWorkflow(workflow_id=workflow.pk, version=workflow.version)


@registry.tool("workflowDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a draft", destructive=True)
def delete_workflow(caller: Caller, arguments: OneWorkflow) -> Nothing:
    """Delete a version that was never published and never ran."""
    versions.delete_version(caller, **dict(arguments))
    return Nothing()


@registry.tool("workflowDiff", server=REST_ONLY, scope=Scope.READ, title="Compare two versions", read_only=True)
def diff_workflow(caller: Caller, arguments: DiffWorkflow) -> DifferenceShape:
    """What was done to one version of a workflow to make another: to its nodes, transitions, settings and rules."""
    before, after = versions.ends_of(
        caller, after_id=arguments.workflow_id, before_id=arguments.before, agent_id=arguments.agent_id
    )
    found = versions.compare(caller, agent_id=after.agent_id, before_id=before.pk, after_id=after.pk)
    return DifferenceShape.of(before, after, found)
