"""What models behind an API took of energy and carbon, as a library estimates it, asked of a store and of a collector."""

import json
import math
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from click.testing import CliRunner
from ecologits.electricity_mix_repository import electricity_mixes
from ecologits.model_repository import models
from ecologits.tracers.utils import llm_impacts
from hypothesis import given, strategies as some

from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.prices.aliases import Name
from tokentrace_collector.reports import footprint
from tokentrace_collector.reports.energy import Question, energy
from tokentrace_collector.reports.footprint import Library, Slope
from tokentrace_collector.reports.model_names import candidates
from tokentrace_collector.tenants import Books

DAY = 86_400
BOOK = """
version: 1
aliases: [{model: fast, to: {provider: openai, model: gpt-6-sol}}]
gpu_pools: [{id: own, hourly_cost: 3, match: {provider: vllm}}]
"""
BEDROCK = "us.anthropic.claude-sonnet-5-5-v1:0"
KINDS = ("kwh", "co2e_grams", "hardware_co2e_grams")


def fill(ledger):
    """Two days of calls: of models that the library knows, of one that it does not, and of a machine of one's own."""
    ledger.priced_by(BOOK)
    ledger.call("a", "s", tokens={"input_text": 9_000, "output_text": 300, "output_reasoning": 700})
    # What was told twice is one call.
    ledger.call("a", "agent", said={"tokentrace.usage.scope": "aggregate"}, tokens={"output_text": 1_000})
    ledger.call("a", "of a", "agent", tokens={"output_text": 500})
    ledger.call("b", "s", provider="aws.bedrock", model=BEDROCK, at=DAY, tokens={"output_text": 2_000})
    ledger.call("c", "s", provider="gateway", model="fast", at=DAY, tokens={"output_text": 100})
    ledger.call("d", "s", provider="groq", model="llama-x", at=DAY, tokens={"input_text": 7, "output_text": 4_000})
    ledger.call("e", "s", provider="vllm", model="own", at=DAY, tokens={"output_text": 60})
    ledger.call("f", "s", tenant="other", tokens={"output_text": 1})
    ledger.call("g", "s", at=DAY, said={"tokentrace.usage.source": "missing"})
    ledger.span("later", "x", at=3 * DAY)
    ledger.tick()
    return ledger


@pytest.fixture(scope="module")
def books(fresh_ledger):
    return Books(fill(fresh_ledger()).store)


def directly(provider, model, *answers, zone=None):
    """The ends of what the library itself says of answers, each by itself."""
    told = [llm_impacts(provider, model, tokens, math.inf, zone) for tokens in answers]
    found = [(each.energy.value, each.usage.gwp.value, each.embodied.gwp.value) for each in told]
    ends = [[(getattr(one, "min", one), getattr(one, "max", one)) for one in each] for each in found]
    return [
        [sum(each[kind][end] for each in ends) * units for end in (0, 1)] for kind, units in enumerate((1, 1000, 1000))
    ]


def told(one):
    return [[float(one[kind][end]) for end in ("min", "max")] for kind in KINDS]


def near(figures):
    return [pytest.approx(pair, rel=1e-10) for pair in figures]


def test_the_figures_are_those_of_the_library(books):
    """A reasoning answer of 1,000 tokens and one of 500, each with its own time to the first token."""
    (first, _) = energy(books, Question("day"))
    (model,) = first["models"]
    assert told(model) == near(directly("openai", "gpt-6-sol", 1_000, 500))
    assert (model["calls"], model["answers"], model["tokens"], model["zone"]) == (2, 2, 1_500, "USA")
    assert (model["estimated_as"], len(model["warnings"])) == (["openai", "gpt-6-sol"], 2)
    assert (first["basis"], first["version"], first["period"][:10]) == ("ecologits", "0.11.3", "2026-11-20")


