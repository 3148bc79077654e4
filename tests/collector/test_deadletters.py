import json
from pathlib import Path

from tokentrace_collector.journal.deadletters import DeadLetters


def test_letters_say_what_was_refused_and_why(tmp_path: Path):
    letters = DeadLetters(tmp_path / "dead-letters.jsonl")
    letters.keep([(b"\x00\xff", "no id")], tenant="acme")
    (letter,) = map(json.loads, letters.path.read_text().splitlines())
    assert (letter["tenant"], letter["reason"], letter["content"]) == ("acme", "no id", "AP8=")


def test_letters_are_for_their_owner_alone(tmp_path: Path):
    letters = DeadLetters(tmp_path / "dead-letters.jsonl")
    letters.keep([(b"secret", "no id")], tenant="acme")
    assert letters.path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_letters_make_room_for_new_ones(tmp_path: Path):
    letters = DeadLetters(tmp_path / "dead-letters.jsonl", most_bytes=2000)
    for number in range(100):
        letters.keep([(b"x" * 50, str(number))], tenant="acme")
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["dead-letters.jsonl", "dead-letters.old.jsonl"]
    assert sum(file.stat().st_size for file in files) < 2500
    assert json.loads(files[0].read_text().splitlines()[-1])["reason"] == "99"
