"""Prices of several sources, compared by the day; other catalogues than the installed one; price files of LiteLLM."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tokentrace_collector.prices import book, catalogue, difference, edition, litellm
from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.prices.listing import ALWAYS, Listing, Step, of_catalogue
from tokentrace_collector.rollup.orders import Repricing

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
PLACE = ("openai", "gpt-6", "", "input_text")


def model(name="gpt-6-sol", **prices):
    return {"id": name, "match": {"equals": name}, "prices": prices}


def file(*models):
    provider = {"id": "openai", "name": "OpenAI", "api_pattern": "https://api\\.openai\\.com", "models": list(models)}
    return json.dumps([provider]).encode()


def listing(*steps, is_dated=True, place=PLACE):
    return Listing({place: [Step(since, cells) for since, cells in steps]}, is_dated)


def plain(price):
    return {(0, 0): Decimal(price)}


def told(found):
    return [
        (each["valid_from"][:10], each["valid_to"] and each["valid_to"][:10], each["before"], each["after"])
        for each in found
    ]


def test_two_sources_differ_from_one_day_to_another():
    one = listing((ALWAYS, plain(3)), (JUNE, plain(2)))
    other = listing((ALWAYS, plain(3)), (MAY, plain(2)))
    assert told(difference.differences(one, other, NOW)) == [("2026-05-01", "2026-06-01", "3", "2")]
    assert difference.differences(one, one, NOW) == []


def test_what_one_of_them_does_not_know_is_a_difference():
    gone = listing((ALWAYS, plain(3)), (JULY, {}))
    assert told(difference.differences(listing((ALWAYS, plain(3))), gone, NOW)) == [("2026-07-01", None, "3", None)]
    nothing = Listing({})
    assert told(difference.differences(nothing, gone, NOW)) == [("1970-01-01", "2026-07-01", None, "3")]
    assert difference.differences(nothing, gone, NOW, shared=True) == []


def test_a_tier_that_only_one_of_them_has_is_compared_with_what_the_other_charges_there():
    tiered = listing((ALWAYS, {(0, 0): Decimal(3), (0, 200_000): Decimal(6)}))
    (found,) = difference.differences(listing((ALWAYS, plain(3))), tiered, NOW)
    assert (found["above_tokens"], found["before"], found["after"]) == (200_000, "3", "6")


def test_a_time_of_day_that_only_one_of_them_has_is_compared_likewise():
    nightly = listing((ALWAYS, {(0, 0): Decimal(3), (3600, 0): Decimal(1), (3600, 9): Decimal(2)}))
    found = difference.differences(listing((ALWAYS, plain(3))), nightly, NOW)
    assert [(each["from_second"], each["above_tokens"], each["after"]) for each in found] == [
        (3600, 0, "1"),
        (3600, 9, "2"),
    ]


def test_with_a_source_without_dates_the_prices_of_now_are_compared():
    dated = listing((ALWAYS, plain(3)), (JUNE, plain(2)), (datetime(2027, 1, 1, tzinfo=UTC), plain(9)))
    assert difference.differences(dated, listing((ALWAYS, plain(2)), is_dated=False), NOW) == []
    found = difference.differences(dated, listing((ALWAYS, plain(3)), is_dated=False), NOW)
    assert told(found) == [("2026-11-20", None, "2", "3")]


def test_changes_within_a_period_are_told_without_those_before_it():
    prices = listing((ALWAYS, plain(3)), (MAY, plain(2)), (JULY, plain(1)))
    assert told(difference.changes(prices, JUNE, NOW)) == [("2026-07-01", None, "2", "1")]


def test_a_book_lies_over_the_catalogue_for_the_time_that_it_names():
    priced = edition.parse(file(model(input_mtok=2, output_mtok=10)), "f")
    rates = 'version: 1\nrates: [{provider: openai, model: "gpt-6*", from: 2026-06-01, to: 2026-07-01, prices: {input_text: 1.5}}]'
    found = difference.differences(of_catalogue(priced), of_catalogue(priced, parse(rates)), NOW)
    assert [(each["model"], each["unit"]) for each in found] == [("gpt-6-sol", "input_text")]
    assert told(found) == [("2026-06-01", "2026-07-01", "0.000002", "0.0000015")]


def test_what_a_book_names_beside_the_catalogue_is_listed_as_it_is_written():
    priced = edition.parse(file(model(input_mtok=2)), "f")
    text = """
