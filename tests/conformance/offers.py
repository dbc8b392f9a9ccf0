"""What the protocol's conformance suite reads: prompts, resources and completions."""

import json
from typing import Any

import mcp_types as t
from mcp.shared.exceptions import MCPError

from tests.conformance.material import NAME, PIXEL, Context, complete_answer, embedded, form


async def accept(ctx: Context, params: Any) -> t.EmptyResult:
    return t.EmptyResult()


async def complete(ctx: Context, params: t.CompleteRequestParams) -> t.CompleteResult:
    return t.CompleteResult(completion=t.Completion(values=["paris", "park", "party"], total=3, has_more=False))


async def list_resources(ctx: Context, params: Any) -> t.ListResourcesResult:
    return t.ListResourcesResult(
        resources=[
            t.Resource(name="text", uri="test://static-text", description="Text", mime_type="text/plain"),
            t.Resource(name="binary", uri="test://static-binary", description="An image", mime_type="image/png"),
        ]
    )


async def list_templates(ctx: Context, params: Any) -> t.ListResourceTemplatesResult:
    template = t.ResourceTemplate(name="data", uri_template="test://template/{id}/data", description="By id")
    return t.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(ctx: Context, params: t.ReadResourceRequestParams) -> t.ReadResourceResult:
    uri = params.uri
    contents: t.TextResourceContents | t.BlobResourceContents
    if uri == "test://static-text":
        text = "This is the content of the static text resource."
        contents = t.TextResourceContents(uri=uri, mime_type="text/plain", text=text)
    elif uri == "test://static-binary":
        contents = t.BlobResourceContents(uri=uri, mime_type="image/png", blob=PIXEL)
    elif uri.startswith("test://template/") and uri.endswith("/data"):
        number = uri.removeprefix("test://template/").removesuffix("/data")
        text = json.dumps({"id": number, "templateTest": True, "data": f"Data for ID: {number}"})
        contents = t.TextResourceContents(uri=uri, mime_type="application/json", text=text)
    else:
        raise MCPError(t.INVALID_PARAMS, "Resource not found", {"uri": uri})
    return t.ReadResourceResult(contents=[contents])


async def list_prompts(ctx: Context, params: Any) -> t.ListPromptsResult:
    def prompt(name: str, *arguments: str) -> t.Prompt:
        described = [t.PromptArgument(name=item, description=item, required=True) for item in arguments]
        return t.Prompt(name=name, description=name, arguments=described)

    return t.ListPromptsResult(
        prompts=[
            prompt("test_simple_prompt"),
            prompt("test_prompt_with_arguments", "arg1", "arg2"),
            prompt("test_prompt_with_embedded_resource", "resourceUri"),
            prompt("test_prompt_with_image"),
            prompt("test_input_required_result_prompt"),
        ]
    )


async def get_prompt(ctx: Context, params: t.GetPromptRequestParams) -> t.GetPromptResult | t.InputRequiredResult:
    given = params.arguments or {}
    said: list[t.ContentBlock]
    if params.name == "test_simple_prompt":
        said = [t.TextContent(text="This is a simple prompt for testing.")]
    elif params.name == "test_prompt_with_arguments":
        said = [t.TextContent(text=f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
    elif params.name == "test_prompt_with_embedded_resource":
        resource = embedded(given["resourceUri"], "Embedded resource content for testing.", "text/plain")
        said = [resource, t.TextContent(text="Please process the embedded resource above.")]
    elif params.name == "test_prompt_with_image":
        image = t.ImageContent(data=PIXEL, mime_type="image/png")
        said = [image, t.TextContent(text="Please analyze the image above.")]
    elif params.name == "test_input_required_result_prompt":
        response = (params.input_responses or {}).get("user_context")
        if not complete_answer(response):
            asked = {"user_context": form("What context should the prompt use?", context=NAME)}
            return t.InputRequiredResult(input_requests=asked)
        said = [t.TextContent(text=f"In the context {response}")]
    else:
        raise MCPError(t.INVALID_PARAMS, f"Unknown prompt: {params.name}")
    return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=content) for content in said])
