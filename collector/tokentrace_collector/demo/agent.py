"""A research agent as an application would write it: three vendors, one model of its own, two tools and an editor."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import anthropic
import httpx2
import openai
from google.genai import Client as Gemini, types
from opentelemetry import trace

import tokentrace
from tokentrace_collector.demo import story

_REVIEW_SECONDS = 90
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the agent is told on its standard input."""

    endpoint: str
    """Where spans go."""
    addresses: Mapping[str, str]
    """Host and port by vendor."""
    without: frozenset[str]
    """Causes of cost to leave out, of `story.CAUSES`."""

    @classmethod
    def read(cls, line: str) -> Settings:
        """The settings in one line of JSON."""
        told = json.loads(line)
        return cls(told["endpoint"], told["addresses"], frozenset(told["without"]))


class Agent:
    """Answers the question of the story, once."""

    def __init__(self, addresses: Mapping[str, str], without: frozenset[str]) -> None:
        self._without = without
        self._openai = openai.OpenAI(base_url=f"http://{addresses['openai']}/v1", api_key="demo")
        self._own = openai.OpenAI(base_url=f"http://{addresses['self_hosted']}/v1", api_key="demo")
        self._anthropic = anthropic.Anthropic(base_url=f"http://{addresses['anthropic']}", api_key="demo")
        self._gemini = Gemini(
            api_key="demo", http_options=types.HttpOptions(base_url=f"http://{addresses['gcp.gemini']}")
        )

    def run(self) -> str:
        """Make the brief; gives the trace id of the request."""
        with (
            tokentrace.tags(team="insights", feature="market-brief", customer="nordwind", environment="demo"),
            tokentrace.agent("market brief"),
        ):
            trace_id = trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)
            if "orchestration" not in self._without:
                self._plan()
                self._search_web()
                self._read_tables()
            self._analyse()
            brief = self._draft()
            if "pool" not in self._without:
                self._translate(brief)
            self._headline(brief)
            if "review" not in self._without:
                self._review()
        return trace_id

    @tokentrace.step("plan", role="plan")
    def _plan(self) -> str:
        return self._reason(story.task("plan", "You have two tools: search_web and read_tables."))

    @tokentrace.tool("search_web", role="tool_result")
    def _search_web(self) -> str | None:
        thinking = None if self._thinks else types.ThinkingConfig(thinking_budget=0)
        answer = self._gemini.models.generate_content(  # pyright: ignore[reportUnknownMemberType] - its stubs need PIL
            model=story.SEARCH_MODEL,
            contents=story.task("search_web", story.search_results()),
            config=types.GenerateContentConfig(thinking_config=thinking),
        )
        return answer.text

    @tokentrace.tool("read_tables", role="tool_result")
    def _read_tables(self) -> str | None:
        return self._chat(self._openai, story.SMALL_MODEL, story.task("read_tables", story.tables()))

    @tokentrace.step("analyse", role="answer")
    def _analyse(self) -> str:
        return self._reason(story.task("analyse", story.filings()))

    @tokentrace.step("draft", role="answer")
    def _draft(self) -> str:
        try:
            return self._write()
        except httpx2.TransportError as lost:
            sys.stderr.write(f"The stream of the draft was lost ({type(lost).__name__}); asking again.\n")
            return self._write()

    @tokentrace.step("translate", role="answer")
    def _translate(self, brief: str) -> str | None:
        return self._chat(self._own, story.OWN_MODEL, story.task("translate", brief))

    @tokentrace.step("headline", role="answer")
    def _headline(self, brief: str) -> str | None:
        return self._chat(self._openai, story.SMALL_MODEL, story.task("headline", brief))

    def _review(self) -> None:
        with tokentrace.review(kind="approval", reviewer_role="editor") as review:
            review.active(_REVIEW_SECONDS)
            review.decision = "approved"

    @property
    def _thinks(self) -> bool:
        return "reasoning" not in self._without

    def _reason(self, request: str) -> str:
        answer = self._openai.responses.create(
            model=story.REASONING_MODEL,
            instructions=story.house_rules(),
            input=request,
            reasoning={"effort": "medium" if self._thinks else "none"},
        )
        return answer.output_text

    def _chat(self, client: openai.OpenAI, model: str, request: str) -> str | None:
        answer = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": request}], reasoning_effort="none"
        )
        return answer.choices[0].message.content

    def _write(self) -> str:
        with self._anthropic.messages.stream(
            model=story.WRITING_MODEL,
            max_tokens=4_000,
            system=[{"type": "text", "text": story.filings(), "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": story.task("draft", "Write for the board.")}],
        ) as stream:
            return "".join(stream.text_stream)


def main() -> None:
    """Run the agent once, as told on standard input, and print the trace id."""
    settings = Settings.read(sys.stdin.readline())
    tokentrace.instrument(
        endpoint=settings.endpoint,
        service_name="tokentrace-demo",
        hosts={address: vendor for vendor, address in settings.addresses.items()},
    )
    trace_id = Agent(settings.addresses, settings.without).run()
    if not tokentrace.flush(_PATIENCE):
        sys.exit("The collector did not take every span in time.")
    sys.stdout.write(json.dumps({"trace_id": trace_id}) + "\n")


if __name__ == "__main__":
    main()
