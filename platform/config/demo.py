"""The demo data of a first start: each app fills in its own part, in the order that the parts build on each other."""

from django.db import transaction

from accounts import demo as accounts_demo
from accounts.models import User
from agents_hub import demo as agents_demo
from bots import demo as bots_demo
from bots.models import Bot
from mcp_gateway import demo as gateway_demo
from workflows import demo as workflows_demo


def wanted() -> bool:
    """Whether the database is new: nobody has an account yet."""
    return not User.objects.exists()


@transaction.atomic
def fill() -> accounts_demo.DemoLogin:
    """Make the demo data, or what is missing of it. Returns how to sign in as the demo person, with a fresh API key."""
    login = accounts_demo.fill()
    person = User.objects.get(email=login.email)
    bots_demo.fill(person)
    agents_demo.fill(person)
    workflows_demo.fill(person)
    gateway_demo.fill(person, login.key)
    return login


def present() -> bool:
    """Whether the demo person is still there."""
    return User.objects.filter(email=accounts_demo.EMAIL).exists()


def acts_in_sandbox() -> bool:
    """Whether there is a bot that has no real token and acts in the sandbox Discord."""
    return Bot.objects.filter(sandbox=True).exists()
