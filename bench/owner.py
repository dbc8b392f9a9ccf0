"""Makes the benchmark's person with a bot in a guild and an API key, and prints their ids and the key as JSON."""

import json

import django

if __name__ == "__main__":
    django.setup()

    from django.utils import timezone

    from accounts.caller import Caller, Door
    from accounts.models import User
    from accounts.scopes import Scope
    from accounts.services import keys
    from bots.models import Bot, Guild

    person = User.objects.create_user("bench@example.com", name="Bench")
    bot = Bot.objects.create(owner=person, name="Bench", application_id=1, token="", sandbox=True)
    guild = Guild.objects.create(bot=bot, discord_id=1, name="Bench", joined_at=timezone.now())
    caller = Caller(user_id=person.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    key = keys.create_key(caller, name="bench", scope=Scope.WRITE).text
    print(json.dumps({"bot": bot.pk, "guild": guild.pk, "key": key}))
