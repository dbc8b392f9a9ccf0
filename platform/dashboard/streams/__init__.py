"""Server-sent events for pages: what is new of a subject, read once a process for everybody who looks on.

A view answers with `answer(request, subject)`; `Streams` is the layer around Django that does the streaming.
"""

from dashboard.streams.answering import answer
from dashboard.streams.subjects import Event, Reading, Subject

__all__ = ["Event", "Reading", "Subject", "answer"]
