from __future__ import annotations

import pytest

from tokentrace import Config


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith(("TOKENTRACE_", "OTEL_")):
            monkeypatch.delenv(name)


def test_the_default_is_a_collector_on_this_machine():
    assert Config.resolve().endpoint == "http://127.0.0.1:4318/v1/traces"


def test_an_argument_wins_over_our_variable_and_ours_over_opentelemetrys(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4318")
    otel = Config.resolve().endpoint
    monkeypatch.setenv("TOKENTRACE_ENDPOINT", "http://ours:4318/")
    ours = Config.resolve().endpoint
    given = Config.resolve(endpoint="http://given:1").endpoint
    assert (otel, ours, given) == (
        "http://otel:4318/v1/traces", "http://ours:4318/v1/traces", "http://given:1/v1/traces",
    )  # fmt: skip


def test_the_exact_traces_url_of_opentelemetry_is_used_as_it_is(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://gateway/custom")
    assert Config.resolve().endpoint == "http://gateway/custom"


def test_grpc_keeps_its_address_without_a_path(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    config = Config.resolve()
    assert (config.protocol, config.endpoint) == ("grpc", "http://otel:4317")


def test_an_argument_for_grpc_keeps_its_address_too():
    assert Config.resolve(endpoint="http://otel:4317", protocol="grpc").endpoint == "http://otel:4317"


@pytest.mark.parametrize("given", [{}, {"endpoint": "http://ours:4318"}], ids=["variable", "argument"])
def test_the_protocol_of_another_endpoint_does_not_leak_into_ours(monkeypatch, given):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=theirs")
    if not given:
        monkeypatch.setenv("TOKENTRACE_ENDPOINT", "http://ours:4318")
    config = Config.resolve(**given)
    assert (config.protocol, config.endpoint, dict(config.headers)) == (
        "http/protobuf", "http://ours:4318/v1/traces", {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "used"), [(None, "http://127.0.0.1:4317"), ("http://ours:4317", "http://ours:4317")]
)
@pytest.mark.parametrize("by", ["variable", "argument"])
def test_grpc_has_a_port_and_a_shape_of_its_own(monkeypatch, by, endpoint, used):
    if by == "variable":
        monkeypatch.setenv("TOKENTRACE_PROTOCOL", "grpc")
    given = {"endpoint": endpoint} | ({"protocol": "grpc"} if by == "argument" else {})
    assert Config.resolve(**given).endpoint == used


def test_who_asks_opentelemetry_for_json_gets_protobuf(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    assert Config.resolve().protocol == "http/protobuf"


def test_pairs_are_decoded(monkeypatch):
    monkeypatch.setenv("TOKENTRACE_HEADERS", "authorization=Bearer%20x, x-team = a")
    monkeypatch.setenv("TOKENTRACE_HOSTS", "10.0.0.7:8000=self_hosted")
    monkeypatch.setenv("TOKENTRACE_TAGS", "team=search,region=eu")
    config = Config.resolve()
    assert (dict(config.headers), dict(config.hosts), dict(config.tags)) == (
        {"authorization": "Bearer x", "x-team": "a"},
        {"10.0.0.7:8000": "self_hosted"},
        {"team": "search", "region": "eu"},
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TOKENTRACE_QUEUE_SIZE", "many", "TOKENTRACE_QUEUE_SIZE is 'many'"),
        ("TOKENTRACE_QUEUE_SIZE", "0", "queue size 0"),
        ("TOKENTRACE_PROTOCOL", "carrier-pigeon", "'carrier-pigeon'"),
        ("TOKENTRACE_ENDPOINT", "localhost:4318", "'localhost:4318/v1/traces' is not a URL"),
    ],
)
def test_nonsense_is_refused_by_its_name(monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=said):
        Config.resolve()


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="colour"):
        Config.resolve(colour="blue")
