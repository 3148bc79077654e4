"""`tokentrace run`: programs that know nothing of us, in processes of their own, and what is told of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import venv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from answering import Answering, serving

TIMES = "\N{MULTIPLICATION SIGN}"
TOKENTRACE = [sys.executable, "-c", "from tokentrace_collector.cli import main; main()"]
ASK = """
import openai

def ask(model="gpt-5-mini"):
    said = [{"role": "user", "content": "2+2?"}]
    return openai.OpenAI().chat.completions.create(model=model, messages=said).choices[0].message.content
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider that answers everything, each time under an id of its own."""

    class Handler(Answering):
        answers = 0

        def reply(self):
            request = json.loads(self.asked())
            Handler.answers += 1
            usage = {
                "prompt_tokens": 2014, "completion_tokens": 164, "total_tokens": 2178,
                "prompt_tokens_details": {"cached_tokens": 1024},
                "completion_tokens_details": {"reasoning_tokens": 64},
            }  # fmt: skip
            message = {"role": "assistant", "content": "4"}
            answer = {
                "id": f"chatcmpl-{Handler.answers}", "object": "chat.completion", "created": 1,
                "model": request["model"], "usage": usage,
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            }  # fmt: skip
            self.answer(json.dumps(answer).encode())

    with serving(Handler) as address:
        yield address


class World:
    """A directory with programs, and the environment they run in."""

    def __init__(self, directory: Path, provider: str) -> None:
        self.directory = directory
        foreign = ("TOKENTRACE_", "OTEL_", "COVERAGE_")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        # What a provider of another host is asked costs what OpenAI asks for it.
        self.env |= {
            "OPENAI_BASE_URL": provider,
            "OPENAI_API_KEY": "none",
            "COLUMNS": "100",
            "PYTHONIOENCODING": "utf-8",
        }
        self.env["TOKENTRACE_HOSTS"] = f"{provider.removeprefix('http://')}=openai"
        self.write("asking.py", ASK)

    def write(self, name: str, code: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`tokentrace run …`, with the report as JSON in a file."""
        command = [*TOKENTRACE, "run", "--json", "--output", "report.json", *arguments]
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.env | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @property
    def report(self) -> dict:
        return json.loads((self.directory / "report.json").read_text())

    @property
    def calls(self) -> list[int]:
        return [profile["calls"] for profile in self.report["profiles"]]


@pytest.fixture
def world(tmp_path, provider) -> World:
    return World(tmp_path, provider)


@pytest.fixture(scope="module")
def script(tmp_path_factory, provider):
    """A script with steps that has been run, and what became of it."""
    made = World(tmp_path_factory.mktemp("script"), provider)
    made.write(
        "app.py",
        """
        import sys
        import tokentrace
        from asking import ask

        for _ in range(3):
            with tokentrace.tags(team="search"), tokentrace.step("question", role="answer"):
                with tokentrace.step("plan", role="plan"):
                    ask()
                ask("gpt-5")
        print(sys.stdin.read(), *sys.argv[1:], sep="|")
        print("said", file=sys.stderr)
        sys.exit(3)
        """,
    )
    command = [*TOKENTRACE, "run", "--json", "--output", "report.json", "--", sys.executable, "app.py", "--json", "-x"]
    done = subprocess.run(
        command, cwd=made.directory, env=made.env, capture_output=True, text=True, check=False, input="in", timeout=300
    )
    return made, done


def test_a_program_keeps_its_arguments_its_input_its_output_and_its_status(script):
    _, done = script
    assert (done.stdout, done.stderr, done.returncode) == ("in|--json|-x\n", "said\n", 3)


def test_the_components_of_the_whole_program_add_up_to_its_total(script):
    (profile,) = script[0].report["profiles"]
    components = {name: Decimal(amount) for name, amount in profile["components"].items()}
    assert (sum(components.values()) == Decimal(profile["total"]), [name for name, amount in components.items() if amount]) == (
        True, ["visible", "hidden_reasoning", "orchestration"],
    )  # fmt: skip


def test_requests_of_one_shape_are_one_tree(script):
    (profile,) = script[0].report["profiles"]
    names = {span["span_id"]: span["name"] for span in profile["spans"]}
    tree = {span["name"]: names.get(span["parent_id"]) for span in profile["spans"]}
    root = profile["root"]
    assert (profile["requests"], profile["calls"], tree) == (
        3,
        6,
        {
            root: None,
            f"question {TIMES}3": root,
            f"plan {TIMES}3": f"question {TIMES}3",
            f"chat gpt-5-mini {TIMES}3": f"plan {TIMES}3",
            f"chat gpt-5 {TIMES}3": f"question {TIMES}3",
        },
    )


