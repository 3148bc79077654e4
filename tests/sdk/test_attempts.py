"""What a call owes for HTTP requests that got no answer."""

from __future__ import annotations

import httpx2
import openai
import pytest


@pytest.mark.parametrize(
    ("error", "billable"),
    [
        (httpx2.ConnectError, "false"),
        (httpx2.PoolTimeout, "false"),
        (httpx2.ReadError, "unknown"),
        (httpx2.ReadTimeout, "unknown"),
    ],
)
def test_only_a_request_that_was_sent_may_be_billed(spans, error, billable):
    def respond(request):
        raise error("no answer", request=request)

    client = openai.OpenAI(
        api_key="-", max_retries=0, http_client=httpx2.Client(transport=httpx2.MockTransport(respond))
    )
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": "2+2?"}])
    assert spans.only()["tokentrace.usage.billable"] == billable
