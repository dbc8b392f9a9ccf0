"""Reading an answer within its bounds: bytes counted as they come and as they unpack, and the clock kept.

Unpacking is done here, in pieces, because a body is only known to be a bomb while it unpacks. gzip and deflate are all
that is asked for; an answer in another coding, or in two of them, is refused.
"""

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx2

from security.outbound.clock import Clock
from security.outbound.policy import Bounds
from security.outbound.refusal import ResponseTooLarge

CODINGS = "gzip, deflate"
PIECE = 64 * 1024
GZIP_OR_ZLIB, RAW = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS


class Unpacking:
    """gzip, zlib, or the bare deflate that some servers send for it (RFC 9110, 8.4.1), in pieces of bounded size."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
        self._begun = False

    def feed(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            piece = self._unpack(packed)
            if self._stream.eof:  # gzip may go on with another member (RFC 1952, 2.2)
                packed, self._stream = self._stream.unused_data, zlib.decompressobj(GZIP_OR_ZLIB)
                self._begun = bool(packed)
            else:
                packed = self._stream.unconsumed_tail
            if piece:
                yield piece

    def end(self) -> None:
        if self._begun:
            raise httpx2.DecodingError("The compressed answer ends in the middle.")

    def _unpack(self, packed: bytes) -> bytes:
        try:
            piece = self._stream.decompress(packed, PIECE)
        except zlib.error as error:
            if self._begun:
                raise httpx2.DecodingError(f"The compressed answer is damaged: {error}") from None
            self._stream = zlib.decompressobj(RAW)
            try:
                piece = self._stream.decompress(packed, PIECE)
            except zlib.error:
                raise httpx2.DecodingError(f"The compressed answer is damaged: {error}") from None
        self._begun = True
        return piece


class Intake:
    """What has come of one answer, and whether more may."""

    def __init__(self, headers: httpx2.Headers, bounds: Bounds, clock: Clock) -> None:
        self.endless = bounds.event_stream_idle is not None and _is_event_stream(headers)
        self.clock = Clock(None, idle=bounds.event_stream_idle) if self.endless else clock
        self._bounds = bounds
        self._wire = self._body = 0
        self._unpacking = _unpacking(headers)
        length = headers.get("content-length", "")
        if not self.endless and length.isdigit() and len(length) < 20 and int(length) > bounds.wire_bytes:
            raise self._too_large(bounds.wire_bytes)

    @property
    def unpacks(self) -> bool:
        return self._unpacking is not None

    def take(self, chunk: bytes) -> Iterator[bytes]:
        """The pieces that a chunk from the wire unpacks to."""
        self._wire += len(chunk)
        if not self.endless and self._wire > self._bounds.wire_bytes:
            raise self._too_large(self._bounds.wire_bytes)
        for piece in self._unpacking.feed(chunk) if self._unpacking else (chunk,):
            self._body += len(piece)
            if not self.endless and self._body > self._bounds.body_bytes:
                raise self._too_large(self._bounds.body_bytes)
            yield piece

    def end(self) -> None:
        if self._unpacking:
            self._unpacking.end()

    @staticmethod
    def _too_large(most: int) -> ResponseTooLarge:
        return ResponseTooLarge(f"The server's answer is larger than {most:,} bytes, so it was not read on.")


class BoundedBody(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, intake: Intake) -> None:
        self._stream, self._intake = stream, intake

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._stream)
        while True:
            with self._intake.clock.running():
                chunk = next(chunks, None)
            if chunk is None:
                break
            yield from self._intake.take(chunk)
        self._intake.end()

    def close(self) -> None:
        self._stream.close()


class AsyncBoundedBody(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, intake: Intake) -> None:
        self._stream, self._intake = stream, intake

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._stream)
        try:
            while True:
                with self._intake.clock.running():
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                for piece in self._intake.take(chunk):
                    yield piece
            self._intake.end()
        finally:
            if close := getattr(chunks, "aclose", None):
                await close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def without_packing(headers: httpx2.Headers) -> httpx2.Headers:
    """The headers of an answer that has been unpacked."""
    return httpx2.Headers(
        [(name, value) for name, value in headers.raw if name.lower() not in (b"content-encoding", b"content-length")]
    )


def _is_event_stream(headers: httpx2.Headers) -> bool:
    return headers.get("content-type", "").split(";", 1)[0].strip().lower() == "text/event-stream"


def _unpacking(headers: httpx2.Headers) -> Unpacking | None:
    codings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
    named = [coding for coding in codings if coding not in ("", "identity")]
    if not named:
        return None
    if len(named) > 1 or named[0] not in ("gzip", "x-gzip", "deflate"):
        raise httpx2.DecodingError("The server packed its answer in a way that was not asked for.")
    return Unpacking()
