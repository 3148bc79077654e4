"""The latest requests are found in the latest days first, and are the same as if all had been looked through."""

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings, strategies as st

from tokentrace_collector.reports import answers
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.tenants import Books

BEGAN = datetime(2026, 11, 20, 23, 59, 58, tzinfo=UTC)
COLUMNS = ["tenant", "day", "trace_id", "started_at", "team", "version", "is_deleted"]
_tenants = (f"finding-{number}" for number in count())

KEPT = st.fixed_dictionaries({
    "day": st.integers(0, 3),
    "second": st.integers(0, 3),
    "team": st.sampled_from(["search", "shop"]),
    # What began later once, and what is gone.
    "moved": st.integers(0, 2),
    "gone": st.booleans(),
})  # fmt: skip
TRACES = st.dictionaries(st.sampled_from([f"{name}{name}" for name in "abcdefghijkl"]), KEPT, min_size=1)
WANTED = st.fixed_dictionaries({
    "limit": st.integers(1, 3),
    "team": st.sampled_from(["", "search"]),
    "trace_id": st.sampled_from(["", "", "a", "cc"]),
    "since": st.none() | st.builds(lambda days: BEGAN + timedelta(days=days), st.integers(-1, 4)),
    "until": st.none() | st.builds(lambda days: BEGAN + timedelta(days=days), st.integers(-1, 4)),
})  # fmt: skip


def began(kept):
    return BEGAN + timedelta(days=kept["day"], seconds=kept["second"])


def versions(trace_id, kept):
    """The rows that a rollup leaves of a trace, one of each time that it looked at it."""
    for days in range(kept["moved"], 0, -1):
        later = began(kept) + timedelta(days=days)
        for version, is_deleted in ((2 * days, 0), (2 * days + 1, 1)):
            yield later.date(), trace_id, later, kept["team"], version, is_deleted
    for version, is_deleted in ((10, 0), (11, kept["gone"])):
        yield began(kept).date(), trace_id, began(kept), kept["team"], version, is_deleted


def matching(traces, wanted):
    return [
        trace_id
        for trace_id, kept in sorted(sorted(traces.items()), key=lambda each: began(each[1]), reverse=True)
        if not kept["gone"]
        and wanted["team"] in {"", kept["team"]}
        and trace_id.startswith(wanted["trace_id"])
        and (wanted["since"] is None or began(kept) >= wanted["since"])
        and (wanted["until"] is None or began(kept) < wanted["until"])
    ]


@settings(deadline=None, max_examples=30)
@given(traces=TRACES, wanted=WANTED)
def test_the_latest_are_found_wherever_they_are(shared_ledger, traces, wanted):
    tenant = next(_tenants)
    rows = [(tenant, *version) for trace_id, kept in traces.items() for version in versions(trace_id, kept)]
    shared_ledger.store.insert("tcoai_by_trace", COLUMNS, list(zip(*rows, strict=True)))
    found = answers.requests(Books(shared_ledger.store, tenant), Filter(**wanted))
    assert [each["trace_id"] for each in found] == matching(traces, wanted)[: wanted["limit"]]


def test_a_whole_id_is_one_request_and_no_other_tenants(shared_ledger):
    mine, other = next(_tenants), next(_tenants)
    whole, longer = "f" * 32, "f" * 33
    kept = {"day": 0, "second": 0, "team": "shop", "moved": 1, "gone": False}
    rows = [(mine, *each) for name in (whole, longer) for each in versions(name, kept)]
    shared_ledger.store.insert("tcoai_by_trace", COLUMNS, list(zip(*rows, strict=True)))
    reports = [answers.request(Books(shared_ledger.store, tenant), whole) for tenant in (mine, other)]
    assert [report and report["trace_id"] for report in reports] == [whole, None]
