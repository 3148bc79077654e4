"""Rating in SQL gives what the catalogue's own calculator gives, and says where a price is borrowed or missing."""

import json
import random
import runpy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot

from tokentrace_collector import files
from tokentrace_collector.prices import book, catalogue, rates, resolution
from tokentrace_collector.prices.book import Book
from tokentrace_collector.prices.pricelist import PriceList
from tokentrace_collector.reports import answers
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.tenants import Books

SOLD_BY = {
    "openai": "openai", "anthropic": "anthropic", "gcp.gemini": "google", "aws.bedrock": "aws", "mistral_ai": "mistral",
    "x_ai": "x-ai", "groq": "groq", "deepseek": "deepseek", "openrouter": "openrouter", "azure.ai.openai": "azure",
    "perplexity": "perplexity", "together": "together", "fireworks": "fireworks", "cerebras": "cerebras", "cohere": "cohere",
}  # fmt: skip
EPOCH = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
BUCKETS = {
    "input_text": (),
    "cache_read": ("cache_read_tokens",),
    "cache_write_5m": ("cache_write_tokens", "cache_write_5m_tokens"),
    "cache_write_30m": ("cache_write_tokens",),
    "cache_write_1h": ("cache_write_tokens", "cache_write_1h_tokens"),
    "tool_use_prompt": ("input_tool_tokens",),
    "output_text": (),
    "output_reasoning": ("output_reasoning_tokens",),
    "output_image": ("output_image_tokens",),
}


def usage(tokens, searches):
    """Our disjoint buckets as the catalogue's calculator wants them: totals with their parts inside."""
    said = {"input_tokens": 0, "output_tokens": 0, "web_searches": searches}
    for bucket, count in tokens.items():
        said["output_tokens" if bucket.startswith("output_") else "input_tokens"] += count
        for name in BUCKETS[bucket]:
            said[name] = said.get(name, 0) + count
    return genai_prices.Usage(**{name: count for name, count in said.items() if count})


def cases(count):
    """Calls of any model at any time in any context, of any size, and what the calculator says they cost."""
    chance = random.Random(20261120)
    models = [
        (name, provider, model)
        for name, seller in SOLD_BY.items()
        for provider in get_snapshot().providers
        if provider.id == seller
        for model in provider.models
        if provider.find_model(model.id) is model
    ]
    while count:
        name, provider, model = chance.choice(models)
        tier, context = chance.choice(list(catalogue.contexts(model).items()))
        at = timedelta(seconds=chance.randrange(-300 * 86400, 40 * 86400))
        size = chance.choice((3, 1_000, 150_000, 400_000))
        tokens = {
            bucket: chance.randrange(1, size) for bucket in chance.sample(sorted(BUCKETS), chance.randrange(1, 6))
        }
        searches = chance.randrange(4)
        try:
            expected = model.calc_price(
                usage(tokens, searches), provider, genai_request_timestamp=EPOCH + at, price_context=context
            )
        except ValueError:
            continue  # Units that overlap without a common price: the calculator declines.
        count -= 1
        yield {"model": model.id, "provider": name, "at": at.total_seconds(), "tokens": tokens,
               "meters": {"web_search": searches}, "said": {"tokentrace.billing.service_tier": tier}}, expected.total_price  # fmt: skip


def allowed(expected, call):
    """A price that does not end, or has the noise of a float, is rounded to 18 places before it is multiplied."""
    ends = expected.normalize().as_tuple().exponent >= -18
    return Decimal("1e-15") if ends else sum(call["tokens"].values()) * Decimal("5e-19")


def test_rating_equals_the_calculator_of_the_catalogue(ledger):
    """Twenty thousand calls at random: every tier, time of day, context and borrowed price."""
    wanted = {}
    for number, (call, expected) in enumerate(cases(20_000)):
        wanted[f"{number:032x}"] = (expected, call)
        ledger.call(f"{number:032x}", "a", **call)
    ledger.tick()
    found = {
        row["trace_id"]: row
        for row in ledger.store.query("SELECT trace_id, total, tokens_covered, tokens_total FROM call_costs FINAL")
    }
    wrong = {
        trace: (found[trace], expected, call)
        for trace, (expected, call) in wanted.items()
        if abs(found[trace]["total"] - expected) > allowed(expected, call)
    }
    assert not wrong


def test_a_run_says_how_many_calls_it_could_not_price(ledger):
    """Again for each run that touches them, and never those whose cost a trusted provider told."""
    ledger.call("t", "a", model="nobody-knows", tokens={"input_text": 10, "output_text": 5})
    ledger.call("t", "b", tokens={"input_text": 10})
    ledger.arrive()
    assert ledger.rollup.tick().unpriced == 1
    assert ledger.rollup.tick().unpriced == 0
    assert ledger.rollup.rebuild().unpriced == 1


