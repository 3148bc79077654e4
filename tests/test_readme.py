"""The code in the guides runs as it stands there, in a process of its own, and does what the text beside it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import answering
import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ("README.md", "sdk/README.md", "collector/README.md", "schemas/README.md", "deploy/README.md")

RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5-mini-2025-08-07", "status": "completed",
    "output": [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "usage": {
        "input_tokens": 14, "output_tokens": 90, "total_tokens": 104,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 64},
    },
}  # fmt: skip


def blocks():
    for guide in GUIDES:
        for number, block in enumerate(
            re.findall(r"```python\n(.*?)```", (ROOT / guide).read_text("utf-8"), re.DOTALL), 1
        ):
            yield pytest.param(block, id=f"{guide} {number}")


@pytest.fixture
def world():
    with answering.world(RESPONSE) as made:
        yield made


def run(code, world):
    env = os.environ | {
        "OPENAI_BASE_URL": world.url, "OPENAI_API_KEY": "none", "TOKENTRACE_ENDPOINT": world.url,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=env, check=False
    )


@pytest.mark.parametrize("block", list(blocks()))
def test_a_block_runs_as_it_stands(block, world):
    result = run(block, world)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_first_example_delivers_the_call_it_makes(world):
    block = re.search(
        r"```python\n(import tokentrace\nfrom openai.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    run(block[1], world)
    assert world.names == ["chat gpt-5-mini"]


def test_every_link_inside_the_repository_leads_somewhere():
    broken = [
        f"{guide}: {target}"
        for guide in GUIDES
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", (ROOT / guide).read_text("utf-8"))
        if not (ROOT / guide).parent.joinpath(target).exists()
    ]
    assert broken == []


def test_the_price_book_of_the_guide_is_a_valid_one(tmp_path):
    from tokentrace_collector.prices import book

    (block,) = re.findall(
        r"```yaml\n(version: 1\nhuman_review.*?)```", (ROOT / "collector/README.md").read_text("utf-8"), re.DOTALL
    )
    written = tmp_path / "prices.yaml"
    written.write_text(block, encoding="utf-8")
    assert [pool.id for pool in book.read(written).pools] == ["h200"]


def test_the_rules_and_aliases_of_the_guide_are_valid_ones():
    from tokentrace_collector.prices import book

    (block,) = re.findall(
        r"```yaml\n(version: 1\nrules.*?)```", (ROOT / "collector/README.md").read_text("utf-8"), re.DOTALL
    )
    read = book.parse(block)
    assert ([rule.id for rule in read.rules], len(read.aliases)) == (
        ["ea-2026", "eu-residency", "geo", "old-batch", "eu-batch"],
        3,
    )


def test_whatever_else_the_guides_show_of_a_price_book_can_be_read():
    from tokentrace_collector.prices import book

    texts = [(ROOT / name).read_text("utf-8") for name in ("collector/README.md", "schemas/README.md")]
    blocks = [each for text in texts for each in re.findall(r"```yaml\n(version: 1\n.*?)```", text, re.DOTALL)]
    books = [book.parse(each) for each in blocks if "patterns:" not in each]
    assert sum(len(each.platform) for each in books) == 4
    assert {each.currency for each in books} == {"USD", "EUR"}


def test_the_patterns_of_the_guide_find_what_they_are_called(tmp_path):
    from tokentrace_collector.otlp import privacy

    (block,) = re.findall(
        r"```yaml\n(version: 1\npatterns.*?)```", (ROOT / "collector/README.md").read_text("utf-8"), re.DOTALL
    )
    patterns = privacy.Privacy(patterns=privacy.parse(block))
    assert patterns.redacted("from a.b@example.com, 4111 1111 1111 1111") == "from [email], ****"
