"""ClickHouse's HTTP protocol, as far as its clients need it to ask."""

from __future__ import annotations

import base64
import binascii
import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from tokentrace_collector.access import Door, ForbiddenError, RefusedError
from tokentrace_collector.listener import CERTIFICATE
from tokentrace_collector.otlp import compression
from tokentrace_collector.sql.asking import Answer, Question, Questions
from tokentrace_collector.sql.errors import Code, QuestionError
from tokentrace_collector.sql.native import framed
from tokentrace_collector.sql.packing import packed
from tokentrace_collector.store.database import StoreError

_MOST_TEXT = 1 << 20
"""The longest question, in bytes."""

_TRANSPORT = frozenset({
    "add_http_cors_header", "buffer_size", "client_protocol_version",
    "compress", "database", "decompress", "default_format",
    "enable_http_compression", "http_headers_progress_interval_ms", "password", "query", "query_id", "quota_key",
    "send_progress_in_http_headers", "session_check", "session_id", "session_timeout", "user", "wait_end_of_query",
})  # fmt: skip
"""Parameters that are no settings; sessions hold nothing here, so their names change nothing."""

_STATUS = {
    Code.NOT_IMPLEMENTED: 501,
    Code.UNKNOWN_TABLE: 404,
    Code.UNKNOWN_DATABASE: 404,
    Code.SYNTAX_ERROR: 400,
    Code.UNKNOWN_FORMAT: 400,
    Code.ACCESS_DENIED: 403,
    Code.AUTHENTICATION_FAILED: 403,
    159: 408,
}
"""As ClickHouse answers; what is not here, with 500."""

_TYPES = {
    "CSV": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Tab": "text/tab-separated-values; charset=UTF-8",
}


class Endpoint:
    """Where SQL is asked."""

    def __init__(self, questions: Questions | str, door: Door) -> None:
        self._questions = questions
        """What answers, or why nothing does."""
        self._door = door

    @property
    def routes(self) -> list[BaseRoute]:
        """`/query`, and the root for clients that know no path; each with its `/ping`."""
        both = ["GET", "POST"]
        return [
            Route("/ping", self.ping),
            Route("/query/ping", self.ping),
            Route("/query", self.ask, methods=both),
            Route("/query/", self.ask, methods=both),
            Route("/", self.ask, methods=["POST"]),
        ]

    def ping(self, _request: Request) -> Response:
        """Whether somebody answers."""
        return PlainTextResponse("Ok.\n")

    async def ask(self, request: Request) -> Response:
        """The answer to a question, or ClickHouse's error."""
        try:
            grant = self._door.admit("ask", _authorization(request), request.scope.get(CERTIFICATE, ()))
            questions = self._questions
            if isinstance(questions, str):
                return _problem(Code.NOT_IMPLEMENTED, questions)
            asked = _question(request, await _body(request))
            return await run_in_threadpool(lambda: _written(request, questions.answer(grant, asked)))
        except ForbiddenError as error:
            return _problem(Code.ACCESS_DENIED, str(error))
        except RefusedError as error:
            return _problem(Code.AUTHENTICATION_FAILED, str(error))
        except QuestionError as error:
            return _problem(error.code, str(error))
        except StoreError as error:
            return _problem(error.code or 0, str(error))


def _authorization(request: Request) -> str:
    """The header by which a door knows who asks: clients of ClickHouse send a token as a password."""
    sent = request.headers.get("authorization", "")
    scheme, _, rest = sent.partition(" ")
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            password = ""
    elif sent:
        return sent
    else:
        password = request.headers.get("x-clickhouse-key", "") or request.query_params.get("password", "")
    return f"Bearer {password}" if password else ""


async def _body(request: Request) -> str:
    """The text that comes in the body."""
    sent = b""
    async for part in request.stream():
        sent += part
        if len(sent) > _MOST_TEXT:
            raise QuestionError(Code.SYNTAX_ERROR, f"The query is longer than {_MOST_TEXT} bytes. Ask less at once.")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise QuestionError(Code.NOT_IMPLEMENTED, "Forms and external tables are not read here. Send the query itself.")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in compression.ENCODINGS:
        raise QuestionError(
            Code.NOT_IMPLEMENTED, f"A query in {encoding!r} is not read here. Send it plain or in gzip."
        )
    try:
        return compression.inflated(sent, encoding, most=_MOST_TEXT).decode()
    except ValueError as error:
        raise QuestionError(Code.SYNTAX_ERROR, f"The query cannot be read: {error}") from None


def _question(request: Request, body: str) -> Question:
    asked = dict(request.query_params)
    if asked.get("compress", "0") not in {"0", "false"} or asked.get("decompress", "0") not in {"0", "false"}:
        raise QuestionError(
            Code.NOT_IMPLEMENTED, "Blocks are not compressed here. Ask for HTTP compression: enable_http_compression=1."
        )
    text = "\n".join(part for part in (asked.get("query", ""), body) if part)
    if not text.strip():
        raise QuestionError(Code.SYNTAX_ERROR, "Empty query. Send SQL in the body or as the parameter `query`.")
    return Question(
        text=text,
        database=asked.get("database", "") or request.headers.get("x-clickhouse-database", ""),
        form=asked.get("default_format", "") or request.headers.get("x-clickhouse-format", "") or "TabSeparated",
        settings={k: v for k, v in asked.items() if k not in _TRANSPORT and not k.startswith("param_")},
        parameters={k.removeprefix("param_"): v for k, v in asked.items() if k.startswith("param_")},
    )


def _written(request: Request, answer: Answer) -> Response:
    content = answer.result.content
    revision = request.query_params.get("client_protocol_version", "0")
    if answer.form == "Native" and revision.isdecimal() and int(revision):
        content = framed(content, int(revision))
    told = {
        "read_rows": str(answer.result.rows),
        "result_rows": str(answer.result.rows),
        "result_bytes": str(len(content)),
        "elapsed_ns": str(int(answer.result.seconds * 1e9)),
    }
    headers = {
        "X-ClickHouse-Summary": json.dumps(told),
        "X-ClickHouse-Query-Id": request.query_params.get("query_id", ""),
        "X-ClickHouse-Format": answer.form,
        "X-ClickHouse-Timezone": "UTC",
    }
    if request.query_params.get("enable_http_compression", "0") in {"1", "true"}:
        content, encoding = packed(content, request.headers.get("accept-encoding", ""))
        headers |= {"Content-Encoding": encoding} if encoding else {}
    kind = next((each for begin, each in _TYPES.items() if answer.form.startswith(begin)), "application/octet-stream")
    return Response(content, headers=headers, media_type=kind)


def _problem(code: int, message: str) -> Response:
    name = Code(code).name if code in set(Code) else ""
    text = f"Code: {code}. DB::Exception: {message}" + (f" ({name})" if name and f"({name})" not in message else "")
    headers = {"X-ClickHouse-Exception-Code": str(code)}
    return PlainTextResponse(f"{text}\n", _STATUS.get(code, 500), headers)
