from pathlib import Path

import platformdirs
import pytest

from tokentrace_collector.store import dsn


def test_an_embedded_store_is_a_directory(tmp_path: Path):
    parsed = dsn.parse(f"chdb://{tmp_path}")
    assert (parsed.embedded, parsed.directory, parsed.engine_path) == (True, tmp_path, tmp_path / "engine")
    assert parsed.database == "tokentrace"


def test_the_default_store_is_in_the_users_data_directory():
    assert dsn.parse("chdb://").directory == platformdirs.user_data_path("tokentrace")


def test_a_served_store_keeps_its_journal_in_the_users_data_directory():
    parsed = dsn.parse("clickhouses://me:p%40ss@db.example:8443/costs")
    assert (parsed.host, parsed.port, parsed.user, parsed.password) == ("db.example", 8443, "me", "p@ss")
    assert (parsed.secure, parsed.database) == (True, "costs")
    assert parsed.directory == platformdirs.user_data_path("tokentrace")


def test_options_name_the_database_and_the_directory_of_the_journal(tmp_path: Path):
    parsed = dsn.parse(f"chdb:///data?database=other&directory={tmp_path}")
    assert (parsed.database, parsed.directory, parsed.engine_path) == ("other", tmp_path, Path("/data/engine"))


@pytest.mark.parametrize(
    "text",
    [
        "chdb:///data?database=other",
        "clickhouse://me@db:8123/costs",
        "clickhouse://me@db/costs?cluster=a%20b",
        "clickhouse://me@db/costs?timeout=20",
    ],
)
def test_an_address_reads_back_as_itself(text: str):
    assert str(dsn.parse(str(dsn.parse(text)))) == str(dsn.parse(text))


def test_a_password_is_never_shown():
    parsed = dsn.parse("clickhouse://me:secret@db/costs")
    assert "secret" not in f"{parsed} {parsed!r}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://db", "starts with 'postgres'"),
        ("/data", "starts with ''"),
        ("chdb://data", "three slashes"),
        ("clickhouse:///costs", "names no host"),
        ("chdb:///data?colour=x", "unknown option 'colour'"),
        ("clickhouse://db:port", "port"),
        ("chdb:///data?cluster=c", "names a cluster"),
        ("chdb:///data?timeout=9", "names a timeout"),
        ("clickhouse://db?timeout=9s", "timeout '9s'"),
        ("clickhouse://db?timeout=0", "timeout '0'"),
    ],
)
def test_an_address_that_cannot_be_understood_says_what_to_write(text: str, told: str):
    with pytest.raises(dsn.DsnError, match=told):
        dsn.parse(text)
