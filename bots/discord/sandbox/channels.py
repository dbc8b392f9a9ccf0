"""The sandbox's channels and messages, those of guilds and the direct ones."""

from datetime import timedelta

from bots.discord.permissions import Permission
from bots.discord.rest.errors import JsonCode
from bots.discord.sandbox import rules, shapes
from bots.discord.sandbox.calls import Answer, AuditAction, Call
from bots.discord.sandbox.refusals import RefusedError
from bots.discord.sandbox.world import ChannelRow, MessageRow, now

MAX_CONTENT = 2000
# For how long Discord recognises the nonce of a message; it says "the past few minutes".
NONCE_REMEMBERED = timedelta(minutes=5)
DIRECT_MESSAGES = 1


def open_direct(call: Call) -> Answer:
    user_id = call.body.snowflake("recipient_id")
    recipient = call.world.users.get(user_id) if user_id is not None else None
    if recipient is None:
        raise RefusedError(JsonCode.UNKNOWN_USER)
    if recipient.bot:
        raise RefusedError(JsonCode.INVALID_RECIPIENT)
    channels = call.world.channels
    for channel in channels.values():
        if (channel.bot_id, channel.user_id) == (call.bot_id, recipient.id):
            return shapes.channel(call.world, channel)
    channel = ChannelRow(id=call.world.new_id(), type=DIRECT_MESSAGES, bot_id=call.bot_id, user_id=recipient.id)
    channels[channel.id] = channel
    return shapes.channel(call.world, channel)


def get(call: Call) -> Answer:
    return shapes.channel(call.world, _channel(call))


def edit(call: Call) -> Answer:
    channel = _channel(call, to_manage=True)
    channel.name = call.body.text("name", default=channel.name, least=1, most=100)
    channel.topic = call.body.text("topic", default=channel.topic, least=0, most=1024)
    if channel.guild_id is not None:
        call.log(call.world.guilds[channel.guild_id], AuditAction.CHANNEL_UPDATE, channel.id)
    return shapes.channel(call.world, channel)


def delete(call: Call) -> Answer:
    channel = _channel(call, to_manage=True)
    shape = shapes.channel(call.world, channel)
    if channel.guild_id is not None:
        del call.world.channels[channel.id]
        call.log(call.world.guilds[channel.guild_id], AuditAction.CHANNEL_DELETE, channel.id)
    return shape


def send_message(call: Call) -> Answer:
    channel = _channel(call)
    content = call.body.text("content", default="", least=0, most=MAX_CONTENT) or ""
    if not content.strip():
        raise RefusedError(JsonCode.EMPTY_MESSAGE)
    if channel.guild_id is None:
        _check_recipient(call, channel)
    else:
        rules.require(call.world.guilds[channel.guild_id], call.bot_id, Permission.SEND_MESSAGES)
    nonce = call.body.text("nonce", default=None, least=0, most=25)
    if nonce and call.body.has("enforce_nonce"):
        for sent in reversed(call.world.messages):
            if sent.timestamp < now() - NONCE_REMEMBERED:
                break
            if (sent.author_id, sent.channel_id, sent.nonce) == (call.bot_id, channel.id, nonce):
                return shapes.message(call.world, sent)
    message = MessageRow(
        id=call.world.new_id(), channel_id=channel.id, author_id=call.bot_id, content=content, nonce=nonce
    )
    call.world.messages.append(message)
    return shapes.message(call.world, message)


def _check_recipient(call: Call, channel: ChannelRow) -> None:
    recipient = call.world.users[channel.user_id or 0]
    if not any({call.bot_id, recipient.id} <= guild.members.keys() for guild in call.world.guilds.values()):
        raise RefusedError(JsonCode.NO_MUTUAL_GUILDS)
    if not recipient.takes_direct_messages:
        raise RefusedError(JsonCode.CANNOT_MESSAGE_USER)


def _channel(call: Call, *, to_manage: bool = False) -> ChannelRow:
    """The channel of the path, if the bot can see it, and change it where that is asked."""
    channel = call.world.channels.get(call.ids["channel"])
    if channel is None:
        raise RefusedError(JsonCode.UNKNOWN_CHANNEL)
    if channel.guild_id is None:
        if channel.bot_id != call.bot_id:
            raise RefusedError(JsonCode.MISSING_ACCESS)
        return channel
    guild = call.world.guilds[channel.guild_id]
    if call.bot_id not in guild.members:
        raise RefusedError(JsonCode.MISSING_ACCESS)
    if Permission.VIEW_CHANNEL not in rules.permissions_of(guild, call.bot_id):
        raise RefusedError(JsonCode.MISSING_ACCESS)
    if to_manage:
        rules.require(guild, call.bot_id, Permission.MANAGE_CHANNELS)
    return channel
