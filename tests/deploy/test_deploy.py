"""What cannot be run here is read as its reader would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_service_unit_is_valid_and_confined(tmp_path):
    unit = tmp_path / "tokentrace-collector.service"
    # The program is not installed on a machine that only runs tests.
    unit.write_text(
        (DEPLOY / unit.name).read_text().replace("/opt/tokentrace/bin/tokentrace", "/bin/true"), encoding="utf-8"
    )
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    # Units of the machine itself are complained about too.
    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    exposure = float(rated.stdout.split("Overall exposure level for")[1].split(":")[1].split()[0])
    assert exposure <= 2.5


def test_the_opentelemetry_collector_writes_our_table_and_loses_nothing():
    config = yaml.safe_load((DEPLOY / "otel-collector.yaml").read_text(encoding="utf-8"))
    exporter = config["exporters"]["clickhouse"]
    assert (exporter["database"], exporter["traces_table_name"], exporter["create_schema"]) == (
        "tokentrace",
        "otel_traces",
        False,
    )
    queue = exporter["sending_queue"]
    assert config["extensions"][queue["storage"]]["fsync"] is True
    assert (queue["block_on_overflow"], exporter["retry_on_failure"]["max_elapsed_time"]) == (True, "0s")


def test_the_opentelemetry_collector_that_passes_spans_on_loses_nothing():
    config = yaml.safe_load((DEPLOY / "otel-collector-forward.yaml").read_text(encoding="utf-8"))
    exporter = config["exporters"]["otlp_http"]
    queue = exporter["sending_queue"]
    assert config["extensions"][queue["storage"]]["fsync"] is True
    assert (queue["block_on_overflow"], exporter["retry_on_failure"]["max_elapsed_time"]) == (True, "0s")


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.glob("otel-collector*.yaml")))
def test_every_component_of_an_opentelemetry_collector_is_defined_and_used(name):
    config = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    used = {kind: set(names) for kind, names in config["service"]["pipelines"]["traces"].items()}
    used["extensions"] = set(config["service"]["extensions"])
    assert used == {kind: set(config[kind]) for kind in ("receivers", "processors", "exporters", "extensions")}
