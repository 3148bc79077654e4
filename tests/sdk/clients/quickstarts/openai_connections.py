"""Every websocket of `openai`, blocking and awaited, entered by `with` and by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from quickstarts import openai_live, openai_sockets
from quickstarts.openai_sockets import quickstart
from quickstarts.quickstart import Quickstart
from quickstarts.sockets import messages


@dataclass(frozen=True, slots=True)
class Socket:
    """A resource with a `connect`, and what comes through once it is open."""

    path: str
    opens: dict[str, str]
    """The arguments of `connect`."""

    events: tuple[Any, ...]
    calls: tuple[Any, ...]

    def connect(self, client: Any) -> Any:
        """The manager of a connection."""
        resource = client
        for name in self.path.split("."):
            resource = getattr(resource, name)
        return resource.connect(**self.opens)

    def block(self, url: str) -> Any:
        """Open it by `with`, then by hand."""
        from openai import OpenAI

        client = OpenAI(api_key="-", websocket_base_url=url, default_headers=AUTHORISED)
        with self.connect(client) as connection:
            heard = [connection.recv() for _ in self.events]
        connection = self.connect(client).enter()
        heard += [connection.recv() for _ in self.events]
        connection.close()
        return heard

    async def wait(self, url: str) -> Any:
        """The same, awaited."""
        from openai import AsyncOpenAI

        client = AsyncOpenAI(api_key="-", websocket_base_url=url, default_headers=AUTHORISED)
        async with self.connect(client) as connection:
            heard = [await connection.recv() for _ in self.events]
        connection = await self.connect(client).enter()
        heard += [await connection.recv() for _ in self.events]
        await connection.close()
        return heard


AUTHORISED = {"Authorization": "Bearer -"}
"""The beta of Realtime does not do it by itself."""

SPOKEN = ((openai_sockets.BEGUN, openai_sockets.DONE), (openai_sockets.over(openai_sockets.SPOKEN),))
ANSWERED = ((openai_live.CREATED, openai_live.COMPLETED), (openai_sockets.over(openai_live.TOKENS),))
LASTED = ((openai_live.LATER, openai_live.SECONDS), (openai_sockets.over({}, meters={"audio_seconds": 12.5}),))

SOCKETS = (
    Socket("realtime", {"model": "gpt-realtime"}, *SPOKEN),
    Socket("beta.realtime", {"model": "gpt-4o-realtime-preview"}, *SPOKEN),
    Socket("realtime.translations", {"model": "gpt-realtime-translate"}, *LASTED),
    Socket("responses", {}, *ANSWERED),
    Socket("beta.responses", {}, *ANSWERED),
    Socket("live", {}, *LASTED),
    Socket("live.forks", {"session_id": "live_1"}, *LASTED),
    Socket("live.sideband", {"session_id": "live_1"}, LASTED[0], (openai_live.OVERHEARD,)),
)


def _quickstarts() -> Iterator[Quickstart]:
    for each in SOCKETS:
        answers, calls = (messages(*each.events),), each.calls * 2
        yield quickstart(f"{each.path}, by hand too", each.block, answers, calls, f"{each.path}.connect")
        yield quickstart(f"{each.path}, by hand too, async", each.wait, answers, calls, f"{each.path}.connect")


QUICKSTARTS = tuple(_quickstarts())
