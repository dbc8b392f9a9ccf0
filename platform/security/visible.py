"""Text of strangers, shown so that nothing in it steers or hides the rest."""

import re

# Bidirectional controls reorder what is read ("Trojan Source", CVE-2021-42574), the rest hides or breaks text.
STEERING = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """`text` with each character that would steer or hide the rest replaced by its name, as in [U+202E]."""
    return STEERING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text.replace("\r\n", "\n"))
