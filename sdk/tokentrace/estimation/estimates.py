"""What providers do not report, estimated from the texts that passed: after the call, in the delivery thread alone.

An estimate says what it is: its method, and how far it may be off. It stands in no `gen_ai.*` attribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event, ReadableSpan

from tokentrace import attributes as name
from tokentrace.estimation import composition
from tokentrace.estimation.counting import Counting
from tokentrace.estimation.runs import Runs
from tokentrace.streams.body import Body, read_result
from tokentrace.usage import record
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading, Said, items

if TYPE_CHECKING:
    from tokentrace.estimation.missing import Answer, Asked, Missing

_EVERY = re.compile(b"")


def completed(span: ReadableSpan, lacking: Missing) -> ReadableSpan:
    """A copy of the span that says what was not reported; the span itself where nothing can be said."""
    call, seen, answer = lacking.call, lacking.seen, lacking.answer
    count = answer.format.count
    before = count(seen, call.provider, call.facts)
    counting = Counting(lacking.wanted, call, answer.format, before, seen)
    texts = said(answer)
    told = counting.facts(texts, answer.kept, lacking.prompt)
    after = count(seen, call.provider, {**call.facts, **told})
    was = record.attributes(seen, before, call.provider, call.facts)
    found = _found(lacking, before, after, counting)
    if lacking.wanted.delivered and (came := counting.delivered(texts, after)):
        found |= {name.DELIVERED + bucket: count for bucket, count in came.items()}
        found[name.ESTIMATE_METHOD] = counting.method
    attributes = _amended(span.attributes or {}, was, found, call.owed)
    if attributes.get(name.USAGE_SCOPE) != "retrieve":
        lacking.metrics.count(attributes)
    events = _asked(span.events, call.unsettled, attributes) if call.unsettled else span.events
    return _copied(span, attributes, events)


def _found(lacking: Missing, before: Usage, after: Usage, counting: Counting) -> dict[str, Any]:
    found = record.attributes(lacking.seen, after, lacking.call.provider, lacking.call.facts)
    if not lacking.seen.complete:
        found[name.USAGE_FLAGS] = [*found.get(name.USAGE_FLAGS, ()), "provider_may_bill_more"]
        found |= _risk(lacking.call)
    sides = [
        side
        for side, is_new in (
            ("input", before.input is None and after.input is not None),
            ("output", after.output is not None and after.output != before.output),
            ("reasoning", after.flags.get("reasoning_source") in {"estimated", "derived"}),
        )
        if is_new
    ]
    record.withdraw(found, sides)
    if counting.is_derived and "reasoning" in sides:
        found[name.REASONING_SOURCE] = "derived"
    if not sides:
        return found
    found[name.ESTIMATE_COUNTS] = sides
    found[name.ESTIMATE_METHOD] = counting.method
    for side in sides:
        if (error := counting.errors.get(side)) is not None:
            found[name.ESTIMATE_ERROR + side] = round(error, 4)
    if "input" in sides and after.input and lacking.prompt:
        runs = Runs(lacking.prompt)
        if (shares := composition.shared(runs, after, after.input)) is not None:
            found |= composition.kinds(runs, shares)
    return found


def _asked(events: Sequence[Event], unsettled: Sequence[int], call: Mapping[str, Any]) -> list[Event]:
    """The attempts of a call, those that may have been billed as well with what its input was estimated to be."""
    if "input" not in call.get(name.ESTIMATE_COUNTS, ()):
        return list(events)
    told = {
        name.ATTEMPT_INPUT: sum(call.get(name.USAGE + bucket, 0) for bucket in name.INPUT_BUCKETS),
        name.ATTEMPT_METHOD: call[name.ESTIMATE_METHOD],
    }
    if (error := call.get(name.ESTIMATE_ERROR + "input")) is not None:
        told[name.ATTEMPT_ERROR] = error
    return [
        Event(each.name, {**each.attributes, **told}, each.timestamp)
        if each.attributes is not None and each.attributes.get(name.ATTEMPT_NUMBER) in unsettled
        else each
        for each in events
    ]


def said(answer: Answer) -> Said:
    """The texts of an answer."""
    told = Said()
    say = answer.format.say
    if say is None:
        return told

    def read(part: Any, _seen: Reading) -> None:
        say(part, told)

    telling, seen = replace(answer.format, read=read, marks=_EVERY), Reading()
    if answer.framing is None:
        for part in answer.kept.parts:
            read_result(part, telling, seen, as_it_is=not answer.is_ours)
        return told
    body = Body(answer.framing, telling, seen)
    for part in answer.kept.parts:
        body.feed(part)
    body.end(is_whole=True)
    return told


def _risk(call: Asked) -> dict[str, Any]:
    """What an answer that was left may cost at most, where it is billed as if it had been read to its end."""
    if call.provider != "aws.bedrock":
        return {}
    limit = call.facts.get("output_limit")
    return {name.BILLING_RISK: "full_generation"} | ({name.OUTPUT_LIMIT: limit} if limit else {})


def _amended(
    said: Mapping[str, Any], before: Mapping[str, Any], found: Mapping[str, Any], owed: str | None
) -> dict[str, Any]:
    """What a span said, with what has changed since: others may have put something better where nothing has."""
    kept = {key: value for key, value in said.items() if key not in before or key in found}
    amended = {**kept, **{key: value for key, value in found.items() if before.get(key) != value}}
    if owed is not None:
        amended[name.BILLABLE] = owed
    return amended


def _copied(span: ReadableSpan, attributes: Mapping[str, Any], events: Sequence[Event]) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        # As they are on every span that a provider has made.
        attributes={
            key: tuple(items(value)) if isinstance(value, list) else value for key, value in attributes.items()
        },
        events=events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
