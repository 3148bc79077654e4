"""`litellm` asks another model where one fails: what each of its attempts may have been billed."""

from __future__ import annotations

from typing import Any

import pytest
from shapes.provider import http_of

pytestmark = pytest.mark.filterwarnings("default")  # Of litellm and what it stands on, as it tries again.

OK = 200
ASK = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1_000, "completion_tokens": 3, "total_tokens": 1_003},
}


@pytest.fixture
def litellm(monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    return pytest.importorskip("litellm", reason="runs in an environment of its own")


def ask(monkeypatch: pytest.MonkeyPatch, litellm: Any, *answers: Any) -> Any:
    """What is answered, where each request gets its answer in turn; the name of an error is raised."""
    http, left = http_of("openai._base_client"), list(answers)

    def respond(request: Any) -> Any:
        answer = left.pop(0)
        if isinstance(answer, str):
            raise getattr(http, answer)("no answer", request=request)
        return http.Response(answer, json=ANSWER if answer == OK else {"error": {"message": "busy"}})

    transport = http.MockTransport(respond)
    monkeypatch.setattr(litellm, "client_session", http.Client(transport=transport))
    monkeypatch.setattr(litellm, "aclient_session", http.AsyncClient(transport=transport))
    models = {"model": "openai/gpt-4o", "fallbacks": ["openai/gpt-4o-mini"]}
    asked = litellm.completion(messages=ASK, api_key="-", max_retries=0, **models)
    assert not left
    return asked.choices[0].message.content


def bearing(delivered: Any) -> list[dict[str, Any]]:
    """What the spans say that bear the cost, in the order in which they began."""
    spans = sorted(delivered.spans, key=lambda span: span.start_time)
    return [said for said in (dict(span.attributes) for span in spans) if said["tokentrace.usage.scope"] == "call"]


def test_a_model_that_gave_no_answer_may_have_been_billed_beside_the_one_that_did(monkeypatch, litellm, delivered):
    assert ask(monkeypatch, litellm, "ReadTimeout", OK) == "Paris."

    first, second = bearing(delivered)
    assert [each["gen_ai.request.model"] for each in (first, second)] == ["gpt-4o", "gpt-4o-mini"]
    assert (first["tokentrace.usage.source"], first["tokentrace.usage.billable"]) == ("estimated", "unknown")
    assert first["tokentrace.usage.input_text"] > 0
    assert "gen_ai.usage.input_tokens" not in first
    assert (second["gen_ai.usage.input_tokens"], second["gen_ai.usage.output_tokens"]) == (1_000, 3)


def test_a_model_that_was_refused_is_not_billed(monkeypatch, litellm, delivered):
    assert ask(monkeypatch, litellm, 503, OK) == "Paris."

    first, second = bearing(delivered)
    assert first["tokentrace.usage.billable"] == "false"
    assert not [key for key in first if ".usage.input" in key]
    assert second["gen_ai.usage.input_tokens"] == 1_000
