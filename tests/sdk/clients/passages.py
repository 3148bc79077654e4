"""Which seams of the client modules calls go through, and which of the endpoints that they know."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from releases import is_newest

from tokentrace import context
from tokentrace.clients import bedrock, cohere, huggingface, mistral, ollama
from tokentrace.clients._stainless import READ_ONLY, SENDS
from tokentrace.integration import EVERY, AnySeam, Call, Integration, Seam, SessionSeam
from tokentrace.seams import install, patching

ARE_MANY = is_newest("openai") and is_newest("cohere")
"""Whether there are clients on httpx2 as well as on httpx."""

Place = tuple[str, str]
"""Module and name of a seam."""

INTEGRATIONS = tuple(import_module(f"tokentrace.clients.{client}").INTEGRATION for client in install.CLIENTS)


HELPERS = {"botocore": "boto3", "huggingface_hub": "numpy", "openai": "websockets"}
"""What has to be there beside a package for all of its quick starts to run."""


def is_whole(package: str) -> bool:
    """Whether a package can do here all that it is able to."""
    return find_spec(HELPERS.get(package, "sys")) is not None


def seams() -> set[Place]:
    """The seams of every client that this environment has, and its release of it."""
    declared = {place(seam) for each in INTEGRATIONS for seam in (*each.seams, *each.attempts, *each.sessions)}
    # Where few clients are, nobody may speak through the one or the other.
    declared -= set() if ARE_MANY else set(map(place, SENDS))
    return {(module, name) for module, name in declared if is_whole(module.split(".")[0]) and _exists(module, name)}


def place(seam: AnySeam) -> Place:
    """Where a seam lies."""
    return seam.module, seam.name


def _exists(module: str, name: str) -> bool:
    try:
        attrgetter(name)(import_module(module))
    except (ImportError, AttributeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Endpoints:
    """How calls of a library tell what they ask for, and all of it that the client module knows."""

    of: Callable[[Call], str]
    known: Callable[[], set[str]]
    """Patterns of what `of` gives."""


def _operations() -> set[str]:
    """The operations of `mistralai` that are described, by the names that its source has for them."""
    sources = Path(import_module("mistralai.client").__path__[0]).rglob("*.py")
    named = {name for source in sources for name in re.findall(r'operation_id="(\w+)"', source.read_text())}
    return {name for name in named if mistral._endpoint(name)}


_ENDPOINTS = {
    "boto3": Endpoints(
        lambda call: call.arg(0, "operation_name"), lambda: {api for apis in bedrock._BILLED.values() for api in apis}
    ),
    "cohere": Endpoints(lambda call: call.arg(0, "path").partition("/")[2], lambda: set(cohere._ENDPOINTS)),
    "huggingface_hub": Endpoints(lambda call: call.arg(0, "request_parameters").task, lambda: set(huggingface._TASKS)),
    "mistralai": Endpoints(lambda call: call.arg(0, "hook_ctx").operation_id, _operations),
    "ollama": Endpoints(lambda call: call.arg(2, "url"), lambda: set(ollama._ENDPOINTS)),
}


def endpoints(integration: Integration) -> Endpoints | None:
    """The endpoints of a library; None where each has a seam of its own."""
    seam = integration.seams[0]
    if not seam.module.endswith("._base_client"):
        return _ENDPOINTS.get(integration.library)

    def asked(call: Call) -> str:
        options = call.arg(1, "options")
        return f"{options.method.lower()} {options.url.partition('?')[0].rstrip('/')}"

    return Endpoints(asked, lambda: set(_paths(seam)))


def _paths(seam: Seam) -> Iterator[str]:
    # What a client of the Stainless family is billed for, it hands to the function that describes its calls.
    find: Any = inspect.getclosurevars(seam.describe).nonlocals["endpoint_of"]
    for endpoint in inspect.getclosurevars(find.__wrapped__).nonlocals["endpoints"]:
        if endpoint.path != READ_ONLY:
            yield from _alternatives(f"post .*{endpoint.path}")
        if endpoint.retrieve:
            yield from _alternatives(endpoint.retrieve)


def _alternatives(pattern: str) -> Iterator[str]:
    """The patterns without alternatives that a pattern stands for."""
    pieces = (_choices(piece) for piece in re.split(r"(\(\?:[^()]*\)\??)", pattern))
    for chosen in product(*pieces):
        yield from "".join(chosen).split("|")


def _choices(piece: str) -> list[str]:
    if not piece.startswith("(?:"):
        return [piece]
    return [*piece.rstrip("?")[3:-1].split("|"), *([""] if piece.endswith("?") else [])]


@dataclass
class Passages:
    """What metered calls went through while it watched."""

    seams: set[Place] = field(default_factory=set)
    asked: set[tuple[str, str]] = field(default_factory=set)
    """Libraries, and what was asked for."""
    taken: set[str] = field(default_factory=set)
    """Names of what was run."""

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Look on, whenever something is instrumented from now on."""
        wrapper = patching.Installation._wrapper

        def watched(installation: patching.Installation, seam: AnySeam) -> Any:
            if isinstance(seam, Seam):
                return wrapper(installation, seam._replace(describe=self._noted(seam)))
            inner = wrapper(installation, seam)

            def passed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
                if isinstance(seam, SessionSeam) or _is_attempt(instance):
                    self.seams.add(place(seam))
                return inner(wrapped, instance, args, kwargs)

            return passed

        patch.setattr(patching.Installation, "_wrapper", watched)

    def _noted(self, seam: Seam) -> Callable[[Call], Any]:
        (integration,) = (each for each in INTEGRATIONS if seam in each.seams)
        known = endpoints(integration)

        def described(call: Call) -> Any:
            request = seam.describe(call)
            if request is not None:
                self.seams.add(place(seam))
                if known:
                    self.asked.add((integration.library, known.of(call)))
            return request

        return described

    def unasked(self, integration: Integration) -> set[str]:
        """What nobody has asked of a library, of all that its client module knows."""
        found = endpoints(integration)
        asked = [what for library, what in self.asked if library == integration.library]
        known = found.known() if found else set()
        return {pattern for pattern in known if not any(re.fullmatch(pattern, what) for what in asked)}


def _is_attempt(instance: Any) -> bool:
    meter = context.metering.get()
    return meter is not None and (meter.http is instance or meter.http is EVERY)
