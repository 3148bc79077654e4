"""What an integration is: where to cut into a library, and what passes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tokentrace.kinds import Kind
from tokentrace.usage.reading import NOTHING, Format

if TYPE_CHECKING:
    from tokentrace.streams.tap import Listener

EVERY: Any = object()
"""Stands for whatever HTTP client sends while a call is made, where a library does not say beforehand which."""


class Call(NamedTuple):
    """One invocation of a patched function."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def arg(self, position: int, name: str) -> Any:
        """The argument `name`, however it was passed."""
        return self.kwargs.get(name, self.args[position] if position < len(self.args) else None)


class Request(NamedTuple):
    """What a call asks for. A tuple, for one is made on every call: a frozen dataclass costs twice as much."""

    provider: str
    """The client's own provider, by its OpenTelemetry name; the host may say otherwise."""

    operation: str
    model: str | None
    format: Format
    """The wire format of the response."""

    host: str | None = None
    port: int | None = None
    stream: bool = False
    scope: str = "call"
    """`call`, or `retrieve` where the response was created by another call."""

    http: Any = None
    """The HTTP client whose sends are the attempts of this call, or `EVERY`; None where nobody can count them."""

    facts: Mapping[str, Any] = NOTHING
    """What only the request tells of its bill, such as characters to be spoken: for the `count` of the format."""

    prompt: Any = None
    """The body or the arguments of the call, as the library has them: for the `compose` of the format."""

    reads_body: bool = True
    """Whether the bodies of those sends are in `format`; where not, it is the result that is read."""

    inside: Any = None
    """The section that the call belongs to, where that is not the one that is running."""

    is_hidden: bool = False
    """Whether only spans of ours find it around them: for a library that writes into the span that is current."""


Describe: TypeAlias = Callable[[Call], Request | None]
"""Turns a call into a `Request`; None lets it through unmetered."""

Ask: TypeAlias = Callable[[Call, str], Call | None]
"""Has a call ask for its usage, of a provider that is known by its host; None where it is to be left as it is."""

Tap: TypeAlias = "Callable[[Any, Listener], Any]"
"""Has a listener read along with a result, and gives what the application gets; None where nothing is to follow."""


class Seam(NamedTuple):
    """A function of the library that makes exactly one provider call, or hands out the answers to several."""

    module: str
    name: str
    describe: Describe
    awaited: bool = False

    tap: Tap | None = None
    """For a result that is neither read at once nor a generator."""

    ask: Ask | None = None
    """For streams that report their usage only if they are asked, and an application that wants them to be."""

    follow: Callable[[Call, Any], bool | None] | None = None
    """For a stream that carries one call after the other: whether a part is the last of its call; None if of none."""


Kept: TypeAlias = Callable[[Call, Any, Format], bytes | None]
"""The body that an answer carries, by the call that sent the request; None where the result tells more."""


class AttemptSeam(NamedTuple):
    """A function of the library that makes exactly one HTTP request of a call."""

    module: str
    name: str
    awaited: bool = False

    kept: Kept | None = None
    """For a library with answers of its own; None for those of httpx and httpx2."""


class ResendSeam(NamedTuple):
    """A coroutine function that sends the HTTP request of an attempt, and what a library sends beside its attempts.

    Where it sends again within one attempt, the first was an attempt of its own.
    """

    module: str
    name: str
    sender: Callable[[Any], Any]
    """By the HTTP client of the call: the object that this is a function of."""


class Message(NamedTuple):
    """One message of a session that stays open."""

    content: Any
    """What the function of the seam gave."""

    session: Request
    """What all calls of the session have in common."""

    notes: dict[str, Any]
    """What earlier messages have told, for those that follow; kept as long as the session."""


class Turn(NamedTuple):
    """What a message says of one billed call of its session."""

    key: str
    """Tells the calls apart that are open at the same time."""

    request: Request
    """What the call asks for; taken from the first message that mentions it."""

    part: Any
    """The piece of the answer, for the format of the request."""

    is_over: bool = False
    """Whether nothing more is to come of it."""


Follow: TypeAlias = Callable[[Message], Turn | None]
"""Which call of its session a message belongs to; None for all that says nothing of a bill."""


class SessionSeam(NamedTuple):
    """A function of a session that stays open, in which a provider bills one call after the other.

    It gives a message where it has a `follow`, closes the session where it `closes`, and opens it otherwise: then its
    result is the session, or what it is called on where it gives nothing, as an `__init__` does.
    """

    module: str
    name: str

    describe: Describe | None = None
    """What all calls have in common: asked of what opens a session, and of a message where nobody saw that."""

    follow: Follow | None = None
    awaited: bool = False
    closes: bool = False

    losses: tuple[str, ...] = ("ConnectionClosed",)
    """Names of the errors after which nothing can come any more; any other leaves the session open."""


class Work(NamedTuple):
    """What a function of a framework does for a request."""

    kind: Kind

    name: str
    """What the application calls it: the name of an agent, a tool, a node."""

    role: str | None = None
    """What the calls below are for, where the framework leaves no doubt."""

    attributes: Mapping[str, Any] = NOTHING


class StepSeam(NamedTuple):
    """A function of a framework that does one step of a request; the calls that it makes are below that step.

    It may be a function, a coroutine function, or a generator of either kind.
    """

    module: str
    name: str

    tell: Callable[[Call], Work | None]
    """What it does; None lets it through without a step."""

    signals: tuple[str, ...] = ()
    """Names of what it raises without having failed, such as a command to go on elsewhere; with all below them."""

    is_everywhere: bool = True
    """Whether all releases have it; where not, the others do this step in a function of another name."""


AnySeam: TypeAlias = Seam | AttemptSeam | ResendSeam | SessionSeam | StepSeam


class Integration(NamedTuple):
    """A library that we meter, or a framework whose steps we tell."""

    library: str
    """The distribution, as its installer calls it."""

    seams: tuple[Seam, ...] = ()
    attempts: tuple[AttemptSeam | ResendSeam, ...] = ()
    sessions: tuple[SessionSeam, ...] = ()
    steps: tuple[StepSeam, ...] = ()
    attach: Mapping[str, Callable[[ModuleType], Callable[[], object]]] | None = None
    """By module: what else is to be done once it is imported; returns how to undo it."""
