"""Calls and reviews that are charged in every way there is without capacity, commitments and fixed costs."""

REPORTED = {"tokentrace.cost.reported": "0.0123", "tokentrace.cost.reporter": "openrouter"}


def said(**tags):
    return {f"tokentrace.attribution.{tag}": value for tag, value in tags.items()}


def charges(ledger, *, at=0):
    """Every kind of charge there is: of each class of tokens, tool fees, reviews, retries, reported and unknown costs."""
    spent = {
        "input_text": 1001, "cache_read": 37, "cache_write_5m": 11, "input_image": 5, "output_text": 101, "output_reasoning": 53,
    }  # fmt: skip
    some = {"input_text": 900, "output_text": 70}
    lost = {"http.response.status_code": 500, "error.type": "500", "tokentrace.attempt.number": 1}
    shop = said(team="shop")
    ledger.call(f"a{at}", "s1", at=at, tokens=spent, meters={"web_search": 3}, said=said(team="search", feature="find"))
    ledger.call(f"a{at}", "s2", at=at, tokens=spent, role="plan", model="gpt-5", said=said(team="search"))
    ledger.call(f"a{at}", "s3", at=at, tokens=some, said=shop | {"tokentrace.billing.service_tier": "batch"})
    ledger.call(
        f"a{at}", "s4", at=at, tokens=some, model="gpt-5", said=shop | {"tokentrace.billing.service_tier": "odd"}
    )
    ledger.call(f"a{at}", "s5", at=at, tokens=some, said=shop | {"tokentrace.usage.billable": "false"})
    ledger.call(f"a{at}", "s6", at=at, tokens=some, said=shop | {"tokentrace.usage.source": "estimated"})
    ledger.call(f"a{at}", "s7", at=at, tokens=some, said=shop, attempts=[lost, {"tokentrace.attempt.number": 2}])
    ledger.call(f"a{at}", "s8", at=at, said=shop | {"tokentrace.usage.source": "missing"})
    ledger.call(f"a{at}", "s9", at=at, tokens=spent, failed=True, said=shop)
    ledger.call(f"n{at}", "s1", at=at, tokens=spent, model="none-such")
    ledger.review(f"n{at}", "s2", "s1", at=at + 60, active=100)
    ledger.call(f"r{at}", "s1", at=at, tokens=spent, provider="openrouter", model="any", said=REPORTED)
