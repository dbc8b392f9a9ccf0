"""analytics.* and roi.*: activity over time, and what the bot's work was worth."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from accounts.caller import Caller
from accounts.scopes import Scope
from bots.mcp_tools.shapes import SERVER, Arguments, BotId, GuildId, Moment, Result
from bots.services import activity, roi
from mcp_gateway.registry import registry

Bucket = Literal["hour", "day"]


class Range(Arguments):
    bot_id: BotId
    guild_id: GuildId | None = None
    start: Moment = Field(alias="from", description="The beginning, in ISO 8601; without an offset it is UTC.")
    end: Moment = Field(alias="to", description="The end, not included, at most 366 days after the beginning.")


class GetActivity(Range):
    bucket: Bucket = "day"


class ActivityPoint(Result):
    start: datetime
    messages: int
    voice_minutes: float
    commands: int


class Activity(Result):
    bucket: Bucket
    timeline: list[ActivityPoint]


class MinutesUsed(Result):
    per_answer: float
    per_ticket: float
    per_moderation: float


class RoiResult(Result):
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    bot_messages: int = Field(description="Messages the bot wrote.")
    members_retained: int = Field(description="Of the cohort: still there at `to` and active in the 7 days before.")
    cohort_size: int = Field(description="Members who joined 30 to 60 days before `to`.")
    ai_tokens: int
    answers: int = Field(description="Questions the bot answered.")
    tickets: int = Field(description="Tickets closed.")
    moderations: int = Field(description="Sanctions by the bot's own rules.")
    hours_saved: float = Field(description="An estimate: the counts times the minutes below.")
    hours_saved_is_estimate: Literal[True] = True
    minutes: MinutesUsed = Field(description="What the bot's owner takes each piece of work to cost a person.")


@registry.tool(
    "analytics.getActivity",
    server=SERVER,
    scope=Scope.READ,
    title="Get the activity timeline",
    read_only=True,
    idempotent=True,
)
def get_activity(caller: Caller, arguments: GetActivity) -> Activity:
    """Give a timeline of messages, voice minutes and commands, by hour or by UTC day, of a bot or one of its guilds.

    Every bucket of the range is there; where nothing happened it holds zeros.
    """
    points = activity.get_activity(caller, **{**dict(arguments), "bucket": activity.Bucket(arguments.bucket)})
    return Activity(bucket=arguments.bucket, timeline=[_point(point) for point in points])


@registry.tool(
    "roi.getSnapshot",
    server=SERVER,
    scope=Scope.READ,
    title="Get the return on investment",
    read_only=True,
    idempotent=True,
)
def get_snapshot(caller: Caller, arguments: Range) -> RoiResult:
    """Give what a bot did in a range of time: messages, members retained, AI tokens, and hours saved.

    The hours are an estimate: answers, tickets and automatic moderation times minutes that the bot's owner chose.
    """
    found = roi.get_snapshot(caller, **dict(arguments))
    return RoiResult(
        start=arguments.start,
        end=arguments.end,
        bot_messages=found.bot_messages,
        members_retained=found.members_retained,
        cohort_size=found.cohort_size,
        ai_tokens=found.ai_tokens,
        answers=found.answers,
        tickets=found.tickets,
        moderations=found.moderations,
        hours_saved=found.hours_saved,
        minutes=MinutesUsed(**_minutes(found.minutes)),
    )


def _point(point: activity.Point) -> ActivityPoint:
    minutes = round(point.voice_seconds / 60, 1)
    return ActivityPoint(start=point.start, messages=point.messages, voice_minutes=minutes, commands=point.commands)


def _minutes(minutes: roi.Minutes) -> dict[str, Any]:
    return {name: getattr(minutes, name) for name in MinutesUsed.model_fields}
