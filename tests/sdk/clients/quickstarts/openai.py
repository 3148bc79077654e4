"""The quick starts of `openai`."""

from __future__ import annotations

from quickstarts import openai_live, openai_sockets
from quickstarts.quickstart import Client

CLIENT = Client(
    library="openai",
    module="openai",
    quickstarts=(*openai_sockets.QUICKSTARTS, *openai_live.QUICKSTARTS),
    reported="all",
)
