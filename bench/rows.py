"""The benchmark's database: one bot with many tickets and a million hours of activity, made by PostgreSQL itself."""

import psycopg

ACTIVITY_ROWS = 1_000_000
CHANNELS = 100

TICKETS = """
INSERT INTO bots_ticket
    (bot_id, guild_id, number, channel_id, subject, category, status, opener_id, opener_name, claimed_by_name,
     created_at, close_reason, message_count, transcript_revision)
SELECT %(bot)s, %(guild)s, number, 1000 + number, 'Ticket ' || number, 'support', 'open', 2000 + number, 'member', '',
       now() - number * interval '1 minute', '', 3, 1
FROM generate_series(%(first)s::int, %(last)s::int) AS number
RETURNING id
"""
ACTIVITY = """
INSERT INTO bots_activitybucket
    (bot_id, guild_id, channel_id, hour, messages, bot_messages, bot_answers, commands, voice_seconds, ai_tokens)
SELECT %(bot)s, %(guild)s, channel, date_trunc('hour', now()) - hour * interval '1 hour', 5, 2, 1, 1, 60, 100
FROM generate_series(1, %(hours)s::int) AS hour, generate_series(1, %(channels)s::int) AS channel
"""


class Rows:
    """The rows of one bot, added to step by step."""

    def __init__(self, url: str, bot: int, guild: int) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._ids = {"bot": bot, "guild": guild}
        self.tickets: list[str] = []

    def fill_to(self, tickets: int) -> None:
        """As many tickets in all."""
        given = {**self._ids, "first": len(self.tickets) + 1, "last": tickets}
        self.tickets += [str(row[0]) for row in self._connection.execute(TICKETS, given)]
        self._settle("bots_ticket")

    def fill_activity(self) -> None:
        given = {**self._ids, "hours": ACTIVITY_ROWS // CHANNELS, "channels": CHANNELS}
        self._connection.execute(ACTIVITY, given)
        self._settle("bots_activitybucket")

    def _settle(self, table: str) -> None:
        self._connection.execute(f"VACUUM ANALYZE {table}".encode())
