"""What a remote tool is called here: `<slug>_<server id>__<tool>`, as `hubspot_12__create_contact`.

A name is made of nothing but the server's slug and id, which never change, and the tool's own name; so it is the same
tomorrow. No two tools share one: the id stands before the first `__`, and what does not fit is shortened with a hash,
in a form that no other name is given.
"""

import hashlib
import re

LONGEST = 64  # what the models' providers take
LONGEST_SLUG = 24
_FIT = re.compile(r"[A-Za-z0-9_-]+")
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")
# Twelve hexadecimal digits behind `_x`: how shortened names end, and therefore none that was not shortened.
_HASH_DIGITS = 12
_SHORTENED = re.compile(rf"_x[0-9a-f]{{{_HASH_DIGITS}}}")


def tool_name(slug: str, server_id: int, tool: str) -> str:
    """The name under which callers see the tool: at most 64 characters of A-Z, a-z, 0-9, `_` and `-`."""
    head = f"{_plain(slug[:LONGEST_SLUG]) or 'server'}_{server_id}__"
    room = LONGEST - len(head)
    if len(tool) <= room and _FIT.fullmatch(tool) and not _SHORTENED.fullmatch(tool[-_HASH_DIGITS - 2 :]):
        return head + tool
    digest = hashlib.sha256(tool.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{head}{_plain(tool)[: room - _HASH_DIGITS - 2]}_x{digest}"


def _plain(text: str) -> str:
    """The text's letters and digits, what lies between them as one `_`."""
    return _UNFIT.sub("_", text).strip("_")
