"""Whoever else is known to tell of calls."""

from __future__ import annotations

from others.clients import CLIENTS
from others.frameworks import FRAMEWORKS
from others.instrumentations import INSTRUMENTATIONS
from others.langchain import LANGCHAIN
from others.litellm import LITELLM
from others.other import Other

OTHERS: tuple[Other, ...] = (*CLIENTS, *FRAMEWORKS, *LITELLM, *INSTRUMENTATIONS, *LANGCHAIN)
