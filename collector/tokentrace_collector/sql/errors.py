"""What is wrong with a question, by ClickHouse's codes."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The codes of ClickHouse that we give ourselves."""

    NOT_IMPLEMENTED = 48
    UNKNOWN_TABLE = 60
    SYNTAX_ERROR = 62
    UNKNOWN_FORMAT = 73
    UNKNOWN_DATABASE = 81
    READONLY = 164
    TOO_MANY_SIMULTANEOUS_QUERIES = 202
    ACCESS_DENIED = 497
    AUTHENTICATION_FAILED = 516
    CANNOT_DECOMPRESS = 271


class QuestionError(Exception):
    """A question that is not answered."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
