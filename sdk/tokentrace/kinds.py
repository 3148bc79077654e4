"""The kinds of sections that a request has, and how OpenTelemetry's GenAI conventions tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tokentrace import attributes as name

Kind = Literal["workflow", "agent", "step", "tool", "handoff", "retrieval", "memory", "guardrail"]


@dataclass(frozen=True, slots=True)
class Convention:
    """What a kind is called elsewhere."""

    operation: str | None = None
    """None where the conventions have none, or several to choose from."""

    named_by: str | None = None
    """The attribute that holds its name, beside that of ours."""

    role: str | None = None
    """What calls inside are for, where that is certain."""


CONVENTIONS: Mapping[Kind, Convention] = {
    "workflow": Convention("invoke_workflow", name.WORKFLOW_NAME),
    "agent": Convention("invoke_agent", name.AGENT_NAME),
    "step": Convention(),
    "tool": Convention("execute_tool", name.TOOL_NAME),
    "handoff": Convention(role="delegate"),
    "retrieval": Convention("retrieval", role="retrieve"),
    # The conventions tell search_memory, create_memory, update_memory, upsert_memory and delete_memory apart.
    "memory": Convention(role="memory"),
    "guardrail": Convention(role="guardrail"),
}


def described(kind: Kind, title: str) -> dict[str, str]:
    """The attributes of a section of this kind and name."""
    convention = CONVENTIONS[kind]
    found = {name.STEP: title, name.STEP_KIND: kind}
    if convention.operation is not None:
        found[name.OPERATION] = convention.operation
    if convention.named_by is not None:
        found[convention.named_by] = title
    return found
