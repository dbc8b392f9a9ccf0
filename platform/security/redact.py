"""Taking secrets out of what is about to be shown, logged or audited.

A secret is known by its name or by its look. What neither gives away stays, so this is a net under those who log with
care, never a licence to log without.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[REDACTED]"
# What is nested deeper than anyone writes by hand is an attack on whoever walks through it.
MOST_LEVELS = 32
TOO_DEEP = "[TOO DEEP]"
_HALVES = re.compile("[\ud800-\udfff]")
_JSON_BEGINS = frozenset('{["')

# Names, after camelCase and kebab-case have become snake_case.
SECRET_NAMES = re.compile(
    r"(^|_)(passwords?|passwd|pwd|passphrase|secrets?|tokens?|authorization|cookies?|api_?keys?|credentials?|"
    r"private_?keys?|encryption_?keys?|signing_?keys?|verifier|code_verifier|session_?(id|key)|otp|mnemonic)(_|$)"
)
# Where it is the end of a name, it need be no word by itself: `dbpassword`.
SECRET_ENDS = re.compile(r"(password|passwd|secret|token|api_?key)$")
# Names that a secret's name is part of, and whose values are numbers or words about it.
ABOUT_SECRETS = re.compile(
    r"(^|_)(tokens?_(used|left|limit|quota|count|type)|(ai|max|monthly|input|output|total)_(\w+_)?tokens)$"
)
WORD_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")

# Values that are secrets whatever they are called. Each pattern is bounded on both sides, so none can run away.
SECRET_VALUES = re.compile(
    r"""
      wiz_[0-9A-Za-z]{8,64} | \bas[ar]t_[\w-]{20,64}                           # our API keys and tokens
    | \bwhsec_[A-Za-z0-9+/=]{16,128}                                          # webhooks' signing secrets
    | (?<=\bBearer\ )[^\s"',;]{1,4096} | (?<=\bBot\ )[\w.-]{20,200} | (?<=\bBasic\ )[A-Za-z0-9+/=]{8,4096}
    | \b[A-Za-z0-9_-]{23,30}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,100}       # Discord's bot tokens
    | (?<=/webhooks/)\d{15,22}/[\w-]{20,100}                                   # Discord's webhooks
    | \beyJ[\w-]{5,4096}\.[\w-]{5,8192}\.[\w-]{0,2048}                         # JSON web tokens
    | \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,200} | \bgh[pousr]_[A-Za-z0-9]{20,255} | \bgithub_pat_\w{20,255}
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,255} | \bAKIA[0-9A-Z]{16}\b | \bAIza[\w-]{35}
    | (?<=://)[^\s/@:]{0,256}:[^\s/@]{1,256}(?=@)                              # user:password@ in an address
    | -----BEGIN\ [A-Z ]{0,40}PRIVATE\ KEY-----[A-Za-z0-9+/=\s]{0,16384}
    """,
    re.VERBOSE,
)
# What opens or closes a text in a text, which may itself stand in one: \\" as well as ".
_QUOTE = r"""\\{0,7}["']"""
_GONE = re.escape(REDACTED)
# A name that may mean a secret, from its beginning to its end. What is more or less than one is looked at then.
_NAME = (
    r"(?<![\w.-])(?P<name>[\w.-]{0,64}?(?:passw|passphrase|pwd|secret|token|authorization|cookie|api.?key|credential|"
    r"private.?key|encryption.?key|signing.?key|verifier|session.?(?:id|key)|otp|mnemonic)[\w-]{0,32})"
)
_BARE = r"""(?:[^\s"'&,;{}\[\]\\]|\\(?!["'\\])){1,4096}"""
# name=value and "name": "value" inside a text: a value in quotation marks goes to the one that closes it.
NAMED_VALUES = re.compile(
    rf"""(?i){_NAME}(?P<between>(?:{_QUOTE})?\s{{0,4}}[=:]\s{{0,4}})
    (?: (?P<quote>{_QUOTE})(?!{_GONE})(?:(?!(?P=quote))(?:[^\\]|\\["'\\])|\\(?!["'])){{1,16384}}
    | (?!{_GONE}){_BARE} )""",
    re.VERBOSE,
)
# Headers as they are sent: a scheme and what it needs; any number of cookies.
HEADERS = re.compile(
    rf"""(?i)(\b(?:proxy-)?authorization\s{{0,4}}:\s{{0,4}})(?!{_GONE})(?:[a-z]{{1,32}}\ )?[^\s"',;\\]{{1,4096}}
    |(\b(?:set-)?cookie\s{{0,4}}:\s{{0,4}})(?!{_GONE})[^\s=;,"'\\]{{1,256}}=[^\s;"'\\]{{0,4096}}
    (?:;\s{{0,4}}[^\s=;"'\\]{{1,256}}(?:=[^\s;"'\\]{{0,4096}})?){{0,64}}""",
    re.VERBOSE,
)


def redact(value: Any, *, levels: int = MOST_LEVELS) -> Any:
    """A copy of a JSON-like value in which secrets, by name or by look, read `[REDACTED]`."""
    if isinstance(value, str):
        return redact_text(value, levels=levels)
    if isinstance(value, Mapping | list | tuple | set | frozenset) and levels == 0:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return {
            redact_text(str(name)): REDACTED
            if _holds(item) and is_secret_name(str(name))
            else redact(item, levels=levels - 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, levels=levels - 1) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return REDACTED if isinstance(value, bytes | bytearray | memoryview) else redact_text(str(value))


def redact_text(text: str, *, levels: int = MOST_LEVELS) -> str:
    """The text with what looks like a secret, or is named like one, taken out. JSON is read as what it says."""
    if levels > 0 and text.lstrip()[:1] in _JSON_BEGINS and (known := _redacted_json(text, levels - 1)) is not None:
        return known
    text = HEADERS.sub(lambda match: (match[1] or match[2]) + REDACTED, SECRET_VALUES.sub(REDACTED, text))
    return NAMED_VALUES.sub(_without_value, text).replace(f"{REDACTED}{REDACTED}", REDACTED)


def _redacted_json(text: str, levels: int) -> str | None:
    """The text where it is JSON that holds secrets, written anew without them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    clean = redact(value, levels=levels)
    if clean == value:
        return None
    written = json.dumps(clean, ensure_ascii=False)
    # Half of a character, which JSON can escape and nothing can encode, stays escaped.
    return written if not _HALVES.search(written) else json.dumps(clean)


def _without_value(match: re.Match[str]) -> str:
    if not is_secret_name(match["name"]):
        return match[0]
    return f"{match['name']}{match['between']}{match['quote'] or ''}{REDACTED}"


@lru_cache(maxsize=4_096)
def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret: `apiKey` and `X-Auth-Token` are, `aiTokensUsed` is not."""
    words = WORD_BREAKS.sub("_", name).lower()
    return bool(SECRET_NAMES.search(words) or SECRET_ENDS.search(words)) and not ABOUT_SECRETS.search(words)


def _holds(item: Any) -> bool:
    """Whether there is anything to hide. An empty value, or a yes or no, tells nothing."""
    return not (item is None or item == "" or isinstance(item, bool))
