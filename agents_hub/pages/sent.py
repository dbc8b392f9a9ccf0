"""What lists to tick send: the rows that were shown, and those of them that are ticked."""

import re

from django.http import HttpRequest

NUMBER = re.compile(r"[1-9][0-9]{0,17}")
LONGEST_WORD = 500


def sent_numbers(request: HttpRequest, name: str) -> set[int]:
    """The ids named in what was sent; what is no id of anything is passed over."""
    return {int(sent) for sent in request.POST.getlist(name) if NUMBER.fullmatch(sent)}


def sent_words(request: HttpRequest, name: str) -> set[str]:
    """The same for what is named by words, such as tools."""
    return {sent for sent in request.POST.getlist(name) if 0 < len(sent) <= LONGEST_WORD and "\x00" not in sent}
