"""Running the platform's processes as children: their output, their restarts and their end."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

# A child that lived this long had started well; its next crash is met as a first one.
STEADY_SECONDS = 30.0
LONGEST_BACKOFF_SECONDS = 15.0
GRACE_SECONDS = 2.5
LONGEST_LINE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, the short name its lines are printed under, and the open files it inherits.

    One that is `patient` is started once the others are ready, so that they have the processors for themselves.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    inherits: tuple[int, ...] = ()
    patient: bool = False


class Supervisor:
    """Keeps programs running in one process group until it is told to stop."""

    def __init__(self, programs: Sequence[Program], *, process_group: int) -> None:
        self.programs = programs
        self.process_group = process_group
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._width = max(len(program.name) for program in programs)

    def ready(self) -> None:
        """Let the patient programs begin."""
        self._ready.set()

    def stop(self) -> None:
        """Begin to end everything; `run` returns when that is done."""
        self._stopping.set()
        self._ready.set()

    async def run(self) -> None:
        """Start the programs and restart what crashes, until `stop`."""
        keepers = [asyncio.create_task(self._keep_running(program)) for program in self.programs]
        await self._stopping.wait()
        for child in self._children.values():
            _signal(child, signal.SIGTERM)
        _, slow = await asyncio.wait(keepers, timeout=GRACE_SECONDS)
        if slow:
            for child in self._children.values():
                _signal(child, signal.SIGKILL)
            await asyncio.wait(slow)
        for keeper in keepers:
            keeper.result()

    async def _keep_running(self, program: Program) -> None:
        if program.patient:
            await self._ready.wait()
        crashes = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            crashes = 1 if time.monotonic() - started > STEADY_SECONDS else crashes + 1
            pause = min(0.5 * 2 ** (crashes - 1), LONGEST_BACKOFF_SECONDS)
            self.say(program.name, f"{_ending(code)}; starting it again in {pause:g} s.")
            try:
                await asyncio.wait_for(self._stopping.wait(), timeout=pause)
            except TimeoutError:
                continue

    async def _run_once(self, program: Program) -> int:
        child = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | program.environment,
            pass_fds=program.inherits,
            process_group=self.process_group,
            limit=LONGEST_LINE_BYTES,
        )
        self._children[program.name] = child
        if self._stopping.is_set():  # told to stop while the child was being made
            _signal(child, signal.SIGTERM)
        printing = asyncio.create_task(self._print_lines(program.name, child))
        code = await child.wait()
        # A grandchild may hold the pipe open; its lines are not worth waiting for.
        await asyncio.wait([printing], timeout=0.5)
        printing.cancel()
        return code

    async def _print_lines(self, name: str, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while True:
            try:
                line = await child.stdout.readline()
            except ValueError:  # longer than the limit, which asyncio has thrown away by now
                self.say(name, "(a line longer than 1 MiB is not shown)")
                continue
            if not line:
                return
            self.say(name, line.decode(errors="replace").rstrip("\n"))

    def say(self, name: str, line: str) -> None:
        try:
            print(f"{name:>{self._width}} | {line}", file=sys.stdout, flush=True)
        except BrokenPipeError:  # nobody reads us any more
            self.stop()


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if child.returncode is None:
        child.send_signal(number)


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
