"""What may go wrong below a command, told as trouble instead of a traceback."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tokentrace_collector.access import AccessFileError
from tokentrace_collector.cli.terminal import Trouble
from tokentrace_collector.config import ConfigError
from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.journal.lock import InUseError
from tokentrace_collector.journal.segment import UnreadableError
from tokentrace_collector.listener import PortError
from tokentrace_collector.otlp.privacy import PatternsError
from tokentrace_collector.prices.book import BookError
from tokentrace_collector.retention import RetentionError
from tokentrace_collector.store.database import StoreError
from tokentrace_collector.store.dsn import DsnError
from tokentrace_collector.tls import TlsError

_OURS = (
    AccessFileError,
    BookError,
    ConfigError,
    DsnError,
    InUseError,
    JournalError,
    PatternsError,
    PortError,
    RetentionError,
    StoreError,
    TlsError,
    UnreadableError,
)


@contextmanager
def told() -> Generator[None]:
    """Errors that name the thing, the value and the remedy are for the user; all others are bugs."""
    try:
        yield
    except _OURS as error:
        raise Trouble(str(error)) from error