def test_an_unknown_model_is_not_free(ledger):
    """Its amounts are NULL, its lines unpriced, its tokens not covered."""
    ledger.call("t", "a", model="no-such-model", tokens={"input_text": 10, "output_text": 5})
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["lines.amount"], cost["lines.status"]) == ([None, None], ["unpriced", "unpriced"])
    assert (ledger.trace("t")["tokens_covered"], ledger.trace("t")["tokens_total"], ledger.trace("t")["coverage"]) == (
        0,
        15,
        0,
    )


def test_an_unknown_model_costs_null_in_every_table_of_lines(ledger):
    """An hour of it is not free either, nor is its span in a report."""
    ledger.call("t", "a", model="no-such-model", tokens={"input_text": 10})
    ledger.tick()
    hours = ledger.store.query("SELECT status, amount, list_cost, contracted_cost FROM tcoai_by_hour FINAL")
    assert hours == [{"status": "unpriced", "amount": None, "list_cost": None, "contracted_cost": None}]
    assert ledger.store.query("SELECT amount FROM cost_lines") == [{"amount": None}]
    assert answers.request(Books(ledger.store), "t")["spans"][0]["cost"] is None


@pytest.mark.parametrize("provider", ["vllm", "ollama", "self_hosted"])
def test_a_model_of_ones_own_has_no_price_by_its_name(ledger, provider):
    """A self-hosted model is never rated like the API of the same name."""
    ledger.call("t", "a", provider=provider, model="gpt-6-sol", tokens={"input_text": 10})
    ledger.tick()
    assert ledger.call_cost("t", "a")["lines.status"] == ["unpriced"]


def test_an_unbilled_call_is_free_and_covered(ledger):
    """Free is a price."""
    ledger.call("t", "a", tokens={"input_text": 10}, said={"tokentrace.usage.billable": "false"})
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["lines.amount"], cost["lines.status"], ledger.trace("t")["coverage"]) == ([Decimal(0)], ["free"], 1)


def test_a_borrowed_price_is_charged_but_not_covered(ledger):
    """A cache write of twelve hours has no price of its own: it is rated like the default one, and says so."""
    ledger.call("t", "a", tokens={"cache_write_12h": 100_000})
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["lines.status"]) == (Decimal("0.25"), ["fallback"])
    assert (cost["rates_covered"], cost["rates_total"]) == (0, 1)


def test_a_tier_of_service_without_a_price_is_rated_as_standard_but_not_covered(ledger):
    """The catalogue knows no tier of that name."""
    ledger.call("t", "a", tokens={"input_text": 100_000}, said={"tokentrace.billing.service_tier": "warp"})
    ledger.tick()
    assert (ledger.call_cost("t", "a")["total"], ledger.call_cost("t", "a")["lines.status"]) == (
        Decimal("0.2"),
        ["fallback"],
    )


def test_a_price_book_vouches_for_the_prices_it_names_only(ledger):
    """The rest of a tier that the catalogue does not know is still borrowed from standard service."""
    ledger.priced_by("version: 1\nrates: [{provider: openai, model: 'gpt-6*', prices: {output_text: 5}}]")
    tokens = {"input_text": 10, "output_reasoning": 10, "output_text": 10}
    ledger.call("t", "a", tokens=tokens, said={"tokentrace.billing.service_tier": "warp"})
    ledger.call("t", "b", tokens=tokens)
    ledger.tick()
    borrowed, own = ledger.call_cost("t", "a"), ledger.call_cost("t", "b")
    assert dict(zip(borrowed["lines.unit"], borrowed["lines.status"], strict=True)) == {
        "input_text": "fallback", "output_reasoning": "priced", "output_text": "priced",
    }  # fmt: skip
    assert set(own["lines.status"]) == {"priced"}


def test_a_price_book_lies_over_the_edition_of_its_run(ledger, monkeypatch):
    """A change of price that another edition of the catalogue knew of does not outlive it."""
    agreed = "version: 1\nrates: [{provider: openai, model: 'gpt-6*', prices: {output_text: 5}}]"
    ledger.call("t", "a", tokens={"input_text": 1_000})
    known = catalogue.price_lists
    with monkeypatch.context() as wrong:
        wrong.setattr(catalogue, "EDITION", "genai-prices with a mistake")
        wrong.setattr(
            catalogue,
            "price_lists",
            lambda model, context: [*known(model, context), PriceList(EPOCH, {"input_text": (Decimal(7),)})],
        )
        wrong.setattr(rates, "_catalogue", lambda: iter(()))
        ledger.priced_by(agreed).tick()
        assert ledger.trace("t")["total"] == 7_000
    ledger.priced_by(agreed).tick()
    assert ledger.trace("t")["total"] == Decimal("0.002")


