"""The command as it is typed: help at once, and a remedy where a package is missing."""

import subprocess
import sys

import pytest

from tokentrace_collector.cli import group

COMMANDS = [
    "demo",
    "run",
    "collector",
    "traces",
    "trace",
    "report",
    "top",
    "export",
    "journal",
    "access",
    "rollup",
    "delete",
    "reprice",
    "close",
    "commitments",
    "outcomes",
    "payments",
    "capacity",
    "energy",
    "prices",
    "fetch-tokenizers",
    "doctor",
]


def run(*arguments, before=""):
    script = f"import sys\n{before}\nsys.argv = ['tokentrace', *{arguments!r}]\nfrom tokentrace_collector.cli import main\nmain()"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_help_names_every_command():
    answer = run("--help")
    assert (answer.returncode, [each for each in COMMANDS if f"\n  {each} " in answer.stdout]) == (0, COMMANDS)


def test_help_imports_nothing_that_takes_time():
    heavy = ["rich", "starlette", "chdb", "clickhouse_connect", "uvicorn", "grpc", "opentelemetry", "yaml"]
    watch = f"import atexit; atexit.register(lambda: print([each for each in {heavy} if each in sys.modules], file=sys.stderr))"
    assert run("--help", before=watch).stderr.strip() == "[]"


@pytest.mark.parametrize("command", [*COMMANDS, "prices diff", "prices update", "prices import"])
def test_every_command_explains_itself(command):
    answer = run(*command.split(), "--help")
    assert (answer.returncode, answer.stderr, "Usage: tokentrace" in answer.stdout) == (0, "", True)
    assert "\\b" not in answer.stdout


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("click", ("--help",), "collector"),
        ("click", ("demo",), "demo"),
        ("rich", ("doctor",), "collector"),
        ("clickhouse_connect", ("traces",), "collector"),
        ("openai", ("demo",), "demo"),
        ("google.genai", ("demo",), "demo"),
    ],
)
def test_a_missing_package_is_answered_with_the_pip_line(package, arguments, extra):
    answer = run(*arguments, before=f"sys.modules[{package!r}] = None")
    assert (answer.returncode, f"pip install 'tokentrace[{extra}]'" in answer.stderr) == (2, True)


def test_a_module_of_no_extra_is_a_bug_and_says_so():
    answer = run("doctor", before="sys.modules['tokentrace_collector.store.dsn'] = None")
    assert "ModuleNotFoundError" in answer.stderr


def test_an_unknown_command_is_a_wrong_use():
    assert run("cook").returncode == 2


def test_the_version_is_told():
    assert run("--version").stdout.startswith("tokentrace 0.")


def test_listed_commands_exist():
    assert list(group.tokentrace.list_commands(None)) == COMMANDS


@pytest.mark.parametrize(
    ("times", "remedy"),
    [
        (
            ("--retention-raw", "30d", "--retention-calls", "1w"),
            "raw=30d is longer than calls=7d, which is made of them.",
        ),
        (("--retention-costs", "3x"), "'3x' says not how long. Write 36h, 30d, 52w or 5y."),
        (("--retention-calls", "1d"), "calls=1d is too short. Keep them 2d or longer."),
    ],
)
def test_a_collector_says_why_nothing_can_be_kept_so(times, remedy):
    answer = run("collector", *times)
    assert (answer.returncode, remedy in " ".join(answer.stderr.split())) == (2, True), answer.stderr
