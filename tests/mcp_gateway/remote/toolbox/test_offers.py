"""The toolbox offers tools of several servers under names of their own; one that fails stops none of the others."""

import pytest
from django.db.models import F

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.problems import Code
from tests.factories import RemoteServerFactory
from tests.fakes.mcp_server import McpServer
from tests.mcp_gateway.remote.elsewhere import SSE, row, run
from tests.mcp_gateway.remote.toolbox.boxes import named, using
from tests.security.outbound.loopback import INSIDE, Server, serving

pytestmark = pytest.mark.usefixtures("in_this_thread")


def test_tools_of_several_servers_are_offered_under_names_of_their_own(
    member: Caller, organization: Organization, server: McpServer, printer: RemoteServer
) -> None:
    archive = row(organization, server, SSE, slug="archive")

    async def work() -> tuple[list[toolbox.OfferedTool], list[str]]:
        async with using(member, archive, printer) as box:
            tools = box.tools
            said = [(await box.call(named(each, "echo"), {"text": each.slug})).text for each in (archive, printer)]
        return tools, said

    tools, said = run(work)
    assert said == ["archive", "printer"]
    assert len({tool.name for tool in tools}) == len(tools) == 20
    assert [tool.server_id for tool in tools] == [archive.pk] * 10 + [printer.pk] * 10
    echo = next(tool for tool in tools if tool.name == named(printer, "echo"))
    assert (echo.title, echo.description, echo.remote_name) == ("Say again", "What was said.", "echo")
    assert echo.input_schema["required"] == ["text"]
    assert echo.annotations == {"readOnlyHint": True}


def test_a_tool_keeps_its_name_when_the_server_is_renamed(member: Caller, printer: RemoteServer) -> None:
    async def names() -> set[str]:
        async with using(member, printer) as box:
            return {tool.name for tool in box.tools}

    before = run(names)
    RemoteServer.objects.update(name="The big printer")
    assert run(names) == before


def test_one_server_that_fails_stops_none_of_the_others(
    member: Caller, organization: Organization, printer: RemoteServer
) -> None:
    gone = RemoteServerFactory(organization=organization, name="Gone", url="http://127.0.0.1:1/mcp")
    off = RemoteServerFactory(organization=organization, name="Off", enabled=False)
    unconnected = RemoteServerFactory(organization=organization, name="Unconnected", oauth=True)
    others = RemoteServerFactory()

    async def work() -> tuple[list[toolbox.Problem], int]:
        async with using(member, gone, off, unconnected, others, printer) as box:
            return box.problems, len(box.tools)

    problems, tools = run(work)
    assert tools == 10
    assert [(problem.server_id, problem.code) for problem in problems] == [
        (gone.pk, Code.UNREACHABLE),
        (off.pk, Code.DISABLED),
        (unconnected.pk, Code.NOT_CONNECTED),
        (others.pk, Code.NOT_FOUND),
    ]
    assert others.name not in {problem.server_name for problem in problems}


def test_a_server_that_drags_is_a_problem_in_time(
    member: Caller, organization: Organization, printer: RemoteServer
) -> None:
    async def work(slow: RemoteServer) -> tuple[list[Code], int]:
        # Known by now, the other one needs nothing of the time that is let run out.
        async with using(member, printer):
            pass
        async with using(member, slow, printer, deadline=1) as box:
            return [problem.code for problem in box.problems], len(box.tools)

    with serving(lambda connection, head, silent: wait_for_the_end(silent), host=INSIDE) as silent:
        slow = RemoteServerFactory(organization=organization, url=f"http://{silent.host}:{silent.port}/mcp")
        assert run(lambda: work(slow)) == ([Code.TIMEOUT], 10)


def wait_for_the_end(silent: Server) -> None:
    silent.closing.wait(20)


def test_only_tools_that_are_switched_on_and_not_held_back_are_offered(member: Caller, printer: RemoteServer) -> None:
    async def offered() -> set[str]:
        async with using(member, printer) as box:
            return {tool.remote_name for tool in box.tools}

    everything = run(offered)
    RemoteTool.objects.filter(name="echo").update(enabled=False)
    RemoteServer.objects.update(hold_changes=True)
    RemoteTool.objects.filter(name="fail").update(held_digest=F("digest"), digest="as it was accepted")
    assert run(offered) == everything - {"echo", "fail"}
