"""Who a request is for: the names that tags have on spans."""

from __future__ import annotations

from collections.abc import Mapping

from tokentrace import attributes as name

_KEYS = {
    "team": name.TEAM,
    "feature": name.FEATURE,
    "customer": name.CUSTOMER,
    "project": name.PROJECT,
    "cost_center": name.COST_CENTER,
    "environment": name.ENVIRONMENT,
    "user": name.USER,
    "session": name.SESSION,
}


def named(tags: Mapping[str, object]) -> dict[str, str]:
    """Tags under their attribute names; those that are None are left out."""
    return {_KEYS.get(tag, name.TAG + tag): str(value) for tag, value in tags.items() if value is not None}


def is_tag(key: str) -> bool:
    """Whether it is the attribute name of a tag."""
    return key.startswith(name.TAG) or key in _KEYS.values()