@pytest.fixture
def mapped(monkeypatch, tmp_path):
    """Lets another provider be sold under the name of one that the catalogue has."""
    shipped, schemas = files.root(), tmp_path / "schemas"
    copytree(shipped, schemas)

    def change(alias):
        path = schemas / "registry" / "providers.yaml"
        path.write_text(path.read_text().replace("{name: openai, aliases: [", f"{{name: openai, aliases: [{alias}, "))
        monkeypatch.setattr(files, "root", lambda: schemas)
        resolution._catalogue_names.cache_clear()

    yield change
    resolution._catalogue_names.cache_clear()


def test_another_mapping_of_providers_is_another_rating_run(ledger, mapped):
    """What no price was known for is rated, when the provider becomes known."""
    ledger.call("t", "a", provider="reseller", tokens={"input_text": 1_000})
    ledger.tick()
    assert ledger.call_cost("t", "a")["lines.status"] == ["unpriced"]
    mapped("reseller")
    Rollup(ledger.store).tick()
    assert ledger.call_cost("t", "a")["lines.status"] == ["priced"]


@pytest.mark.parametrize("module", [book, resolution])
def test_other_rules_of_matching_are_another_rating_run(store, monkeypatch, tmp_path, module):
    """A release that finds prices otherwise does not leave half of the figures to the one before."""
    monkeypatch.setattr(rates, "_catalogue", lambda: iter(()))
    before = rates.load(store, Book())
    assert rates.load(store, Book()) == before
    path = Path(module.__file__)
    changed = tmp_path / path.name
    changed.write_bytes(path.read_bytes() + b"# Changed.\n")
    monkeypatch.setattr(module, "__file__", str(changed))
    assert rates.load(store, Book()).id != before.id


def test_a_catalogue_that_is_read_otherwise_is_another_edition(tmp_path):
    """Or prices that were stored by other rules would stay."""
    changed, path = tmp_path / "catalogue.py", Path(catalogue.__file__)
    changed.write_bytes(path.read_bytes() + b"# Changed.\n")
    assert runpy.run_path(str(path))["EDITION"] == catalogue.EDITION != runpy.run_path(str(changed))["EDITION"]


def test_other_reporters_to_trust_are_another_rating_run(store, monkeypatch):
    """Also where no book names them, but a release has others."""
    monkeypatch.setattr(rates, "_catalogue", lambda: iter(()))
    assert rates.load(store, Book()).id != rates.load(store, Book(trust_reported=())).id


def test_an_hour_of_audio_divides_last(ledger):
    """61.5 seconds at a price per hour: one rounding, half to even, at the eighteenth place."""
    ledger.priced_by("version: 1\nrates: [{provider: mine, prices: {audio_seconds: 0.0000025}}]")
    ledger.call("t", "a", provider="mine", model="ears", meters={"audio_seconds": "61.5"})
    ledger.tick()
    assert ledger.call_cost("t", "a")["total"] == Decimal("0.00015375")


def reported(cost, by):
    return {"tokentrace.cost.reported": cost, "tokentrace.cost.currency": "USD", "tokentrace.cost.reporter": by}


def test_a_trusted_provider_is_taken_at_its_word(ledger):
    """Its cost is spread over the lines as the catalogue weighs them, to the last unit; list prices stay."""
    ledger.priced_by("version: 1\ntrust_reported: [openai]")
    ledger.call(
        "t",
        "a",
        tokens={"input_text": 1_000, "output_text": 100, "output_reasoning": 100},
        said=reported("0.001", "openai"),
    )
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["list_cost"], set(cost["lines.status"])) == (
        Decimal("0.001"),
        Decimal("0.004"),
        {"reported"},
    )
    assert cost["lines.amount"] == [Decimal("0.0005"), Decimal("0.00025"), Decimal("0.00025")]


def test_what_an_untrusted_provider_says_it_cost_is_kept_and_not_used(ledger):
    """A library that multiplies prices is no bill."""
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=reported("99", "openai"))
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["reported_cost"], cost["cost_reporter"]) == (Decimal("0.002"), Decimal(99), "openai")


@pytest.mark.parametrize(
    ("trusted", "reporter", "total"),
    [
        ("[litellm]", "litellm", "99"),
        ("[openai, openrouter]", "litellm", "0.002"),
        ("[litellm]", "openai", "0.002"),
        ("[openai]", "", "0.002"),
    ],
)
def test_it_is_the_reporter_who_is_trusted(ledger, trusted, reporter, total):
    """Whoever answered: what a gateway makes of the prices of a provider is not the word of that provider."""
    ledger.priced_by(f"version: 1\ntrust_reported: {trusted}")
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=reported("99", reporter))
    ledger.tick()
    assert ledger.trace("t")["total"] == Decimal(total)


