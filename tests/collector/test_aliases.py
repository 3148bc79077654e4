"""Aliases of a price book: a name that calls carry leads to the one whose price is known."""

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace_collector.prices.aliases import Name, known_as
from tokentrace_collector.prices.book import BookError, parse


def book(*aliases, **sections):
    more = "".join(f"{name}: {text}\n" for name, text in sections.items())
    return "version: 1\n" + more + "aliases:\n" + "".join(f"  - {{{alias}}}\n" for alias in aliases)


@pytest.mark.parametrize(
    ("aliases", "provider", "model"),
    [
        (["provider: gateway, to: openai"], "gateway", "gpt-6-sol"),
        (["provider: gateway, to: {provider: openai}"], "gateway", "gpt-6-sol"),
        (["model: house, to: gpt-6-sol"], "openai", "house"),
        (["provider: gateway, model: house, to: {provider: openai, model: gpt-6-sol}"], "gateway", "house"),
        (['model: "prod-*", to: "*"'], "openai", "prod-prod-gpt-6-sol"),
        (['model: "*-eu", to: "*"'], "openai", "gpt-6-sol-eu"),
        (['model: "house*", to: gpt-6-sol'], "openai", "house-of-cards"),
        (["provider: a, to: b", "provider: b, to: openai", "model: x, to: y", "model: y, to: gpt-6-sol"], "a", "x"),
    ],
)
def test_a_call_costs_what_it_is_another_name_of(ledger, aliases, provider, model):
    """Through as many names as there are; and it keeps its own in every figure."""
    ledger.call("t", "a", provider=provider, model=model, tokens={"input_text": 1_000})
    ledger.tick()
    assert ledger.call_cost("t", "a")["lines.status"] == ["unpriced"]
    ledger.priced_by(book(*aliases)).tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["lines.status"]) == (Decimal("0.002"), ["priced"])
    assert (cost["provider"], cost["model"]) == (provider, model)


def test_the_rest_of_the_book_speaks_of_the_name_that_is_known(ledger):
    ledger.priced_by(
        book(
            "provider: gateway, to: openai",
            "model: ours, to: qwen",
            rules="[{id: a, match: {provider: openai}, discount: 0.5}]",
            rates="[{model: qwen, prices: {input_text: 3}}]",
        )
    )
    ledger.call("t", "a", provider="gateway", tokens={"input_text": 1_000})
    ledger.call("t", "b", provider="vllm", model="ours", tokens={"input_text": 1_000})
    ledger.tick()
    assert [ledger.call_cost("t", span)["total"] for span in "ab"] == [Decimal("0.001"), Decimal("0.003")]


def test_an_alias_of_another_provider_is_none_of_this_one(ledger):
    ledger.priced_by(book("provider: azure.ai.openai, model: house, to: gpt-6-sol"))
    ledger.call("t", "a", model="house", tokens={"input_text": 1_000})
    ledger.tick()
    assert ledger.call_cost("t", "a")["lines.status"] == ["unpriced"]


@pytest.mark.parametrize(
    ("aliases", "message"),
    [
        (["to: x"], "Line 3: An alias of everything names nothing. Name a provider, a model or both."),
        (["provider: x"], "Line 3: The entry 'to' is missing."),
        (["provider: x, to: {}"], "Line 3: An alias to nothing renames nothing. Name what the catalogue or a rate knows."),
        (['model: "a*b*", to: c'], "Line 3: 'a*b*' to 'c' cannot be followed. Write one `*` in `model`, and one in `to`."),
        (['model: a, to: "b*"'], "Line 3: 'a' to 'b*' cannot be followed."),
        (['provider: "a*", to: b'], "Line 3: An alias has the whole name of a provider. Leave `provider` out for all of them."),
        (["model: a, to: b", "model: b, to: a"], "Line 3: The alias of 'a' leads back to itself. Name what the catalogue or a rate knows."),
        (["model: c, to: a", "provider: p, model: a, to: b", "model: b, to: a"], "Line 4: The alias of 'p a' leads back to itself."),
        (["provider: a, to: b", "provider: b, to: a"], "Line 3: The alias of 'a' leads back to itself."),
        (['model: "a*", to: "*"', "model: b, to: aab"], "Line 4: The alias of 'b' leads back to itself."),
        (['model: "gpt*", to: "gpt-6*"'], "Line 3: The alias of 'gpt*' leads back to itself."),
    ],
)  # fmt: skip
def test_an_alias_that_cannot_be_meant_is_refused_where_it_stands(aliases, message):
    with pytest.raises(BookError) as refused:
        parse(book(*aliases))
    assert message in str(refused.value)


names = st.text("ab", min_size=1, max_size=3)
patterns = st.tuples(st.text("ab", max_size=2), st.sampled_from(["", "*"]), st.text("ab", max_size=2)).map("".join)
pairs = st.tuples(
    st.sampled_from(["", "p", "q"]), patterns.filter(bool), patterns.filter(bool), st.sampled_from(["", "p", "q"])
)


@settings(max_examples=500, deadline=2_000)
@given(st.lists(pairs, min_size=1, max_size=4), st.sampled_from("pq"), names)
def test_a_chain_that_is_not_refused_comes_to_an_end(told, provider, model):
    """Where no alias has another name for what was found."""
    lines = [
        (f"provider: {seller}, " if seller else "") + f'model: "{one}", to: {{model: "{other}"' + (f", provider: {to}}}" if to else "}")
        for seller, one, other, to in told
    ]  # fmt: skip
    try:
        aliases = parse(book(*lines)).aliases
    except BookError:
        return
    found = known_as(Name(provider, model), aliases)
    assert [each.of(found) for each in aliases] == [None] * len(aliases)
