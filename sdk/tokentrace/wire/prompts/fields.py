"""How the fields of a request are asked for: of JSON, of mappings, and of the objects of a library."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from tokentrace.usage.prompt import Unattributable

MOST = 50_000
"""Messages, or parts of one, of a request that is looked at."""

LONGEST = 1024 * 1024
"""Bytes of a body that is parsed to see what is in it."""


Ask: TypeAlias = Callable[[str], Any]


_BARE: Any = (str, bytes, int, float, list, tuple)


def field(value: Any) -> Ask:
    """Asks `value` for its fields; those it has not are None."""
    if is_object(value):
        ask: Ask = value.get
        return ask
    if value is None or isinstance(value, _BARE):
        raise _unknown(value)
    return partial(_attribute, value)


def request(asked: Any) -> Ask:
    """Asks a request for its fields, whether it is parsed or not."""
    if isinstance(asked, (str, bytes)):
        if len(asked) > LONGEST:
            raise Unattributable("a body that is too long")
        try:
            asked = json.loads(asked)
        except ValueError:
            raise Unattributable("a body that is no JSON") from None
    return partial(_given, field(asked))


def _given(ask: Ask, name: str) -> Any:
    found = ask(name)
    if found is None or found.__class__ in _SENT:
        return found
    return None if found is ... or type(found).__name__ in _LEFT_OUT else found


_SENT = frozenset({str, list, dict, int})


_LEFT_OUT = frozenset({"Omit", "NotGiven", "Unset"})
"""What libraries put in the place of a field that is not sent; some put an ellipsis."""


def is_object(value: Any) -> bool:
    """Whether it is an object of JSON, or what is like one."""
    return isinstance(value, dict) or isinstance(value, Mapping)  # noqa: SIM101 - `dict` answers ten times faster.


def _attribute(value: Any, name: str) -> Any:
    return getattr(value, name, None)


def _unknown(value: object) -> Unattributable:
    return Unattributable(type(value).__qualname__)


def listed(value: Any) -> Sequence[Any]:
    """The elements of a list or of what is like one; nothing is taken from an iterator of the application."""
    if value is None:
        return ()
    given: Any = value
    found: Sequence[Any]
    if isinstance(value, (list, tuple)):
        found = given
    # Repeated fields of protobuf are sequences by their methods only.
    elif isinstance(value, (str, bytes)) or is_object(value) or not _is_sequence(value):
        raise _unknown(value)
    else:
        found = [value[place] for place in range(min(len(value), MOST + 1))]
    if len(found) > MOST:
        raise Unattributable("a list that is too long")
    return found


def _is_sequence(value: Any) -> bool:
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


def plain(value: Any) -> str:
    """The text that `value` is; of an enumerated value its own."""
    if isinstance(value, str):
        return value
    if isinstance(own := getattr(value, "value", None), str):
        return own
    raise _unknown(value)