@pytest.mark.parametrize("reporter", ["openrouter", "x_ai"])
def test_who_says_what_it_bills_is_trusted_without_being_asked_to(ledger, reporter):
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=reported("0.5", reporter))
    ledger.tick()
    assert ledger.trace("t")["total"] == Decimal("0.5")


PARTS = [
    {"kind": "model", "model": "gpt-6-sol", "buckets": {"input_text": 1000}},
    {"kind": "model", "model": "gpt-6-sol", "buckets": {"input_text": 2000}},
]


def in_parts(*parts, flags='["main_is_sum_of_parts"]'):
    return {"tokentrace.usage.parts": json.dumps(parts), "tokentrace.usage.flags": flags}


def exact(*amounts):
    return list(map(Decimal, amounts))


def totals(ledger, parts):
    """What the parts of a call cost, and what that is as the price lists have it."""
    costs = [ledger.call_cost("t", "a", part) for part in range(parts)]
    assert all(cost["total"] == sum(cost["lines.amount"]) for cost in costs)
    return [cost["total"] for cost in costs], [cost["list_cost"] for cost in costs]


def test_parts_share_the_cost_of_their_call(ledger):
    """The provider says what all of it cost; its parts weigh as the catalogue has it, to the last unit."""
    ledger.priced_by("version: 1\ntrust_reported: [openai]")
    said = in_parts(*PARTS) | reported("0.000000000000000005", "openai")
    ledger.call("t", "a", tokens={"input_text": 3_000}, said=said)
    ledger.tick()
    assert totals(ledger, 3) == (exact("0", "2e-18", "3e-18"), exact("0", "0.002", "0.004"))


def test_parts_beside_a_call_share_its_cost_too(ledger):
    """What was billed for the answer was billed for all of it."""
    ledger.priced_by("version: 1\ntrust_reported: [openai]")
    said = in_parts(PARTS[1], flags="[]") | reported("0.03", "openai")
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=said)
    ledger.tick()
    assert totals(ledger, 2) == (exact("0.01", "0.02"), exact("0.002", "0.004"))


def test_parts_cost_what_they_cost_where_nobody_trusts_the_whole(ledger):
    ledger.call("t", "a", tokens={"input_text": 3_000}, said=in_parts(*PARTS) | reported("9", "claude_code"))
    ledger.tick()
    assert totals(ledger, 3)[0] == exact("0", "0.002", "0.004")


def test_a_cost_of_parts_that_used_nothing_is_that_of_a_request(ledger):
    ledger.priced_by("version: 1\ntrust_reported: [claude_code]")
    empty = {"kind": "model", "model": "gpt-6-sol", "buckets": {}}
    ledger.call("t", "a", said=in_parts(empty, empty) | reported("0.25", "claude_code"))
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["bearing"], cost["lines.unit"]) == (Decimal("0.25"), 1, ["requests"])


@pytest.mark.parametrize(("reporter", "total"), [("x_ai", "0.3"), ("litellm", "0.002")])
def test_a_cost_that_is_told_with_a_later_reading_is_that_of_the_call(ledger, reporter, total):
    """As of a deferred answer: where it was asked for, nobody knew it yet."""
    said = {"gen_ai.response.id": "deferred_completion_1"}
    ledger.call("t", "a", said=said)
    read = said | {"tokentrace.usage.scope": "retrieve"} | reported("0.3", reporter)
    ledger.call("other", "b", tokens={"input_text": 1_000}, said=read, at=60)
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["reported_cost"], cost["cost_reporter"]) == (Decimal(total), Decimal("0.3"), reporter)
    assert ledger.trace("other")["total"] == 0


@pytest.mark.parametrize("tokens", [{"input_text": 2, "output_text": 1}, {"input_text": 0}, {}])
@pytest.mark.parametrize("meters", [{}, {"web_search": 0}])
def test_a_reported_cost_prices_what_no_catalogue_knows(ledger, tokens, meters):
    """By quantity; and where nothing was counted, as one request."""
    ledger.call(
        "t",
        "a",
        provider="openrouter",
        model="new/model",
        tokens=tokens,
        meters=meters,
        said=reported("0.000000000000000002", "openrouter"),
    )
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], sum(cost["lines.amount"]), cost["rates_covered"]) == (
        Decimal("2e-18"),
        Decimal("2e-18"),
        cost["rates_total"],
    )