def test_names_of_sellers_and_aliases_lead_to_the_model(books):
    (whole,) = energy(books, Question())
    found = {(each["provider"], each["model"]): each for each in whole["models"]}
    assert {name: each["estimated_as"] for name, each in found.items()} == {
        ("openai", "gpt-6-sol"): ["openai", "gpt-6-sol"],
        ("aws.bedrock", BEDROCK): ["anthropic", "claude-sonnet-5-5"],
        ("gateway", "fast"): ["openai", "gpt-6-sol"],
    }
    assert told(found["aws.bedrock", BEDROCK]) == near(directly("anthropic", "claude-sonnet-5-5", 2_000))
    assert told(found["gateway", "fast"]) == near(directly("openai", "gpt-6-sol", 100))


def test_what_the_library_does_not_know_is_listed_and_counts_for_nothing(books):
    (whole,) = energy(books, Question())
    assert whole["unknown"] == [
        {"provider": "groq", "model": "llama-x", "calls": 1, "uncounted_calls": 0, "tokens": 4_000}
    ]
    assert (whole["tokens"], whole["calls"]) == ({"known": 3_600, "of": 7_600}, {"known": 4, "of": 6})
    assert whole["pools"] == {"calls": 1, "tokens": 60}
    for kind in KINDS:
        assert Decimal(whole[kind]["max"]) == sum(Decimal(each[kind]["max"]) for each in whole["models"])


def test_a_call_of_which_nobody_says_what_it_wrote_is_not_known(books):
    (_, second) = energy(books, Question("day"))
    (silent,) = [each for each in second["models"] if each["provider"] == "openai"]
    assert (silent["calls"], silent["uncounted_calls"], silent["answers"], silent["kwh"]["max"]) == (1, 1, 0, "0")


@pytest.mark.parametrize("per", ["day", "month"])
def test_periods_add_up_to_the_whole(books, per):
    (whole,), parts = energy(books, Question()), energy(books, Question(per))
    assert [[sum(Decimal(each[kind][end]) for each in parts) for end in ("min", "max")] for kind in KINDS] == [
        [Decimal(whole[kind][end]) for end in ("min", "max")] for kind in KINDS
    ]


counts = some.integers(0, 2**53)


@given(some.lists(some.tuples(counts, counts), min_size=1))
def test_however_calls_are_divided_their_sum_is_the_same(parts):
    slope = Slope(Decimal("0.0000241250000001"), Decimal("1.36252549510E-7"))
    answers, tokens = (sum(each) for each in zip(*parts, strict=True))
    assert sum(Fraction(slope.of(*each)) for each in parts) == Fraction(slope.of(answers, tokens))


def test_every_model_of_the_library_is_a_straight_line():
    """So that an estimate of a sum is the sum of estimates: held against the library, answer by answer."""
    library, bent = Library(None), []
    for model in models.list_models():
        name = Name(model.provider.value, model.name)
        found = library.footprint([name])
        ours = [
            [float(slope.of(2, 80_007)) for slope in span] for span in (found.kwh, found.grams, found.hardware_grams)
        ]
        if ours != near(directly(*name, 7, 80_000)):
            bent.append(name)
    assert bent == []


def test_a_zone_is_the_electricity_and_not_the_energy(books):
    ((here,), (france,)) = (energy(books, Question(zone=zone)) for zone in (None, "FRA"))
    assert (here["kwh"], here["hardware_co2e_grams"]) == (france["kwh"], france["hardware_co2e_grams"])
    grams = electricity_mixes.find_electricity_mix("FRA").gwp * 1_000
    assert float(france["co2e_grams"]["max"]) == pytest.approx(float(france["kwh"]["max"]) * grams)
    assert {each["zone"] for each in france["models"]} == {"FRA"}


