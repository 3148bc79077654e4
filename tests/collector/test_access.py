"""Who may send and ask: credentials, certificates, and that no tenant sees another."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from authority import DAY, Authority, Pair
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tokentrace_collector import access, assembly, notation
from tokentrace_collector.access import Credentials, ForbiddenError, RefusedError
from tokentrace_collector.config import Config, ConfigError
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store
from tokentrace_collector.tls import Tls, TlsError

NOW = 1_767_225_600_000_000_000
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
CREDENTIALS = f"""
version: 1
credentials:
  - {{name: shop, tenant: acme, may: [send, ask], token_sha256: {access.digest("of-acme")}}}
  - {{name: rival, tenant: globex, may: [send, ask], token_sha256: {access.digest("of-globex")}}}
  - {{name: reader, tenant: acme, may: [ask], token_sha256: {access.digest("reads")}}}
  - {{name: operator, tenant: acme, may: [operate], token_sha256: {access.digest("operates")}}}
  - {{name: gateway, tenant: acme, may: [send], certificate: gateway.acme.example}}
"""


def call(trace: str, team: str, tokens: int) -> bytes:
    """A request of OTLP with a call of a model; what it says of its tenant is only said."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="tenant").value.string_value = "globex"
    scope = group.scope_spans.add()
    scope.scope.name = "tokentrace"
    span = scope.spans.add(
        trace_id=bytes.fromhex(trace * 32),
        span_id=bytes.fromhex("1" * 16),
        name="chat gpt-5",
        start_time_unix_nano=NOW,
        end_time_unix_nano=NOW + 10**9,
    )
    said: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "tokentrace.usage.scope": "call",
        "tokentrace.usage.source": "reported",
        "tokentrace.usage.input_text": tokens,
        "tokentrace.attribution.team": team,
    }
    for key, value in said.items():
        entry = span.attributes.add(key=key).value
        if isinstance(value, int):
            entry.int_value = value
        else:
            entry.string_value = value
    return request.SerializeToString()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked(url: str, method: str, path: str, headers: dict[str, str], body: bytes = b"", **secure: Any) -> Any:
    """Status, headers and document of an answer."""
    scheme, _, place = url.partition("://")
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    with closing(kind(place, timeout=20, **secure)) as connection:
        connection.request(method, path, body, {"Content-Type": "application/x-protobuf", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def send(collector: Collector, body: bytes, headers: dict[str, str], **secure: Any) -> int:
    status, _, _ = asked(collector.addresses.otlp_http, "POST", "/v1/traces", headers, body, **secure)
    return int(status)


def export(channel: grpc.Channel, body: bytes, token: str = "") -> grpc.StatusCode:
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with channel:
        try:
            channel.unary_unary(EXPORT)(body, timeout=20, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "access.yaml"
    path.write_text(CREDENTIALS)
    return path


def config(store: Store, directory: Path, **more: Any) -> Config:
    address = f"{store.address}&directory={directory}"
    return Config(store=address, http_port=0, grpc_port=0, api_port=0, rollup_seconds=3600, **more)


def opened(running: Collector) -> Collector:
    """A collector whose store is open too."""
    deadline = time.monotonic() + 20
    while asked(running.addresses.api, "GET", "/readyz", {})[0] != 200:
        assert time.monotonic() < deadline
    return running


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path, file: Path) -> Iterator[Collector]:
    with assembly.collector(config(empty_store, tmp_path, access=file)) as running:
        yield opened(running)


@pytest.mark.fault("unknown sender")
def test_a_sender_says_who_it_is_before_anything_else(collector: Collector):
    status, headers, body = asked(collector.addresses.otlp_http, "POST", "/v1/traces", {}, b"no protobuf at all")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert b"Authorization: Bearer" in body
    assert collector.counters.snapshot()["requests_denied"] == 1
    assert collector.counters.snapshot()["requests_malformed"] == 0


def test_what_a_token_may_do_is_what_the_file_says(collector: Collector):
    wanted = {"of-acme": 200, "guessed": 401, "reads": 403, "": 401}
    assert {token: send(collector, call("a", "web", 10), bearer(token)) for token in wanted} == wanted


@pytest.mark.fault("unknown sender")
def test_the_same_holds_over_grpc(collector: Collector):
    code = grpc.StatusCode
    wanted = {
        "of-acme": code.OK,
        "guessed": code.UNAUTHENTICATED,
        "reads": code.PERMISSION_DENIED,
        "": code.UNAUTHENTICATED,
    }
    address = collector.addresses.otlp_grpc
    assert {token: export(grpc.insecure_channel(address), call("a", "web", 10), token) for token in wanted} == wanted


def test_a_tenant_is_that_of_the_credential_and_sees_its_own_alone(collector: Collector):
    """The same trace and span ids, from two tenants; both claim to be the second."""
    assert send(collector, call("a", "web", 1000), bearer("of-acme")) == 200
    assert export(grpc.insecure_channel(collector.addresses.otlp_grpc), call("a", "mail", 7), "of-globex") is (
        grpc.StatusCode.OK
    )
    status, _, _ = asked(collector.addresses.api, "POST", "/v1/rollup", bearer("operates"))
    assert status == 200
    seen = {}
    for token in ("of-acme", "of-globex", "reads"):
        _, _, traces = asked(collector.addresses.api, "GET", "/v1/traces", bearer(token))
        _, _, one = asked(collector.addresses.api, "GET", f"/v1/traces/{'a' * 32}", bearer(token))
        _, _, costs = asked(collector.addresses.api, "GET", "/v1/costs?by=team", bearer(token))
        window = "since=2025-12-01T00:00:00Z&until=2026-02-01T00:00:00Z"
        _, _, focus = asked(collector.addresses.api, "GET", f"/v1/focus?{window}", bearer(token))
        seen[token] = (
            [each["attribution"]["team"] for each in json.loads(traces)["traces"]],
            json.loads(one)["tokens"],
            [each["group"]["team"] for each in json.loads(costs)["costs"]],
            [name for name in (b"web", b"mail", b"acme", b"globex") if name in focus],
        )
    own = (["web"], {"input_text": 1000}, ["web"], [b"web", b"acme"])
    other = (["mail"], {"input_text": 7}, ["mail"], [b"mail", b"globex"])
    assert seen == {"of-acme": own, "reads": own, "of-globex": other}


def test_whoever_asks_says_who_it_is_too_and_whoever_watches_need_not(collector: Collector):
    def statuses(path: str, *tokens: str, method: str = "GET") -> list[int]:
        return [asked(collector.addresses.api, method, path, bearer(token))[0] for token in tokens]

    for path in (
        "/v1/traces",
        "/v1/traces/latest",
        "/v1/costs",
        "/v1/focus",
        "/v1/prices",
        "/v1/prices/findings",
        "/v1/agents",
        "/v1/commitments",
        "/v1/payments",
        "/v1/capacity",
        "/v1/energy",
        "/v1/outcomes",
    ):
        assert statuses(path, "guessed", "operates") == [401, 403], path
    assert statuses("/v1/rollup", "of-acme", method="POST") == [403]
    assert statuses("/v1/reprice", "of-acme", method="POST") == [403]
    assert statuses("/v1/close?month=2026-10", "of-acme", method="POST") == [403]
    assert collector.counters.snapshot()["requests_denied"] == 27
    for path in ("/healthz", "/metrics"):
        assert asked(collector.addresses.api, "GET", path, {})[0] == 200


def known(credentials: Credentials, token: str) -> bool:
    try:
        credentials.admit("send", f"Bearer {token}", ())
    except RefusedError:
        return False
    return True


def written(path: Path, text: str) -> None:
    """Another file in the place of a file, as an editor leaves it."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def test_a_changed_file_holds_without_a_restart_and_a_broken_one_changes_nothing(file: Path, monkeypatch):
    monkeypatch.setattr(access, "_LOOKS_EVERY", 0.0)
    credentials = Credentials(file)
    written(file, CREDENTIALS.replace(access.digest("of-acme"), access.digest("renewed")))
    assert (known(credentials, "of-acme"), known(credentials, "renewed")) == (False, True)
    written(file, "version: 1\ncredentials: 7\n")
    assert (known(credentials, "renewed"), "Line 2" in credentials.trouble) == (True, True)
    file.unlink()
    assert (known(credentials, "renewed"), "cannot be read" in credentials.trouble) == (True, True)
    written(file, CREDENTIALS)
    assert (known(credentials, "of-acme"), credentials.trouble) == (True, "")


def test_a_file_that_became_unreadable_is_told(collector: Collector, file: Path, monkeypatch):
    monkeypatch.setattr(access, "_LOOKS_EVERY", 0.0)
    written(file, "nonsense: 1")
    assert send(collector, call("a", "web", 10), bearer("of-acme")) == 200
    assert any("nonsense" in trouble for trouble in collector._troubles())


ONE = "{name: a, tenant: t, may: [send], token_sha256: " + "0" * 64 + "}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing in it"),
        ("version: 2", "Line 1: The version '2' is not known"),
        ("version: 1\ntokens: []", "Line 2: There is no entry 'tokens'"),
        ("version: 1\ncredentials:\n- {name: a, tenant: t}", "Line 3: The entry 'may' is missing"),
        ("version: 1\ncredentials:\n- {name: a, tenant: t, may: [fly], certificate: c}", "Line 3: There is no right"),
        ("version: 1\ncredentials:\n- {name: a, tenant: t, may: [], certificate: c}", "may do nothing"),
        ("version: 1\ncredentials:\n- {name: a, tenant: t, may: [send]}", "What proves 'a'"),
        ("version: 1\ncredentials:\n- {name: a, tenant: '', may: [send], certificate: c}", "Here belongs a name"),
        ("version: 1\ncredentials:\n- {name: a, tenant: t, may: [send], token_sha256: tt_abc}", "is no SHA-256"),
        (f"version: 1\ncredentials:\n- {ONE}\n- {ONE}", "Line 4: The name 'a' stands here twice"),
        (f"version: 1\ncredentials:\n- {ONE}\n- {ONE.replace('a', 'b', 1)}", "no entry 'nbme'"),
        (f"version: 1\ncredentials:\n- {ONE}\n- {ONE.replace(': a', ': b', 1)}", "Line 4: This proves 'a' already"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_line_and_remedy(text: str, told: str):
    with pytest.raises(notation.NotationError, match=told):
        access.parse(text)


def test_a_collector_that_cannot_know_its_senders_stays_on_this_machine(file: Path, tmp_path: Path):
    pair = Authority(tmp_path).signs("collector.example")
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0.*credentials"):
        Config(host="0.0.0.0")
    with pytest.raises(ConfigError, match="senders"):
        Config(host="0.0.0.0", tls=Tls(pair.certificate, pair.key))
    with pytest.raises(ConfigError, match=r"queries '0\.0\.0\.0'"):
        Config(api_host="0.0.0.0", insecure=True)
    Config(host="0.0.0.0", api_host="0.0.0.0", access=file)
    Config(host="0.0.0.0", tls=Tls(pair.certificate, pair.key, pair.certificate))


class Certified:
    """A collector with a certificate, which asks senders for theirs."""

    def __init__(self, store: Store, directory: Path, file: Path) -> None:
        self.authority = Authority(directory)
        self.own = self.authority.signs("collector.example")
        tls = Tls(self.own.certificate, self.own.key, self.authority.certificate)
        self.collector = assembly.collector(config(store, directory, access=file, tls=tls))

    def context(self, pair: Pair | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority.certificate)
        if pair is not None:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def channel(self, pair: Pair | None) -> grpc.Channel:
        trusted = self.authority.certificate.read_bytes()
        shown = (pair.key.read_bytes(), pair.certificate.read_bytes()) if pair else (None, None)
        return grpc.secure_channel(self.collector.addresses.otlp_grpc, grpc.ssl_channel_credentials(trusted, *shown))


@pytest.fixture
def certified(empty_store: Store, tmp_path: Path, file: Path) -> Iterator[Certified]:
    made = Certified(empty_store, tmp_path, file)
    with made.collector:
        yield made


def test_a_certificate_is_a_credential_too(certified: Certified):
    gateway = certified.authority.signs("gateway.acme.example")
    context = certified.context(gateway)
    assert send(certified.collector, call("a", "web", 1000), {}, context=context) == 200
    assert export(certified.channel(gateway), call("b", "web", 1000)) is grpc.StatusCode.OK
    opened(certified.collector).rollup()
    _, _, traces = asked(certified.collector.addresses.api, "GET", "/v1/traces", bearer("reads"))
    assert sorted(each["trace_id"][0] for each in json.loads(traces)["traces"]) == ["a", "b"]


def test_a_certificate_that_no_credential_names_needs_a_token(certified: Certified):
    nameless = certified.authority.signs("someone.example")
    context = certified.context(nameless)
    assert send(certified.collector, call("a", "web", 1), {}, context=context) == 401
    assert send(certified.collector, call("a", "web", 1), bearer("of-acme"), context=context) == 200
    assert export(certified.channel(nameless), call("a", "web", 1)) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.fault("certificates")
def test_without_a_valid_certificate_nobody_comes_in(certified: Certified, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    for shown in (
        None,
        Authority(other).signs("gateway.acme.example"),
        certified.authority.signs("gateway.acme.example", until=-DAY),
    ):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            send(certified.collector, call("a", "web", 1), bearer("of-acme"), context=certified.context(shown))
        assert export(certified.channel(shown), call("a", "web", 1), "of-acme") is grpc.StatusCode.UNAVAILABLE


def test_plain_senders_are_not_understood_where_there_is_tls(certified: Certified):
    url = certified.collector.addresses.otlp_http.replace("https", "http")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        asked(url, "POST", "/v1/traces", bearer("of-acme"), call("a", "web", 1))


def test_a_renewed_certificate_needs_no_restart(certified: Certified):
    gateway = certified.authority.signs("gateway.acme.example")

    def shown() -> int:
        place = certified.collector.addresses.otlp_http.partition("://")[2]
        connection = http.client.HTTPSConnection(place, timeout=20, context=certified.context(gateway))
        with closing(connection):
            connection.connect()
            return int(connection.sock.getpeercert()["serialNumber"], 16)

    before = shown()
    certified.authority.signs("collector.example")
    os.utime(certified.own.key, ns=(1, 1))
    assert shown() != before
    assert export(certified.channel(gateway), call("a", "web", 1)) is grpc.StatusCode.OK
    certified.own.key.write_text("half a key")
    assert shown() != before


def test_files_that_make_no_certificate_are_told(tmp_path: Path):
    pair, other = (Authority(tmp_path, name).signs(f"{name}.example") for name in ("one", "two"))
    with pytest.raises(TlsError, match=r"one\.example\.pem.*two\.example\.key.*belong together"):
        Tls(pair.certificate, other.key).context()
    with pytest.raises(TlsError, match="authority of senders"):
        Tls(pair.certificate, pair.key, pair.key).context()


def test_a_key_that_wants_a_password_is_told(tmp_path: Path):
    pair = Authority(tmp_path).signs("one.example", password=b"secret")
    with pytest.raises(TlsError, match="cannot be used"):
        Tls(pair.certificate, pair.key).context()


def test_a_right_that_is_not_there_is_told_by_name(file: Path):
    with pytest.raises(ForbiddenError, match="'reader' may not send"):
        Credentials(file).admit("send", "bearer reads", ())
