"""A program that is run and metered, although it does not know: its environment, its signals, its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from tokentrace_collector.cli.terminal import Trouble

NOTES = "TOKENTRACE_RUN"
"""Names the folder in which every process of the program notes whether it could be metered."""

_FORWARDED = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGINT")
    if hasattr(signal, name)
]


class NotFoundError(Trouble):
    """There is no such program; the status is that of a shell."""

    exit_code = 127


class NotExecutableError(Trouble):
    """It cannot be run; the status is that of a shell."""

    exit_code = 126


@dataclass(frozen=True, slots=True)
class Metered:
    """What the processes of the program noted."""

    processes: int
    """Processes that were metered."""
    failures: Mapping[str, str]
    """By interpreter: why its processes were not."""


def environment(endpoint: str, run: str, notes: Path) -> dict[str, str]:
    """The environment in which a Python meters itself, and delivers to `endpoint`."""
    env = dict(os.environ)
    paths = [str(_boot()), *filter(None, [env.get("PYTHONPATH")])]
    tags = [*filter(None, [env.get("TOKENTRACE_TAGS")]), f"run={run}"]
    for name in ("TOKENTRACE_DISABLED", "TOKENTRACE_HEADERS"):
        env.pop(name, None)
    return env | {
        "PYTHONPATH": os.pathsep.join(paths),
        "TOKENTRACE_ENDPOINT": endpoint,
        "TOKENTRACE_PROTOCOL": "http/protobuf",
        "TOKENTRACE_TAGS": ",".join(tags),
        NOTES: str(notes),
    }


def find(program: str) -> None:
    """Complain of a program that is not there, before anything is begun for it."""
    if shutil.which(program) is None and not Path(program).exists():
        raise NotFoundError(f"There is no program {program!r}.")


def run(command: Sequence[str], env: Mapping[str, str], directory: Path) -> int:
    """Run the program to its end, with our input and output as its own; its status, negative after a signal."""
    try:
        process = subprocess.Popen(command, env=env, cwd=directory)  # noqa: S603 - it is the user's own command
    except OSError as error:
        raise NotExecutableError(f"{command[0]!r} cannot be run: {error.strerror}.") from None
    with _forwarding(process):
        return process.wait()


def noted(notes: Path) -> Metered:
    """What the processes of the program noted in this folder."""
    processes, failures = 0, dict[str, str]()
    for note in notes.iterdir():
        interpreter, _, told = note.read_text(encoding="utf-8").partition("\n")
        if told:
            failures[interpreter] = told
        else:
            processes += 1
    return Metered(processes, failures)


def explanations(metered: Metered, *, has_calls: bool) -> Iterator[str]:
    """Why there may be less to tell than was expected."""
    for interpreter, told in metered.failures.items():
        yield f"processes of {interpreter} were not metered: {told}"
    if has_calls:
        return
    if metered.processes:
        yield "the program made no call to a model."
    elif not metered.failures:
        yield "no Python of the program could be metered; python -E, -I and -S leave us out."


def end_like(status: int) -> None:
    """End as the program did, by the same signal where one ended it."""
    if status >= 0:
        sys.exit(status)
    sys.stdout.flush()
    sys.stderr.flush()
    if -status in {signal.SIGINT, signal.SIGTERM, signal.SIGKILL}:
        with suppress(OSError, ValueError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(128 - status)


@contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Signals meant for the program reach it, wherever they were sent."""

    def forward(number: int, _frame: FrameType | None) -> None:
        # A terminal sends Ctrl-C to the program itself, too.
        if number != signal.SIGINT or not sys.stdin.isatty():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _boot() -> Path:
    """The folder whose `sitecustomize` meters a process."""
    spec = find_spec("tokentrace")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble("The package 'tokentrace' is not beside this command. Install it with: pip install tokentrace")
    return Path(spec.submodule_search_locations[0]) / "boot"
