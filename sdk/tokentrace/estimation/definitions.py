"""What a model reads of the structures in a prompt: definitions of tools, and calls. For the delivery thread alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard, cast

_DEEPEST = 24


def tools(definitions: Any) -> Iterator[Mapping[str, Any]]:
    """Each tool by itself, out of whatever its API wraps it in."""
    if _is_list(definitions):
        for each in definitions:
            yield from tools(each)
    elif _is_object(definitions):
        inner: Any = next((definitions[name] for name in _WRAPPERS if _wraps(definitions.get(name))), None)
        if inner is None:
            yield definitions
        else:
            yield from tools(inner)


def is_provided(tool: Mapping[str, Any]) -> bool:
    """Whether the provider defines it: the request only names it."""
    return "name" not in tool or (_schema(tool) is None and "description" not in tool)


def is_loose(tool: Mapping[str, Any]) -> bool:
    """Whether the model reads it later or not at all, or has it in a form of its own."""
    return bool(tool.get("defer_loading") or tool.get("format"))


def compact(value: Any) -> str:
    """As JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def typescript(tool: Mapping[str, Any]) -> str:
    """A tool as OpenAI's models read it: a type of TypeScript's."""
    schema = _schema(tool)
    if not _is_object(schema) or not schema.get("properties"):
        return f"{_said(tool)}type {tool.get('name')} = () => any;\n\n"
    title = f"// {schema['title']}\n" if schema.get("title") else ""
    return f"{_said(tool)}type {tool.get('name')} = (_: {title}{_type(schema, schema, 0)}) => any;\n\n"


def called(value: Any) -> tuple[int, str]:
    """How many calls there are in what was asked of tools, and their names and arguments."""
    calls = value if _is_list(value) else [value]
    if not calls or not all(map(_is_object, calls)):
        calls = [calls]
    return len(calls), "\n".join(map(_call, calls))


def _call(value: Any) -> str:
    if _is_object(value):
        inner = value.get("function")
        told = inner if _is_object(inner) else value
        parts: Sequence[Any] = [each for name, each in told.items() if name not in _UNREAD]
    else:
        parts = cast("Sequence[Any]", value)
    return " ".join(part if isinstance(part, str) else compact(part) for part in parts if part is not None)


def _schema(tool: Mapping[str, Any]) -> Any:
    found = next((tool[name] for name in _SCHEMAS if tool.get(name) is not None), None)
    return found["json"] if _is_object(found) and "json" in found else found


def _said(told: Mapping[str, Any]) -> str:
    """What stands above a name: its title, and what it is for."""
    title, purpose = told.get("title"), told.get("description")
    lines = [str(title)] if title else []
    if purpose:
        lines += ["", str(purpose)] if title else [str(purpose)]
    return "".join(f"// {line}\n" for line in lines)


def _type(schema: Any, root: Mapping[str, Any], depth: int) -> str:
    if not _is_object(schema) or depth > _DEEPEST:
        return "any"
    choices, kind, members = schema.get("enum"), schema.get("type"), schema.get("properties")
    some = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(place := schema.get("$ref"), str):
        said = _type(_found(root, place), root, depth + 1)
    elif _is_list(choices):
        said = " | ".join(map(compact, choices))
    elif _is_list(some):
        said = " | ".join(_type(each, root, depth + 1) for each in some)
    elif _is_list(kind):
        said = " | ".join(map(_named, kind))
    elif _named(kind) == "array":
        said = f"{_type(schema.get('items'), root, depth + 1)}[]"
    elif _is_object(members):
        required = schema.get("required")
        needed = required if _is_list(required) else ()
        lines = [_member(name, name in needed, each, root, depth) for name, each in members.items()]
        said = "{\n" + "".join(lines) + "}"
    else:
        said = _named(kind)
    return said


def _member(name: str, is_needed: bool, schema: Any, root: Mapping[str, Any], depth: int) -> str:
    line = f"{name}{'' if is_needed else '?'}: {_type(schema, root, depth + 1)},"
    if not _is_object(schema):
        return f"{line}\n"
    usual = schema.get("default")
    return f"{_said(schema)}{line}{'' if usual is None else f' // default: {usual}'}\n"


def _found(root: Mapping[str, Any], reference: str) -> Any:
    place: Any = root
    for part in reference.removeprefix("#/").split("/"):
        place = place.get(part) if _is_object(place) else None
    return place


def _named(kind: Any) -> str:
    named = str(kind or "any").lower()
    return "number" if named == "integer" else named


def _wraps(value: Any) -> bool:
    return _is_list(value) or _is_object(value)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


_WRAPPERS = ("function", "toolSpec", "functionDeclarations", "function_declarations", "tools")
_SCHEMAS = (
    "parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema",
    "parameter_definitions",
)  # fmt: skip
_UNREAD = frozenset({"id", "type", "index", "call_id", "status"})
"""Fields of a call that its model is not told again."""