@pytest.mark.parametrize(
    ("provider", "model", "known"),
    [
        ("openai", "gpt-6-sol-2026-10-01", "openai/gpt-6-sol"),
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::x", "openai/gpt-4o-mini-2024-07-18"),
        ("azure", "gpt-35-turbo", "openai/gpt-35-turbo"),
        ("google", "models/gemini-3.5-flash", "google_genai/gemini-3.5-flash"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google_genai/gemini-2.5-pro"),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5-20250929"),
        ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4-5-20250929"),
        (
            "bedrock",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1:0",
            "anthropic/claude-opus-4-6",
        ),
        ("openrouter", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("github_models", "openai/gpt-4.1", "openai/gpt-4.1"),
        ("azure_ai", "mistral-large-2512", "mistralai/mistral-large-2512"),
        ("mistral", "mistral-medium-3.5", "mistralai/mistral-medium-3.5"),
        ("hf", "openai/gpt-oss-120b", "huggingface_hub/openai/gpt-oss-120b"),
        ("", "claude-haiku-5-5", "anthropic/claude-haiku-5-5"),
        # Other chips, other machines, and a name that only looks like one.
        ("cerebras", "gpt-oss-120b", None),
        ("self_hosted", "gpt-6-sol", None),
        ("openai", "gpt-6", None),
        ("openai", "", None),
    ],
)
def test_a_model_is_known_by_many_names_and_never_by_anothers(provider, model, known):
    found = Library(None).footprint(candidates(Name(provider, model)))
    assert (found and "/".join(found.name)) == known


def run(*arguments):
    return CliRunner().invoke(tokentrace, ["energy", *arguments], env={"COLUMNS": "160"})


@pytest.mark.parametrize("way", ["store", "collector"])
def test_it_is_listed_for_people_and_for_programs(books, led, way):
    with led(books._tables, way) as options:
        drawn = run("--per", "day", "--until", "2026-11-21", *options)
        listed = [json.loads(line) for line in run("--json", "--zone", "WOR", *options).stdout.splitlines()]
        marked = run(*options)
    lines = [re.split("  +", line.strip()) for line in drawn.stdout.splitlines()]
    assert lines == [
        ["since", "provider", "model", "calls", "output tokens", "kWh", "g CO2e", "g CO2e hardware"],
        ["2026-11-20", "openai", "gpt-6-sol", "2", "1,500", "0.00209 - 0.00331", "0.804 - 1.27", "0.0628"],
        ["2026-11-20", "all", "2", "1,500", "0.00209 - 0.00331", "0.804 - 1.27", "0.0628"],
    ]
    assert "ecologits 0.11.3" in drawn.stderr
    assert listed == energy(books, Question(zone="WOR"))
    assert ("groq" in marked.stdout, "unknown" in marked.stdout, "≥" in marked.stdout) == (True, True, True)
    said = ("47.3 % of the tokens", "how much they wrote: 1.", "your own capacity served: 1;")
    assert [each in marked.stderr for each in said] == [True, True, True]


@pytest.mark.parametrize("way", ["store", "collector"])
def test_a_zone_nobody_knows_is_refused_with_those_that_are_known(books, led, way):
    with led(books._tables, way) as options:
        answer = run("--zone", "EU", *options)
    assert (answer.exit_code, "The zone 'EU' is unknown. Known: ABW, AFG, " in answer.stderr) == (2, True)


@pytest.mark.parametrize("way", ["store", "collector"])
def test_without_the_extra_it_says_how_to_install_it(books, led, way, monkeypatch):
    monkeypatch.setitem(sys.modules, "ecologits", None)
    footprint._modules.cache_clear()
    with led(books._tables, way) as options:
        answer = run(*options)
    assert (answer.exit_code, "pip install 'tokentrace[energy]'" in answer.stderr) == (2, True)


def test_a_store_without_calls_says_so(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run(*options)
    assert (answer.exit_code, answer.stdout, "No call is in the books" in answer.stderr) == (0, "", True)


def test_the_library_is_asked_late_makes_no_logger_its_own_and_says_nothing_by_itself():
    script = """
import logging, sys
from tokentrace_collector.cli import energy
from tokentrace_collector.reports.footprint import Library, Name
before = "ecologits" in sys.modules
Library(None).footprint([Name("openai", "gpt-6-sol")])
print(before, type(logging.getLogger("of nobody")).__name__)
"""
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (answer.stdout.split(), answer.stderr) == (["False", "Logger"], "")
