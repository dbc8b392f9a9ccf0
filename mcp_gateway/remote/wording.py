"""Servers' words kept apart from ours: what a model is told of a problem, and how a server is quoted to people.

Whatever a server says may be written to steer whoever reads it. So a model's instructions hold no word of a server's:
what is wrong with it stands there in our own words, by its code. People read a server's words too, always in quotation
marks.
"""

from collections.abc import Mapping

from mcp_gateway.remote.problems import Code, Problem

# Of what a server says in its own words, this many characters are passed on; and of names, ours and theirs.
MOST_WORDS = 300
MOST_NAME = 100
MOST_TITLE = 200
OTHERWISE = "It cannot be used now."
TOLD: Mapping[Code, str] = {
    Code.DISABLED: "It is disabled. An admin of the organization can enable it.",
    Code.NOT_CONNECTED: "The person has not connected their account to it. They can connect it in the chat.",
    Code.CONNECTION_ERROR: "The person's connection to it has ended. They can connect their account again.",
    Code.UNAUTHORIZED: "It did not accept what it was opened with.",
    Code.FORBIDDEN: "It does not let this account or key use it.",
    Code.SCOPE_NEEDED: "It needs wider access than the person granted. They can connect again to allow that.",
    Code.WRONG_TRANSPORT: "Its transport is set wrongly. An admin can correct that.",
    Code.NOT_MCP: "What is at its address is no MCP server. An admin can correct the address.",
    Code.NOT_FOUND: "There is nothing at its address, or the server is gone. An admin can correct that.",
    Code.NO_TOOLS: "It has no tools.",
    Code.TIMEOUT: "It did not answer in time.",
    Code.TLS: "Its certificate or encryption is not in order.",
    Code.REFUSED_ADDRESS: "Its address may not be reached from here.",
    Code.UNREACHABLE: "It could not be reached.",
    Code.THROTTLED: "It accepts no more requests for now.",
    Code.SERVER_ERROR: "It failed.",
    Code.PROTOCOL: "It refused the request, or answered in a way that the protocol does not allow.",
    Code.TOO_LARGE: "Its answer was too large.",
}


def told(problem: Problem) -> str:
    """What a model is told of the problem."""
    return TOLD.get(problem.code, OTHERWISE)


def words(text: object, most: int = MOST_WORDS) -> str:
    """What somebody else said, fit to stand in a sentence of ours: one line, bounded, nothing invisible."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 4 * most]).split())
    return line if len(line) <= most else line[:most].rstrip() + "…"


def named(name: str) -> str:
    """A name that somebody gave, on one line."""
    return words(name, MOST_NAME)


def quotable(text: object, most: int = MOST_WORDS) -> str:
    """A server's words such that nothing in them closes the quotation marks that we put around them."""
    return words(text, most).replace("“", "'").replace("”", "'")


def quoted(text: object) -> str:
    """A server's words in quotation marks; empty where it said nothing."""
    said = quotable(text)
    return f"“{said}”" if said else ""
