"""`tokentrace access`, and the commands that ask a collector which lets in only whom it knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.conftest import answering, fill
from click.testing import CliRunner

from tokentrace_collector import access
from tokentrace_collector.cli.group import tokentrace


@pytest.fixture
def run(tmp_path: Path):
    def ran(*arguments: str, **environment: str):
        return CliRunner().invoke(
            tokentrace, arguments, env={"TOKENTRACE_ACCESS": str(tmp_path / "a.yaml"), **environment}
        )

    return ran


def test_a_credential_is_added_and_its_token_lets_in(run, tmp_path: Path):
    first = run("access", "add", "shop", "--tenant", "acme", "--may", "send", "--may", "ask")
    second = run("access", "add", "gateway", "--tenant", "acme", "--may", "send", "--certificate", "gateway.example")
    assert (first.exit_code, second.exit_code) == (0, 0)
    token = first.stdout.strip()
    text = (tmp_path / "a.yaml").read_text()
    assert token.startswith("tt_")
    assert token not in text
    credentials = access.Credentials(tmp_path / "a.yaml")
    assert credentials.admit("ask", f"Bearer {token}", ()).tenant == "acme"
    assert credentials.admit("send", "", ["gateway.example"]).name == "gateway"
    listed = [json.loads(line) for line in run("access", "list", "--json").stdout.splitlines()]
    assert listed == [
        {"name": "gateway", "tenant": "acme", "may": "send", "by": "certificate gateway.example"},
        {"name": "shop", "tenant": "acme", "may": "ask send", "by": "token"},
    ]
    assert run("access", "list").stdout.splitlines()[1] == "shop  acme  ask send  token"


def test_what_stands_in_the_file_stays_as_it_is(run, tmp_path: Path):
    written = "version: 1\n# Ours.\ncredentials:\n  - {name: a, tenant: t, may: [send], certificate: c}  # Kept.\n"
    (tmp_path / "a.yaml").write_text(written)
    assert run("access", "add", "b", "--tenant", "t: x", "--may", "ask").exit_code == 0
    assert (tmp_path / "a.yaml").read_text().startswith(written)
    assert {grant.tenant for grant in access.read(tmp_path / "a.yaml").tokens.values()} == {"t: x"}


def test_a_name_that_is_taken_is_told_and_nothing_is_written(run, tmp_path: Path):
    run("access", "add", "shop", "--tenant", "acme", "--may", "send")
    before = (tmp_path / "a.yaml").read_text()
    again = run("access", "add", "shop", "--tenant", "other", "--may", "send")
    assert (again.exit_code, (tmp_path / "a.yaml").read_text()) == (2, before)
    assert "'shop' stands here twice" in again.stderr


def test_the_token_of_the_environment_is_shown(store, run, tmp_path: Path):
    fill(store)
    token = run("access", "add", "reader", "--tenant", "default", "--may", "ask").stdout.strip()
    with answering(store, access.Credentials(tmp_path / "a.yaml")) as url:
        assert len(run("traces", "--json", "--url", url, TOKENTRACE_TOKEN=token).stdout.splitlines()) == 1
        refused = run("traces", "--url", url)
        assert (refused.exit_code, "Authorization: Bearer" in refused.stderr) == (2, True)


def test_whose_figures_are_read_of_a_store_is_said_by_the_environment(store, run):
    fill(store)
    assert run("traces", "--json", "--store", str(store.address), TOKENTRACE_TENANT="other").stdout == ""
    found = run("traces", "--json", "--store", str(store.address), TOKENTRACE_TENANT="default")
    assert len(found.stdout.splitlines()) == 1


@pytest.mark.parametrize("given", ["--tls-certificate", "--tls-key", "--tls-client-ca"])
def test_half_a_certificate_is_refused(run, tmp_path: Path, given: str):
    (tmp_path / "x.pem").write_text("")
    run("access", "add", "shop", "--tenant", "acme", "--may", "send")
    result = run("collector", given, str(tmp_path / "x.pem"))
    assert (result.exit_code, "both --tls-certificate and --tls-key" in result.stderr) == (2, True)
