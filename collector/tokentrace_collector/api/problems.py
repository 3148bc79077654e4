"""What is told of a question that cannot be answered."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from tokentrace_collector.access import ForbiddenError, RefusedError
from tokentrace_collector.api.parameters import QuestionError
from tokentrace_collector.reports.footprint import MissingError
from tokentrace_collector.reports.listing import ListingError
from tokentrace_collector.store.database import StoreError


def problem(status: int, message: str) -> Response:
    """An answer that says what went wrong."""
    return JSONResponse({"error": message}, status)


async def _bad_question(_request: Request, error: Exception) -> Response:
    return problem(400, str(error))


async def _not_let_in(_request: Request, error: Exception) -> Response:
    if isinstance(error, ForbiddenError):
        return problem(403, str(error))
    answer = problem(401, str(error))
    answer.headers["www-authenticate"] = "Bearer"
    return answer


async def _not_installed(_request: Request, error: Exception) -> Response:
    return problem(501, str(error))


async def _no_store(_request: Request, error: Exception) -> Response:
    answer = problem(503, f"The store cannot answer: {error}")
    if isinstance(error, StoreError) and error.is_transient:
        answer.headers["retry-after"] = "1"
    return answer


HANDLERS: dict[type[Exception], ExceptionHandler] = {
    QuestionError: _bad_question,
    ListingError: _bad_question,
    MissingError: _not_installed,
    StoreError: _no_store,
    RefusedError: _not_let_in,
}
"""What answers for each error."""
