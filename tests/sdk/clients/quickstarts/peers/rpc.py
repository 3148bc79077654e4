"""A gRPC provider on loopback, whose answers are written as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from shapes.provider import Answer, Provider

Encode = Callable[[str, Any], bytes]
"""The message that a method, by its name, answers with, from JSON."""


@contextmanager
def serve(provider: Provider, encode: Encode) -> Iterator[str]:
    """Serve a provider's answers in turn; gives the host and port. The status of an answer is a code of gRPC."""
    import grpc

    server = grpc.server(ThreadPoolExecutor(2), handlers=(_handler(provider, encode),))
    port = server.add_secure_port("localhost:0", grpc.local_server_credentials())
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(None).wait()


def _handler(provider: Provider, encode: Encode) -> Any:
    import grpc

    class Handler(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            method = details.method.rpartition("/")[2]

            def answer(sent: bytes, context: Any) -> Iterator[bytes]:
                # Messages are compared as bytes: two runs of the same code send the same.
                yield from _parts(provider.answer("POST", method, sent), lambda part: encode(method, part), context)

            # One message, or many: on the wire a call with one answer is a stream of one part.
            return grpc.unary_stream_rpc_method_handler(answer)

    return Handler()


def _parts(answer: Answer, encode: Callable[[Any], bytes], context: Any) -> Iterator[bytes]:
    import grpc

    for part in answer.parts:
        yield encode(json.loads(part))
    if answer.lost or answer.status:
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(codes[answer.status], answer.lost or "refused")


def said(*parts: Any, status: int = 0, lost: str | None = None) -> Answer:
    """The messages of one answer, and the status it ends with."""
    return Answer(status, parts=tuple(json.dumps(part).encode() for part in parts), lost=lost)
