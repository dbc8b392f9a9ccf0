"""A question's history in the types of the library that asks, with as many of its images as providers take."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from llm.turns import IMAGE_TYPES, Answer, Image, Question, Returned, Said, ToolResult

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelRequest

# Of one question, the newest first. Providers take 20 MB at least, which Base64 makes of three quarters of that.
MOST_IMAGES = 20
MOST_IMAGE_BYTES = 15 * 1_048_576
LEFT_OUT = "[An image stood here. It is left out: {}.]"


def of(question: Question) -> "list[ModelMessage]":
    """The history in the library's types. Results come before what is said beside them, as providers want it. An answer
    that says and calls for nothing is left out: no provider takes one back."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelRequest, ToolReturnPart, UserPromptPart

    shown = _chosen(question)
    messages: list[ModelMessage] = []
    for turn in question.history:
        if isinstance(turn, Answer):
            if turn.is_empty:
                continue
            messages += ModelMessagesTypeAdapter.validate_python([turn.message])
            continue
        request = _open_request(messages)
        parts: list[Any] = list(request.parts)
        match turn:
            case Said(text, images):
                parts.append(UserPromptPart(content=_with(text, images, shown)))
            case Returned(results):
                parts += [
                    ToolReturnPart(
                        tool_name=result.name,
                        content=_with(result.content, result.images, shown),
                        tool_call_id=result.call_id,
                        outcome="failed" if result.failed else "success",
                    )
                    for result in results
                ]
        request.parts = parts
    last = _open_request(messages)
    last.instructions = question.instructions
    assert all(isinstance(message, ModelRequest) or message.parts for message in messages)
    return messages


def shows_images(question: Question) -> bool:
    return any(True for _ in _images(question))


def _images(question: Question) -> Iterator[Image]:
    """All images of the history, the newest first."""
    for turn in reversed(question.history):
        holders: Sequence[Said | ToolResult] = ()
        match turn:
            case Said():
                holders = [turn]
            case Returned(results):
                holders = results
        for holder in reversed(holders):
            yield from reversed(holder.images)


def _chosen(question: Question) -> set[int]:
    """By identity, the images that the model is shown."""
    room, shown = MOST_IMAGE_BYTES, set[int]()
    for image in _images(question):
        if image.mime_type in IMAGE_TYPES and len(image.data) <= room and len(shown) < MOST_IMAGES:
            room -= len(image.data)
            shown.add(id(image))
    return shown


def _with(content: Any, images: Sequence[Image], shown: set[int]) -> Any:
    """The content alone, or in a list with its images and what is said in the place of those left out."""
    from pydantic_ai.messages import BinaryContent

    if not images:
        return content
    beside: list[Any] = []
    for image in images:
        if id(image) in shown:
            beside.append(BinaryContent(image.data, media_type=image.mime_type))
        elif image.mime_type in IMAGE_TYPES:
            beside.append(LEFT_OUT.format("there are too many, or it is too large"))
        else:
            beside.append(LEFT_OUT.format("no model takes its type"))
    return [content, *beside] if content else beside


def _open_request(messages: "list[ModelMessage]") -> "ModelRequest":
    """The request at the end, a new one where an answer is."""
    from pydantic_ai.messages import ModelRequest

    if messages and isinstance(messages[-1], ModelRequest):
        return messages[-1]
    request = ModelRequest(parts=[])
    messages.append(request)
    return request
