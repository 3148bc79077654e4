"""The agent as a process of its own, with an environment in which nothing but the demo's settings counts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_PACKAGES = ("openai", "anthropic", "google.genai", "httpx2")
_FOREIGN = ("OTEL_", "TOKENTRACE_", "OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "HTTP_", "HTTPS_", "ALL_", "NO_")


class AgentError(Exception):
    """The agent did not do its work."""


class AgentProcess:
    """The agent: it is starting up from the first moment, and works when it is told to."""

    def __init__(self) -> None:
        for package in _PACKAGES:
            if importlib.util.find_spec(package) is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        # -P: a file named openai.py in the user's directory is not the client.
        command = [sys.executable, "-P", "-m", "tokentrace_collector.demo.agent"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def work(self, endpoint: str, addresses: Mapping[str, str], without: frozenset[str], *, patience: float) -> str:
        """Have the agent do its work; gives the trace id of its request."""
        settings = {"endpoint": endpoint, "addresses": dict(addresses), "without": sorted(without)}
        try:
            said, _ = self._process.communicate(json.dumps(settings) + "\n", timeout=patience)
        except subprocess.TimeoutExpired:
            raise AgentError(f"The agent was not done after {patience:g} s.") from None
        if self._process.returncode:
            raise AgentError(f"The agent ended with status {self._process.returncode}; what it said is above.")
        return str(json.loads(said)["trace_id"])


def _environment() -> dict[str, str]:
    """Ours without what would steer vendors' clients, OpenTelemetry or tokentrace: no keys, no proxies, no sampler."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
