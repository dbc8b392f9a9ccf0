"""The wire contract as data: its routes, and its shapes field by field.

A field is written `name: kind`, and `name?: kind` where it may be absent or null. A kind is one of `KINDS`, the name of
a shape, a list of one (`[Shape]`), or values that it may take (`a|b`).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

ROUTES = """
GET /context getContext
GET /agents/available-tools listAvailableTools
POST /docs/search searchDocs
GET /agents agentList
GET /agent-profiles agentProfilesList
POST /agent-profiles agentProfilesCreate
GET /agent-profiles/{profileId} agentProfileGet
PATCH /agent-profiles/{profileId} agentProfileUpdate
DELETE /agent-profiles/{profileId} agentProfileDelete
DELETE /agent-profiles/{profileId}/clear-browser-cache agentProfileClearBrowserCache
POST /agent-profiles/{profileId}/duplicate -
GET /agent-profile-pools -
POST /agent-profile-pools -
GET /agent-profile-pools/{poolId} -
PATCH /agent-profile-pools/{poolId} -
DELETE /agent-profile-pools/{poolId} -
GET /agent-profile-pools/{poolId}/members -
POST /agent-profile-pools/{poolId}/members -
DELETE /agent-profile-pools/{poolId}/members -
POST /agents/{agentId}/execute agentExecutePost
GET /executions executionsList
GET /executions/{executionId} executionGet
GET /executions/{executionId}/activities executionActivitiesGet
POST /executions/{executionId}/status executionStatusUpdate
POST /executions/{executionId}/user-messages executionUserMessagesAdd
GET /executions/{executionId}/context-files executionContextFilesGet
POST /executions/{executionId}/context-files executionContextFilesUpload
GET /executions/{executionId}/files -
GET /executions/{executionId}/context-files/{fileId}/download -
GET /executions/{executionId}/files/{fileId}/download -
GET /executions/{executionId}/debug-files/{fileId}/download -
GET /executions/{executionId}/recording -
GET /agents/{agentId}/workflows workflowsList
GET /agents/{agentId}/workflows/{workflowId} workflowGet
POST /agents/{agentId}/workflows workflowCreate
DELETE /agents/{agentId}/workflows/{workflowId} -
POST /agents/{agentId}/workflows/{workflowId}/publish workflowPublish
POST /agents/{agentId}/workflows/{workflowId}/execute workflowExecute
POST /agents/{agentId}/workflows/{workflowId}/sync-execution workflowSyncExecution
POST /temp-files/{organizationId} tempFilesStage
GET /agents/{agentId}/shared-files agentSharedFilesGet
POST /agents/{agentId}/shared-files agentSharedFilesUpload
PUT /agents/{agentId}/shared-files/{fileId} agentSharedFilesUpdate
DELETE /agents/{agentId}/shared-files/{fileId} agentSharedFilesDelete
DELETE /agents/{agentId}/shared-files/delete-all agentSharedFilesDeleteAll
PATCH /agents/{agentId}/shared-files/{fileId}/freeze agentSharedFilesFreeze
GET /agents/{agentId}/shared-files/{fileId}/download -
POST /schema/validate schemaValidate
"""

# Routes of ours beside the contract's: what it lets programs read and gives them no way to write or to ask for.
OURS = """
GET /labels
POST /labels
PATCH /labels/{labelId}
DELETE /labels/{labelId}
PUT /executions/{executionId}/labels
POST /executions/{executionId}/comments
PATCH /executions/{executionId}/comments/{commentId}
DELETE /executions/{executionId}/comments/{commentId}
GET /agents/{agentId}/workflows/{workflowId}/diff
"""

STATUS = "starting|running|paused|paused_by_agent|awaiting_confirmation|completed|failed|cancelled"
SHAPES = {
    "Agent": "id: id, name: text, createdAt: time, organizationId?: id, userId: any",
    "Execution": f"""
        id: id, agentId: id, workflowId: id, status: {STATUS}, createdAt: time, terminalAt?: time, organizationId: id,
        agentName: text, agentProfileName?: text, agentProfileId?: id, inputs?: object, executionResult?: Result,
        duration?: number, humanLabels: [Label], comments: [Comment], metadata?: object, recordingUrl?: text,
        liveViewUrl?: text, browserRecordingUrl?: text, browserLiveViewUrl?: text, triggerContext?: Trigger,
        executionOptions?: object, hasBeenRerun: flag, parentExecutionId?: id""",
    "Result": "id: id, executionId: id, outcome: text, reasoning: text, result?: any, createdAt: time",
    "Label": "id: id, organizationId: id, name: text, color: text, createdAt: time",
    "Comment": """id: id, executionId: id, userId: id, content: text, public: flag, createdAt: time,
        updatedAt?: time""",
    "Trigger": "source: api|ui|schedule, runner?: Runner, apiKey?: Key, schedule?: Schedule",
    "Runner": "userId: id, email: text",
    "Key": "id: text, name: text",
    "Schedule": "id: id, cronExpression: text",
    "Activity": "id: id, executionId: id, timestamp: time, payload: object, display?: Display",
    "Workflow": """id: id, agentId: id, parentId?: id, version?: number, rules: text, settings: Settings, task?: text,
        inputs: [text], graph: Graph, createdAt: time, author?: text, environmentTemplate?: Environment""",
    "WorkflowRef": "id: id, parentId?: id, version?: number, createdAt: time, author?: text, isDeletable: flag",
    "Settings": """max_iterations: number, viewport_width: number, viewport_height: number, trim_screenshots: flag,
        max_timeout_mins: number, type_input_method: type|paste|auto, summarise?: flag""",
    "Graph": "nodes: [Node], transitions: [Transition], sticky_notes: [Note]",
    "Node": """id: text, name: text, type: iris|playwright_script|api|url|output, description: text,
        properties: object, is_start_node: flag, task?: text, position?: Position""",
    "Position": "x: number, y: number",
    "Transition": """id: text, from: text, to: text, type: iris|selector|outcome_success, require_confirmation: flag,
        properties: object""",
    "Note": "id: text, content: text, color?: text, position?: Position",
    "Environment": "type: browser|os, config: object",
    "ContextFile": """id: id, executionId: id, agentId: id, filePath: text, fileName: text, fileExt: text,
        fileSize: number, fileType: text, mimeType: text, createdAt: time, downloadUrl: text, signedUrl: text""",
    "ExecutionFile": """id: id, agentId: id, executionId: id, filePath: text, fileName: text, fileSize: number,
        mimeType?: text, createdAt: time, updatedAt: time, directory: uploads|downloads|workspace|shared|debug,
        createdBy: user|agent|environment|system, downloadUrl: text""",
    "SharedFile": """id: id, agentId: id, filePath: text, fileName: text, fileSize: number, mimeType?: text,
        createdAt: time, updatedAt: time, version: number, isFrozen: flag, lastModifiedByExecutionId?: id,
        downloadUrl: text""",
    "Started": "executionId: id",
    "Created": "workflowId: id",
    "Published": "workflowId: id, version: number",
    "Synced": "executionId: id, workflowId: id",
    "Files": "directories: Directories, lastUpdated?: time",
    "Directories": """uploads?: [ExecutionFile], downloads?: [ExecutionFile], workspace?: [ExecutionFile],
        shared?: [ExecutionFile], debug?: [ExecutionFile]""",
    "SharedFiles": "files: [SharedFile], totalSize: number",
    "TempFiles": "tempFiles: [TempFile]",
    "TempFile": "id: id, name: text",
    "Executions": "items: [Execution], page: number, pageSize: number, total: number",
    "Agents": "items: [Agent], page: number, pageSize: number, total: number",
    "Context": "userId: any, email: text, organizations: [Organization]",
    "Organization": "id: id, name: text",
    "AvailableTools": "tools: [AvailableTool]",
    "AvailableTool": "name: text, description: text, capability: text, isRequired: flag",
    "Found": "results: [Passage]",
    "Passage": "title: text, content: text, url?: text",
    "Verdict": "valid: flag, errors: [text]",
    "Profiles": "items: [Profile], page: number, pageSize: number, total: number",
    "Profile": """id: id, name: text, description: text, organizationId: id,
        proxyMode: none|managed|custom|tailscale|gateway, proxyCC?: us|uk|fr|it|jp|au|de|fi|ca,
        proxyType?: basic|residential|mobile, customProxy?: Proxy, proxyGatewayPresetId?: text,
        captchaSolverActive: flag, stickyIP: flag, operatingSystem?: macos|windows, extraStealth: flag,
        cachePersistence: flag, adblockActive: flag, popupBlockerActive: flag, forcePopupsAsTabsActive: flag,
        mediaBlockerActive: flag, pdfViewerActive: flag, tracingEnabled: flag, inboxEmailPrefix?: text,
        inboxEmail: text, credentials: [Credential], cookies: [Cookie], createdAt: time, updatedAt: time""",
    "Proxy": "server: text, username: text",
    "Credential": "id: id, name: text, createdAt: time",
    "Cookie": """id?: id, name: text, key: text, value: text, domain: text, expiry?: any, secure: flag,
        sameSite: Strict|Lax|None, httpOnly: flag, createdAt?: time""",
    "Message": "message: text",
    "Uploaded": "files: [SharedFile]",
    "Pool": """id: id, name: text, organizationId: id, selectionStrategy: least_recently_used|most_recently_used,
        allowConcurrentUse: flag, createdAt: time, updatedAt: time""",
    "Pools": "items: [Pool], page: number, pageSize: number, total: number",
}
# What an activity's payload holds beside its activityType.
PAYLOADS = {
    "generic": "message: text",
    "reasoning": "reasoning: text",
    "terminal": "reason: unsubscribe|complete|error, message?: text",
    "step_started": "stepNumber: number",
    "step_completed": "stepNumber: number",
    "transitioned_node": """newNodeUUID: text, newNodeName: text, newNodeType: text, fromNodeDuration?: number,
        transitionType?: text, fromNodeOutput?: [Named], fromNodeSummary?: text""",
    "status_changed": f"""status: {STATUS}, completedPayload?: Completed, failedPayload?: Failed,
        cancelledPayload?: Cancelled, pausedPayload?: Paused, awaitingConfirmationPayload?: Failed""",
    "action_started": "message: text, actionName: text, actionId: text, info?: any",
    "action_completed": "message: text, actionName: text, actionId: text, duration?: number, info?: any",
    "action_failed": "message: text, actionName: text, actionId: text, duration?: number",
    "user_message_received": "message: text, userUUID: id",
    "file_added": """fileId: id, fileName: text, mimeType: text, fileSize: number, source: upload|download|agent,
        presignedUrl: text""",
    "todos_updated": "todos: [Todo]",
    "compaction_started": "",
    "compaction_performed": "summaryTokens: number, durationMs: number",
    "workflow_updated": "workflowUpdate: [Update]",
    "playwright_script_generated": """nodeId: text, nodeName: text, script: text, llmVars?: any, context: any,
        oldScript?: text""",
    "script_variables_substituted": """nodeId: text, nodeName: text, scriptFileName: text, placeholders: any,
        variables: any, substituted: any""",
}
SHAPES |= {
    "Named": "name: text, value: any",
    "Completed": "outcome: text, reasoning: text, result?: any",
    "Failed": "reason: text",
    "Cancelled": "reason: timeout|max_steps|user_requested|script_failed",
    "Paused": "reason: text, question?: Asked",
    "Asked": "questions: [Question]",
    "Question": "question: text, header: text, options: [Option], multiSelect?: flag",
    "Option": "label: text, description: text",
    "Todo": "content: text, activeForm?: text, status: pending|in_progress|completed",
    "Update": "updateType: add|edit|delete, rulesDetails?: any, nodeDetails?: any, transitionDetails?: any",
    "Display": "turnId?: text, groupId?: text, summaryText?: text, presentationLevel: primary|secondary|system",
}
FIELD = re.compile(r"\s*(\w+)(\??):\s*([^,]+)")


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _parses(parse: Callable[[str], object]) -> Callable[[Any], bool]:
    def parses(value: Any) -> bool:
        try:
            parse(value)
        except (TypeError, ValueError, AttributeError):
            return False
        return True

    return parses


def _moment(value: str) -> None:
    if datetime.fromisoformat(value).utcoffset() is None or not value.endswith("Z"):
        raise ValueError(value)


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "id": _parses(UUID),
    "time": _parses(_moment),
    "text": _is(str),
    "flag": _is(bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": _is(dict),
    "any": lambda value: True,
}


def faults(kind: str, value: Any, where: str = "") -> list[str]:
    """What in a real answer is not as the contract says, each with where it stands."""
    where = where or kind
    if kind.startswith("["):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [fault for place, one in enumerate(value) for fault in faults(kind[1:-1], one, f"{where}[{place}]")]
    if kind in SHAPES:
        found = of_fields(SHAPES[kind], value, where)
        if kind == "Activity" and not found:
            payload = dict(value["payload"])
            told = payload.pop("activityType")
            return of_fields(PAYLOADS[told], payload, f"{where} {told}") if told in PAYLOADS else [f"{where}: {told}?"]
        return found
    if kind in KINDS:
        return [] if KINDS[kind](value) else [f"{where} is {value!r} and no {kind}"]
    return [] if value in kind.split("|") else [f"{where} is {value!r}, which is none of {kind}"]


def of_fields(fields: str, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    described = {name: (bool(optional), kind.strip()) for name, optional, kind in FIELD.findall(fields)}
    found = [f"{where}.{name} is not in the contract" for name in value if name not in described]
    for name, (optional, kind) in described.items():
        if value.get(name) is None:
            found += [] if optional else [f"{where}.{name} is missing"]
        else:
            found += faults(kind, value[name], f"{where}.{name}")
    return found
