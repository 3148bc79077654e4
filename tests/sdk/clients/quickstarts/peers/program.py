"""An agent in a process of its own, which answers each message of its user with what it was told to say."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from shapes.provider import Answer, Provider

SCRIPT = """#!{python}
import json, sys

turns = json.loads({turns!r})


def say(*parts):
    for part in parts:
        print(json.dumps(part), flush=True)
        # What it asks the application itself, it waits for.
        while part["type"] == "control_request" and json.loads(sys.stdin.readline())["type"] != "control_response":
            pass


if "-v" in sys.argv:
    print("2.1.0 (Claude Code)")
elif "--print" in sys.argv:
    say(*turns[0])
else:
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["type"] == "control_request":
            told = {{"subtype": "success", "request_id": asked["request_id"], "response": {{}}}}
            say({{"type": "control_response", "response": told}})
        elif asked["type"] == "user":
            say(*turns.pop(0))
"""


@contextmanager
def serve(provider: Provider) -> Iterator[str]:
    """A program that speaks `stream-json` and is found as `claude`; gives its path."""
    turns = [[json.loads(part) for part in answer.parts] for answer in provider.answers]
    with TemporaryDirectory() as folder:
        path = Path(folder, "claude")
        path.write_text(SCRIPT.format(python=sys.executable, turns=json.dumps(turns)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PATH", folder, prepend=os.pathsep)
            yield str(path)


def said(*messages: Any) -> Answer:
    """What the program says to one message."""
    return Answer(parts=tuple(json.dumps(message).encode() for message in messages))
