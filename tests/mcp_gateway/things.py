"""Tools for the gateway's own tests: one of each kind, acting on the signed-in person's name."""

import asyncio
import threading

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from accounts.caller import Caller
from accounts.errors import Conflict
from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway import hot
from mcp_gateway.progress import Progress
from mcp_gateway.registry import Registry

registry = Registry()
SERVER = "things"


class Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Nothing(Model):
    pass


class Naming(Model):
    new_name: str = Field(min_length=1, max_length=40, description="What to be called from now on")
    password: str = ""


class Named(Model):
    user_name: str
    thread: str = ""


class Page(Model):
    html: str


def _name(caller: Caller) -> str:
    return User.objects.values_list("name", flat=True).get(pk=caller.user_id)


@registry.tool("thing.read", server=SERVER, scope=Scope.READ, title="Read", read_only=True)
def read(caller: Caller, arguments: Nothing) -> Named:
    """Tell the caller's name."""
    return Named(user_name=_name(caller), thread=threading.current_thread().name)


@registry.tool("thing.readHot", server=SERVER, scope=Scope.READ, title="Read at once", read_only=True)
async def read_hot(caller: Caller, arguments: Nothing) -> Named:
    """Tell the caller's name from the event loop."""
    found = await hot.row("SELECT name FROM accounts_user WHERE id = %s", [caller.user_id])
    assert found is not None
    return Named(user_name=found["name"], thread=threading.current_thread().name)


@registry.tool("thing.rename", server=SERVER, scope=Scope.WRITE, title="Rename", idempotent=True)
def rename(caller: Caller, arguments: Naming) -> Named:
    """Change the caller's name."""
    User.objects.filter(pk=caller.user_id).update(name=arguments.new_name)
    if arguments.new_name == "Taken":
        raise Conflict("This name is taken. Choose another.", code="name_taken", data={"field": "newName"})
    if arguments.new_name == "Broken":
        raise RuntimeError("secret detail")
    return Named(user_name=_name(caller))


@registry.tool("thing.ask", server=SERVER, scope=Scope.WRITE, title="Ask", calls_out=True, open_world=True)
def ask(caller: Caller, arguments: Nothing) -> Named:
    """Ask a service outside."""
    from django.db import connection

    return Named(user_name="open" if connection.in_atomic_block else "none", thread=threading.current_thread().name)


@registry.tool("thing.wipe", server=SERVER, scope=Scope.ADMIN, title="Wipe", destructive=True)
def wipe(caller: Caller, arguments: Nothing) -> Named:
    """Take the caller's name away."""
    User.objects.filter(pk=caller.user_id).update(name="")
    return Named(user_name="")


@registry.tool("thing.count", server=SERVER, scope=Scope.READ, title="Count", read_only=True)
def count(caller: Caller, arguments: Nothing, progress: Progress) -> Named:
    """Count to three, telling of each."""
    for number in (1, 2, 3):
        progress(number, 3, f"at {number}")
    return Named(user_name="three")


@registry.tool(
    "thing.page", server=SERVER, scope=Scope.READ, title="Page", read_only=True, text=lambda page: str(page.html)
)
def page(caller: Caller, arguments: Nothing) -> Page:
    """Show a page."""
    return Page(html="<!doctype html><p>a page</p>")


class Waiting:
    """What `thing.wait` is at: begun, ended by its client, or let go by the test."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.cancelled = threading.Event()
        self.released = threading.Event()


waiting = Waiting()


@registry.tool("thing.wait", server=SERVER, scope=Scope.READ, title="Wait", read_only=True)
async def wait(caller: Caller, arguments: Nothing) -> Named:
    """Wait until told to go on."""
    at = waiting
    at.began.set()
    try:
        while not at.released.is_set():
            await asyncio.sleep(0.005)
    except asyncio.CancelledError:
        at.cancelled.set()
        raise
    return Named(user_name="waited")


@registry.tool("thing.hold", server=SERVER, scope=Scope.WRITE, title="Hold", calls_out=True)
def hold(caller: Caller, arguments: Nothing) -> Named:
    """Take its time, then change the caller's name."""
    at = waiting
    at.began.set()
    at.released.wait(20)
    User.objects.filter(pk=caller.user_id).update(name="held")
    return Named(user_name="held")


ALL = {tool.name for tool in registry.tools(SERVER)}
BY_SCOPE: dict[Scope, set[str]] = {
    scope: {tool.name for tool in registry.tools(SERVER) if scope.includes(tool.scope)} for scope in Scope
}
