"""SQL over activity: a timeline without gaps, and what a bot's work came to. Tables of `activity`, `tickets`, `guilds`.

Both are one statement that begins with the owner's own bot, so that another owner's gives no row at all.
"""

# One row for each bucket from %(start)s up to and without %(end)s, in UTC. `scope` is empty for a foreign bot or
# guild, and then so is the answer. A range of a bot is one stretch of the index activity_bucket_once (bot, hour, …),
# of a guild one of activity_by_guild (guild, hour).
TIMELINE = """
WITH scope AS (
    SELECT bot.id AS bot_id, guild.id AS guild_id
    FROM bots_bot bot
    LEFT JOIN bots_guild guild ON guild.bot_id = bot.id AND guild.discord_id = %(guild)s
    WHERE bot.id = %(bot)s AND bot.owner_id = %(owner)s AND (%(guild)s::bigint IS NULL OR guild.id IS NOT NULL)
), counted AS (
    SELECT date_trunc(%(unit)s, activity.hour, 'UTC') AS bucket,
           sum(activity.messages) AS messages,
           sum(activity.voice_seconds) AS voice_seconds,
           sum(activity.commands) AS commands
    FROM bots_activitybucket activity
    JOIN scope ON activity.bot_id = scope.bot_id AND (scope.guild_id IS NULL OR activity.guild_id = scope.guild_id)
    WHERE activity.hour >= %(start)s AND activity.hour < %(end)s
    GROUP BY 1
)
SELECT every.bucket,
       coalesce(counted.messages, 0)::bigint,
       coalesce(counted.voice_seconds, 0)::bigint,
       coalesce(counted.commands, 0)::bigint
FROM scope
CROSS JOIN generate_series(
    date_trunc(%(unit)s, %(start)s::timestamptz, 'UTC'),
    %(end)s::timestamptz - interval '1 microsecond',
    ('1 ' || %(unit)s)::interval
) AS every (bucket)
LEFT JOIN counted ON counted.bucket = every.bucket
ORDER BY every.bucket
"""

# What the bot did between two moments, and which members stayed. The cohort joined 30 to 60 days before %(end)s; of
# it, the retained were there at %(end)s and wrote or spoke in the seven days before.
RETURN = """
WITH scope AS (
    SELECT bot.id AS bot_id, guild.id AS guild_id
    FROM bots_bot bot
    LEFT JOIN bots_guild guild ON guild.bot_id = bot.id AND guild.discord_id = %(guild)s
    WHERE bot.id = %(bot)s AND bot.owner_id = %(owner)s AND (%(guild)s::bigint IS NULL OR guild.id IS NOT NULL)
), work AS (
    SELECT coalesce(sum(activity.bot_messages), 0)::bigint AS bot_messages,
           coalesce(sum(activity.bot_answers), 0)::bigint AS answers,
           coalesce(sum(activity.ai_tokens), 0)::bigint AS ai_tokens
    FROM scope
    JOIN bots_activitybucket activity
      ON activity.bot_id = scope.bot_id AND (scope.guild_id IS NULL OR activity.guild_id = scope.guild_id)
    WHERE activity.hour >= %(start)s AND activity.hour < %(end)s
), tickets AS (
    SELECT count(*) AS tickets
    FROM scope
    JOIN bots_ticket ticket
      ON ticket.bot_id = scope.bot_id AND (scope.guild_id IS NULL OR ticket.guild_id = scope.guild_id)
    WHERE ticket.closed_at >= %(start)s AND ticket.closed_at < %(end)s
), moderations AS (
    SELECT count(*) AS moderations
    FROM scope
    JOIN bots_moderationcase sanction
      ON sanction.bot_id = scope.bot_id AND (scope.guild_id IS NULL OR sanction.guild_id = scope.guild_id)
    WHERE sanction.automatic AND sanction.applied_at >= %(start)s AND sanction.applied_at < %(end)s
), members AS (
    SELECT count(*) AS cohort_size,
           count(*) FILTER (
               WHERE (member.left_at IS NULL OR member.left_at >= %(end)s)
               AND EXISTS (
                   SELECT 1 FROM bots_memberday active
                   WHERE active.membership_id = member.id
                     AND active.day BETWEEN (%(end)s::timestamptz AT TIME ZONE 'UTC' - interval '7 days')::date
                         AND (%(end)s::timestamptz AT TIME ZONE 'UTC' - interval '1 microsecond')::date
               )
           ) AS members_retained
    FROM scope
    JOIN bots_guild guild ON guild.bot_id = scope.bot_id AND (scope.guild_id IS NULL OR guild.id = scope.guild_id)
    JOIN bots_guildmembership member ON member.guild_id = guild.id AND NOT member.is_bot
    WHERE member.joined_at >= %(end)s::timestamptz - interval '60 days'
      AND member.joined_at < %(end)s::timestamptz - interval '30 days'
)
SELECT work.bot_messages, work.answers, work.ai_tokens, tickets.tickets, moderations.moderations,
       members.cohort_size, members.members_retained,
       coalesce(minutes.minutes_per_answer, %(minutes_per_answer)s),
       coalesce(minutes.minutes_per_ticket, %(minutes_per_ticket)s),
       coalesce(minutes.minutes_per_moderation, %(minutes_per_moderation)s)
FROM scope
LEFT JOIN bots_roisettings minutes ON minutes.bot_id = scope.bot_id
CROSS JOIN work CROSS JOIN tickets CROSS JOIN moderations CROSS JOIN members
"""
