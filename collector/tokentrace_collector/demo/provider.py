"""A provider on loopback that speaks the wire formats of four: it thinks, caches, refuses once and breaks off once."""

from __future__ import annotations

import itertools
import json
import operator
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

from tokentrace_collector.demo import replies, story

Value: TypeAlias = "dict[str, Value] | list[Value] | str | float | bool | None"
"""JSON."""

VENDORS = ("openai", "anthropic", "gcp.gemini", "self_hosted")
"""Who is played, each on a port of its own, by OpenTelemetry name."""

_CREATED = 1_795_000_000
_CACHEABLE = 1_024
_CACHE_STEP = 128
_BREAK_AFTER = 0.6
_TEXT_KEYS = (
    "instructions",
    "system",
    "systemInstruction",
    "input",
    "messages",
    "contents",
    "content",
    "parts",
    "text",
)
_MODEL_IN_PATH = re.compile(r"/models/(?P<model>[^:]+):generateContent$")
_TASK = re.compile(r"Task: (\w+)\s*$")


class Model:
    """Everything the provider knows about a conversation: what it answers, and what it counted."""

    def __init__(self, *, breaks_stream: bool) -> None:
        self._ids = itertools.count(1)
        self._seen: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._refuses = {"headline"}
        self._breaks = {"draft"} if breaks_stream else set[str]()

    def refuses(self, prompt: str) -> bool:
        """Whether this request is one too many; only ever once."""
        return self._once(self._refuses, prompt)

    def breaks(self, prompt: str) -> bool:
        """Whether the connection is lost in the middle of this answer; only ever once."""
        return self._once(self._breaks, prompt)

    def reply(self, model: str, prompt: str, *, thinks: bool, caches: bool) -> replies.Reply:
        """The answer to the task that the prompt names."""
        name = _task(prompt)
        text = story.ANSWERS.get(name, "I have no opinion on that.")
        size = _tokens(prompt)
        with self._lock:
            read = self._cached(model, prompt) if caches else 0
            number = next(self._ids)
        writes = caches and size >= _CACHEABLE
        return replies.Reply(
            id=f"demo{number:04d}",
            model=model,
            created=_CREATED + number,
            text=text,
            input_tokens=size,
            cache_read=read,
            cache_written=size // _CACHE_STEP * _CACHE_STEP - read if writes else 0,
            output_tokens=_tokens(text),
            reasoning_tokens=story.THINKING.get(name, 0) if thinks else 0,
        )

    def _once(self, tasks: set[str], prompt: str) -> bool:
        name = _task(prompt)
        with self._lock:
            if name not in tasks:
                return False
            tasks.remove(name)
            return True

    def _cached(self, model: str, prompt: str) -> int:
        """Tokens of the longest prefix that the model has read before, in whole steps."""
        earlier = self._seen.setdefault(model, [])
        longest = max((_shared(prompt, other) for other in earlier), default=0)
        earlier.append(prompt)
        return longest // _CACHE_STEP * _CACHE_STEP if longest >= _CACHEABLE else 0


class Provider:
    """The vendors' servers, up while the context lasts."""

    def __init__(self, *, breaks_stream: bool = True) -> None:
        model = Model(breaks_stream=breaks_stream)
        self._servers = {vendor: _Server(vendor, model) for vendor in VENDORS}

    def __enter__(self) -> Self:
        for vendor, server in self._servers.items():
            threading.Thread(target=server.serve_forever, name=f"demo-{vendor}", args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    @property
    def addresses(self) -> dict[str, str]:
        """Host and port by vendor."""
        return {vendor: f"127.0.0.1:{server.server_address[1]}" for vendor, server in self._servers.items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, vendor: str, model: Model) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, vendor, model))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, vendor: str, model: Model, *connection: Any) -> None:
        self._vendor = vendor
        self._model = model
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = "\n".join(_texts(body))
        if self._model.refuses(prompt):
            self._send(replies.rate_limited(), HTTPStatus.TOO_MANY_REQUESTS, {"retry-after-ms": "50"})
            return
        path = self.path.partition("?")[0]
        if path == "/v1/messages" and body.get("stream"):
            self._stream(body, prompt)
            return
        answer = self._answer(path, body, prompt)
        if answer is None:
            self._send(
                {"error": {"message": f"No such endpoint: {path}", "type": "not_found_error"}}, HTTPStatus.NOT_FOUND
            )
            return
        self._send(answer)

    def _answer(self, path: str, body: Mapping[str, Any], prompt: str) -> replies.Json | None:
        reply, model = self._model.reply, str(body.get("model"))
        if path == "/v1/responses":
            thinks = body.get("reasoning", {}).get("effort") != "none"
            return replies.response(reply(model, prompt, thinks=thinks, caches=True), body)
        if path == "/v1/chat/completions" and self._vendor == "self_hosted":
            return replies.plain_completion(reply(model, prompt, thinks=False, caches=False))
        if path == "/v1/chat/completions":
            return replies.completion(reply(model, prompt, thinks=body.get("reasoning_effort") != "none", caches=True))
        if path == "/v1/messages":
            return replies.message(reply(model, prompt, thinks=False, caches=_marks_cache(body)))
        if found := _MODEL_IN_PATH.search(path):
            thinks = 0 not in body.get("generationConfig", {}).get("thinkingConfig", {}).values()
            return replies.content(reply(found["model"], prompt, thinks=thinks, caches=False))
        return None

    def _stream(self, body: Mapping[str, Any], prompt: str) -> None:
        reply = self._model.reply(str(body.get("model")), prompt, thinks=False, caches=_marks_cache(body))
        events = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in replies.message_events(reply)]
        broken = self._model.breaks(prompt)
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("request-id", f"req_{reply.id}")
        self.end_headers()
        for event in events[: int(len(events) * _BREAK_AFTER)] if broken else events:
            self._chunk(event.encode())
        # Without the closing empty chunk the client knows that the connection was lost, not that the answer ended.
        if broken:
            self.close_connection = True
            return
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _send(
        self, body: replies.Json, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "content-type": "application/json",
            "content-length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the terminal belongs to the demo."""


def _texts(value: Value) -> Iterator[str]:
    """Everything a model would read, in prompt order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key in _TEXT_KEYS:
            if key in value:
                yield from _texts(value[key])


def _marks_cache(body: Mapping[str, Any]) -> bool:
    return "cache_control" in json.dumps(body)


def _task(prompt: str) -> str:
    found = _TASK.search(prompt)
    return found[1] if found else ""


def _shared(one: str, other: str) -> int:
    """Tokens that two prompts open with alike."""
    return sum(1 for _ in itertools.takewhile(bool, map(operator.eq, one, other))) // 4


def _tokens(text: str) -> int:
    """A provider counts as it likes; this one takes four characters for a token."""
    return -(-len(text) // 4)
