"""The quick starts of `openai`."""

from __future__ import annotations

from quickstarts import openai_sockets
from quickstarts.quickstart import Client

CLIENT = Client(
    library="openai",
    module="openai",
    quickstarts=(*openai_sockets.QUICKSTARTS,),
    reported="all",
)