version: 1
rates: [{provider: vllm, model: "qwen*", prices: {input_text: 0.5}}]
human_review: {rate_per_hour: 42, roles: {lawyer: 180}}
gpu_pools: [{id: h200, hourly_cost: 11.27, match: {provider: vllm}, from: 2026-05-01, to: 2026-06-01}]
"""
    found = difference.differences(of_catalogue(priced), of_catalogue(priced, parse(text)), NOW)
    assert [(each["provider"], each["model"], each["unit"], each["per"], each["after"]) for each in found] == [
        ("capacity", "h200", "pool_hour", 1, "11.27"), ("human_review", "*", "review_seconds", 3600, "42"),
        ("human_review", "lawyer", "review_seconds", 3600, "180"), ("vllm", "qwen*", "input_text", 1, "0.0000005"),
    ]  # fmt: skip


def test_every_price_of_the_installed_catalogue_that_holds_is_listed():
    found = of_catalogue(catalogue.snapshot())
    for provider in catalogue.snapshot().providers:
        for each in provider.models:
            price = each.get_prices(NOW, {}).input_mtok
            if isinstance(price, Decimal) and "input_text_mtok" not in vars(each.get_prices(NOW, {})):
                steps = [step for step in found.prices[provider.id, each.id, "", "input_text"] if step.since <= NOW]
                assert abs(steps[-1].cells[0, 0] - price / 1_000_000) <= Decimal("1e-18")


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b'[{"id": "x"}]', b"\xff", b'"text"'])
def test_what_is_no_catalogue_is_told(content):
    with pytest.raises(edition.CatalogueError, match=r"c\.json is"):
        edition.parse(content, "c.json")


def test_a_price_of_a_file_keeps_every_digit():
    (cells,) = (
        steps[0].cells
        for steps in of_catalogue(edition.parse(file(model(input_mtok=0.1234567890123)), "f")).prices.values()
    )
    assert cells == plain("0.000000123456789012")


def rated(path):
    script = (
        "from tokentrace_collector.prices import catalogue, listing\n"
        "found = listing.of_catalogue(catalogue.snapshot()).prices\n"
        "print(catalogue.EDITION, len(found), found['openai', 'gpt-6-sol', '', 'input_text'][-1].cells[0, 0])"
    )
    environment = os.environ | {edition.CATALOGUE: str(path)}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)


def test_the_file_that_the_environment_names_is_the_catalogue(tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_bytes(file(model(input_mtok=7)))
    first = rated(path).stdout.split()
    assert (first[:2], first[-2:]) == (["genai-prices", "file"], ["1", "0.000007000000000000"])
    path.write_bytes(file(model(input_mtok=8)))
    assert rated(path).stdout.split()[2] != first[2]
    assert first[2].partition("+")[2] == catalogue.EDITION.rpartition("+")[2]


def test_a_file_that_is_not_there_is_told_by_name(tmp_path):
    assert "none.json" in rated(tmp_path / "none.json").stderr.splitlines()[-1]


LITELLM = """{
 "sample_spec": {"litellm_provider": "one of", "input_cost_per_token": 0.0},
 "gpt-6-sol": {"litellm_provider": "openai", "input_cost_per_token": 2.000000000001e-06, "output_cost_per_token": 1e-05,
   "input_cost_per_token_batches": 1e-06, "input_cost_per_token_above_200k_tokens": 4e-06, "max_tokens": 9},
 "azure/our-own": {"litellm_provider": "azure", "input_cost_per_token": 3e-06, "cache_creation_input_token_cost": 4e-06},
 "vertex_ai/house": {"litellm_provider": "vertex_ai-language-models", "output_cost_per_token": 5e-07, "ocr_cost_per_page": 0.003},
 "acme/m*": {"litellm_provider": "acme", "input_cost_per_second": 0.0001},
 "image": {"litellm_provider": "openai", "output_cost_per_image": 0.04},
 "long": {"litellm_provider": "acme", "input_cost_per_token": 1e-06, "input_cost_per_token_above_128k_tokens": 2e-06}
}"""


def test_a_file_of_litellm_is_read_by_our_units_to_the_last_digit():
    entries = {(each.provider, each.model): each.prices for each in litellm.read(LITELLM, "f")}
    assert set(entries) == {
        ("openai", "gpt-6-sol"), ("azure.ai.openai", "our-own"), ("gcp.vertex_ai", "house"), ("acme", "m*"), ("acme", "long"),
    }  # fmt: skip
    assert entries["openai", "gpt-6-sol"] == {
        ("", "input_text"): {(0, 0): Decimal("2.000000000001E-6"), (0, 200_000): Decimal("4E-6")},
        ("", "output_text"): {(0, 0): Decimal("1E-5")}, ("batch", "input_text"): {(0, 0): Decimal("1E-6")},
    }  # fmt: skip
    assert set(entries["azure.ai.openai", "our-own"]) == {
        ("", "input_text"),
        ("", "cache_write_5m"),
        ("", "cache_write_30m"),
    }


def test_a_model_that_the_catalogue_knows_is_compared_under_its_name():
    found = difference.differences(
        of_catalogue(catalogue.snapshot()), litellm.listing(litellm.read(LITELLM, "f")), NOW, shared=True
    )
    assert {(each["provider"], each["model"]) for each in found} == {("openai", "gpt-6-sol")}
    plain_input = next(each for each in found if each["unit"] == "input_text" and not each["context"])
    assert plain_input["after"] == "0.000002000000000001"


def test_an_import_is_a_price_book_of_what_the_catalogue_does_not_price():
    made = litellm.imported(litellm.read(LITELLM, "f"), LITELLM)
    rates = {(each.provider, each.model): each.prices for each in book.parse(made.book).rates}
    assert rates == {
        ("azure.ai.openai", "our-own"): {
            "input_text": Decimal("0.000003"), "cache_write_5m": Decimal("0.000004"), "cache_write_30m": Decimal("0.000004"),
        },
        ("gcp.vertex_ai", "house"): {"output_text": Decimal("5E-7"), "pages": Decimal("0.003")},
        ("acme", "m[*]"): {"audio_seconds": Decimal("0.0001")},
    }  # fmt: skip
    assert (made.rates, made.left_out) == (3, ["acme long"])
    everything = litellm.imported(litellm.read(LITELLM, "f"), LITELLM, everything=True)
    assert everything.left_out == ["openai gpt-6-sol", "acme long"]


@pytest.mark.parametrize("content", ["[]", "{", "{}", '{"a": 1}'])
def test_what_is_no_file_of_litellm_is_told(content):
    with pytest.raises(BookError, match=r"f\.json is no"):
        litellm.read(content, "f.json")


def test_another_catalogue_is_tried_before_it_is_adopted(ledger, tmp_path, monkeypatch):
    ledger.call("a", "1", tokens={"input_text": 1_000})
    ledger.tick()
    path = tmp_path / "catalogue.json"
    path.write_bytes(file(model(input_mtok=7)))
    monkeypatch.setenv(edition.CATALOGUE, str(path))
    monkeypatch.setattr(catalogue, "EDITION", edition.name(""))
    monkeypatch.setattr(catalogue, "snapshot", lambda: edition.read(path))
    tried = next(each for each in ledger.rollup.reprice(Repricing()).repriced if each["by"] == "all")
    assert (tried["before"], tried["after"], ledger.components("a")) == ("0.002", "0.007", {"visible": "0.002"})
    ledger.rollup.reprice(Repricing(adopt=True))
    assert ledger.components("a") == {"visible": "0.007"}