def test_the_tokens_of_a_tree_are_those_of_all_its_calls(script):
    (profile,) = script[0].report["profiles"]
    (call,) = (span for span in profile["spans"] if span["name"] == f"chat gpt-5 {TIMES}3")
    assert call["tokens"] == {
        "cache_read": 3 * 1024, "input_text": 3 * 990, "output_reasoning": 3 * 64, "output_text": 3 * 100,
    }  # fmt: skip


def test_what_all_requests_have_in_common_stands_at_the_top(script):
    (profile,) = script[0].report["profiles"]
    assert profile["attribution"] == {"team": "search"}


def test_a_tree_is_drawn_after_the_programs_own_words(world):
    world.write("app.py", "from asking import ask; print(ask()); ask()")
    command = [*TOKENTRACE, "run", "--", sys.executable, "app.py"]
    done = subprocess.run(command, cwd=world.directory, env=world.env, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert (done.stdout, done.returncode, next(line for line in lines if "chat gpt-5-mini" in line)[:21]) == (
        "4\n", 0, f"└─ chat gpt-5-mini {TIMES}2",
    )  # fmt: skip
    assert [line.split()[0] for line in lines if line.endswith("%")] == [
        "visible", "hidden", "orchestration", "errors", "human", "infrastructure", "total",
    ]  # fmt: skip


def test_a_module_and_its_children_of_every_kind_are_metered(world):
    world.write("app/__init__.py", "")
    world.write(
        "app/__main__.py",
        """
        import multiprocessing, subprocess, sys
        from asking import ask

        if __name__ == "__main__":
            ask()
            subprocess.run([sys.executable, "-c", "from asking import ask; ask()"], check=True)
            for way in ("spawn", "fork"):
                process = multiprocessing.get_context(way).Process(target=ask)
                process.start()
                process.join()
        """,
    )
    done = world.run("--", sys.executable, "-m", "app")
    assert (done.returncode, done.stderr, world.calls) == (0, "", [4])


def test_a_console_script_is_metered_and_the_sitecustomize_that_was_there_runs(world):
    world.write("site/sitecustomize.py", "import builtins; builtins.customized = 'yes'")
    tool = world.write("tool", f"#!{sys.executable}\nfrom asking import ask\nprint(ask(), customized)\n")
    tool.chmod(0o755)
    paths = [str(world.directory / "site"), str(world.directory), *filter(None, [world.env.get("PYTHONPATH")])]
    done = world.run("./tool", PYTHONPATH=os.pathsep.join(paths))
    assert (done.stdout, world.calls) == ("4 yes\n", [1])


def test_an_interpreter_of_another_environment_is_metered_where_it_finds_tokentrace(world):
    venv.create(world.directory / "other")
    python = world.directory / "other" / "bin" / "python"
    world.write("app.py", "from asking import ask; print(ask())")
    world.env.pop("PYTHONPATH", None)
    (packages,) = (world.directory / "other" / "lib").glob("python*/site-packages")
    blind = world.run("--", str(python), "-c", "print('works')")
    (packages / "other.pth").write_text("\n".join(each for each in sys.path if each))
    seeing = world.run("--", str(python), "app.py")
    assert (blind.returncode, blind.stdout, f"processes of {python} were not metered: ModuleNotFoundError" in blind.stderr) == (
        0, "works\n", True,
    )  # fmt: skip
    assert (seeing.stdout, world.calls) == ("4\n", [1])


@pytest.mark.parametrize(
    ("handler", "status", "said"),
    [("signal.signal(15, lambda *_: sys.exit(7))", 7, "ready\n"), ("pass", -15, "ready\n")],
)
def test_a_signal_reaches_the_program_and_its_end_is_ours(world, handler, status, said):
    world.write(
        "app.py",
        f"""
        import signal, sys, tokentrace
        from asking import ask
        ask()
        tokentrace.flush(30)
        {handler}
        print("ready", flush=True)
        signal.pause()
        """,
    )
    command = [*TOKENTRACE, "run", "--json", "--output", "report.json", "--", sys.executable, "app.py"]
    process = subprocess.Popen(command, cwd=world.directory, env=world.env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    heard = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert (heard, process.returncode, world.report["status"], world.calls) == (said, status, status, [1])


def test_a_program_that_is_not_there_has_the_status_of_a_shell(world):
    done = world.run("--", "no-such-program")
    assert (done.returncode, "no-such-program" in done.stderr) == (127, True)


def test_books_are_kept_where_a_store_is_given(world):
    store = f"chdb://{world.directory}/books"
    world.write("app.py", "from asking import ask; ask()")
    world.run("--store", store, "--", sys.executable, "app.py")
    asked = [*TOKENTRACE, "traces", "--json", "--store", store]
    kept = subprocess.run(asked, env=world.env, capture_output=True, text=True, check=True).stdout
    assert json.loads(kept)["total"] == world.report["profiles"][0]["total"]
