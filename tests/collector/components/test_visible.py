"""Visible: the question that was asked and the answer that was given; and how one more component is added."""

import shutil

import pytest

from tokentrace_collector import files
from tokentrace_collector.store import schema

ALL = ("system", "tool_definitions", "history", "tool_results", "user", "retrieved", "media")


@pytest.mark.parametrize(
    ("kind", "component"), [(kind, "orchestration" if kind in ALL[1:4] else "visible") for kind in ALL]
)
def test_each_part_of_the_prompt_falls_where_the_method_says(shared_ledger, kind, component):
    """System, the user's turn, retrieved context and media are what the answer is about."""
    said = {"tokentrace.input.segments": f'["{kind}:9"]'}
    shared_ledger.call(kind, "a", role="answer", tokens={"input_text": 1_000}, said=said)
    shared_ledger.tick()
    assert shared_ledger.components(kind) == {component: "0.002"}


def test_a_prompt_that_nobody_described_is_visible(shared_ledger):
    """Nothing is guessed."""
    shared_ledger.call("plain", "a", role="answer", tokens={"input_text": 1_000, "cache_read": 1_000})
    shared_ledger.tick()
    assert shared_ledger.components("plain") == {"visible": "0.0022"}


@pytest.fixture
def claim(request):
    """How much of a picture the seventh component claims."""
    return getattr(request, "param", "quantity")


@pytest.fixture
def seventh(tmp_path, monkeypatch, claim):
    """The schema files with one more component: output in pictures."""
    copied = shutil.copytree(files.root(), tmp_path / "schemas")
    (copied / "components/55_pictures.sql").write_text(
        "-- One row per unit of a call, review or pool: what was drawn.\n"
        f"SELECT\n    if(unit = 'output_image', {claim}, 0) AS claimed,\n    'drawn' AS sub_component\nFROM call_units\n"
    )
    monkeypatch.setattr(schema, "root", lambda: copied)
    schema.components.cache_clear()
    yield
    schema.components.cache_clear()


@pytest.mark.usefixtures("seventh")
def test_a_seventh_component_is_one_file(ledger):
    """It takes what it claims from those below it, and the sum holds."""
    ledger.call("t", "a", tokens={"input_text": 1_000, "output_image": 100})
    ledger.tick()
    row = ledger.trace("t")
    assert (ledger.components("t"), row["visible"] + row["pictures"]) == (
        {"pictures": "0.001", "visible": "0.002"},
        row["total"],
    )


@pytest.mark.usefixtures("seventh")
@pytest.mark.parametrize(
    ("claim", "pictures", "visible"),
    [("least(quantity, 30)", "0.0003", "0.0027"), ("quantity * 5", "0.001", "0.002"), ("-quantity", None, "0.003")],
    indirect=["claim"],
)
def test_a_component_may_claim_a_part(ledger, pictures, visible):
    """Those below it have the rest; of more than there is, it has all."""
    ledger.call("t", "a", tokens={"input_text": 1_000, "output_image": 100})
    ledger.tick()
    told = {"pictures": pictures, "visible": visible}
    assert ledger.components("t") == {name: amount for name, amount in told.items() if amount}
