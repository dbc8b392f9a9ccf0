"""Server-sent events for pages: what is new of a subject, read once a process for everybody who looks on.

A view answers with `answer(request, subject)`; `layer.Streams` does the streaming, around Django. In the page,
`static/dashboard/streams.js` keeps a region up to date, where `is_possible(request)`.
"""

from dashboard.streams.answering import answer, answer_to, is_possible
from dashboard.streams.subjects import Event, Reading, Subject

__all__ = ["Event", "Reading", "Subject", "answer", "answer_to", "is_possible"]
