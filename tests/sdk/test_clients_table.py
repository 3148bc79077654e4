"""The table of clients in `sdk/README.md`, made of the quick starts that `tests/sdk/clients` runs.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_clients_table.py` writes it anew.
"""

from __future__ import annotations

import pytest
from quickstarts.all import clients
from quickstarts.quickstart import Client
from readme import STALE, standing
from releases import releases_of

HEAD = ("client", "releases run", "quick starts that run unchanged", "reported", "not reported by anybody: `missing`")


def table() -> str:
    """All that stands between the markers."""
    rows = [HEAD, ["---"] * len(HEAD), *map(_cells, clients())]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(client: Client) -> tuple[str, ...]:
    names = ", ".join(quickstart.name for quickstart in client.quickstarts)
    return (
        f"`{client.library}`",
        ", ".join(releases_of(client.library)),
        names,
        client.reported,
        client.missing or "nothing",
    )


def test_the_table_in_the_readme_is_made_of_the_quick_starts_that_run():
    assert standing("clients", table()) == table(), STALE


@pytest.mark.parametrize("client", clients(), ids=lambda client: client.library)
def test_a_client_runs_somewhere(client):
    assert releases_of(client.library)
