"""`tokentrace report --html`: a page that says what the report says, asks nobody, and runs nothing that the books contain."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TEAM = "tokentrace.attribution.team"
HOSTILE = (
    "<script>document.title='broken'</script>", '"><img src=x onerror="document.title=\'broken\'">', "&lt;b&gt;",
    "</style><style>body{display:none}</style>",
)  # fmt: skip
VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """The elements of a page, and its tables by class: of each row the texts, and the exact amounts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.tables, self.open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.rows = self.tables[dict(attributes)["class"]] = {"tbody": [], "tfoot": [], "thead": []}
        if tag == "tr":
            self.rows[self.open[-2]].append(([], []))
        if tag in {"td", "th"}:
            self.cell()[0].append("")
        if tag == "data" and "table" in self.open:
            self.cell()[1].append(Decimal(dict(attributes)["value"]))

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cell()[0][-1] += data

    def cell(self):
        return self.rows[next(each for each in reversed(self.open) if each in self.rows)][-1]


def run(*arguments):
    return CliRunner().invoke(tokentrace, ["report", *arguments], env={"COLUMNS": "140"})


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Teams and a model with hostile names, one of them without a price."""
    ledger = fresh_ledger()
    for number, team in enumerate((*HOSTILE, "quiet")):
        tokens = {"input_text": 1000 * (9 - number), "output_reasoning": 77}
        ledger.call(f"a{number}", "1", tokens=tokens, said={TEAM: team})
    ledger.call("b", "1", tokens={"input_text": 1000}, model="<i>none</i>", said={TEAM: "quiet"})
    ledger.call("c", "1", tokens={"input_text": 333}, failed=True, said={TEAM: "quiet"})
    ledger.tick()
    return ledger


@pytest.fixture(scope="module", params=["store", "collector"])
def asked(request, books, led):
    """Options that lead to these books."""
    with led(books.store, request.param) as options:
        yield options


@pytest.fixture(scope="module")
def page(asked, tmp_path_factory):
    """The page by team, its file, and the report as JSON."""
    file = tmp_path_factory.mktemp("page") / "report.html"
    answer = run("--by", "team", "--html", str(file), *asked)
    assert (answer.exit_code, answer.stdout, str(file) in answer.stderr) == (0, "", True)
    report = [json.loads(line) for line in run("--by", "team", "--json", *asked).stdout.splitlines()]
    return file.read_text("utf-8"), file, report


def test_the_tables_say_what_the_report_says_to_the_last_digit(page):
    text, _, report = page
    tables = Page(text).tables
    amounts = [[*map(Decimal, each["components"].values()), Decimal(each["total"])] for each in report]
    assert [exact for _, exact in tables["groups"]["tbody"]] == amounts
    sums = [sum(column) for column in zip(*amounts, strict=True)]
    assert [exact for _, exact in tables["groups"]["tfoot"]] == [sums]
    assert [exact[0] for _, exact in tables["components"]["tbody"]] == sums[:-1]
    assert tables["components"]["tfoot"][0][1] == [sums[-1]]
    assert [each["group"]["team"] for each in report] == [cells[0] for cells, _ in tables["groups"]["tbody"]]


def test_what_is_shown_of_a_group_adds_up(page):
    for cells, _ in Page(page[0]).tables["components"]["tbody"]:
        assert re.fullmatch(r"\$[\d.]+", cells[1])
    shown = [Decimal(cells[1].strip("$")) for cells, _ in Page(page[0]).tables["components"]["tbody"]]
    assert sum(shown) == Decimal(Page(page[0]).tables["components"]["tfoot"][0][0][1].strip("≥ ~$"))


def test_nothing_of_the_books_is_markup_and_nothing_asks_or_runs(page):
    elements = Page(page[0]).elements
    assert {tag for tag, _ in elements} <= {
        "html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2", "p", "div", "data", "table",
        "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "svg", "desc", "text", "rect",
    }  # fmt: skip
    assert not {name for _, said in elements for name in said} & {"src", "href", "style", "onerror", "onload", "action"}
    assert not re.search(r"https?:|url\(|@import", page[0])


def test_the_policy_admits_the_one_style_and_nothing_else(page):
    (style,) = re.findall(r"<style>(.*?)</style>", page[0], re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policies = [
        said["content"] for _, said in Page(page[0]).elements if said.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"]


def test_a_total_that_is_a_lower_bound_says_so(page):
    assert "≥ $" in page[0]
    whole = re.search(r'<p class="total"><data value="[^"]*">([^<]+)</data>', page[0])[1]
    assert f'text-anchor="end">{whole}</text>' in page[0]
    assert Page(page[0]).tables["components"]["tfoot"][0][0][1] == whole
    assert "lines of cost have a price, so that the total is a lower bound" in page[0]


def test_every_picture_and_table_has_a_name(page):
    elements = Page(page[0]).elements
    names = {said["id"] for _, said in elements if "id" in said}
    (drawing,) = (said for tag, said in elements if tag == "svg")
    assert (drawing["role"], set(drawing["aria-labelledby"].split()) <= names) == ("img", True)
    headers = [said.get("scope") for tag, said in elements if tag == "th"]
    assert set(headers) == {"col", "row"}
    regions = [said for tag, said in elements if said.get("role") == "region"]
    assert [(said["tabindex"], bool(said["aria-label"])) for said in regions] == [("0", True)] * 2


def test_bars_end_where_the_next_begin_and_the_last_at_the_total(page):
    bars = [said for tag, said in Page(page[0]).elements if tag == "rect" and said["class"] != "rail"]
    ends = [Decimal(said["x"].rstrip("%")) + Decimal(said["width"].rstrip("%")) for said in bars]
    assert bars[-1]["class"] == "whole"
    for said, end in zip(bars[1:-1], ends, strict=False):
        assert abs(Decimal(said["x"].rstrip("%")) - end) < Decimal("0.001")
    assert abs(ends[-2] - 100) < Decimal("0.001")


def test_time_and_the_sum_of_the_others_have_a_column_and_a_row(asked, tmp_path):
    file = tmp_path / "report.html"
    run("--by", "team", "--by", "model", "--per", "day", "--limit", "1", "--html", str(file), *asked)
    table = Page(file.read_text("utf-8")).tables["groups"]
    assert table["thead"][0][0][:3] == ["day", "team", "model"]
    assert [cells[:3] for cells, _ in table["tbody"]] == [
        ["2026-11-20", HOSTILE[0], "gpt-6-sol"], ["2026-11-20", "all others", ""],
    ]  # fmt: skip


def test_nothing_spent_is_a_page_that_says_so(asked, tmp_path):
    file = tmp_path / "report.html"
    assert run("--team", "nobody", "--html", str(file), *asked).exit_code == 0
    assert "Nothing was spent" in file.read_text("utf-8")


@pytest.mark.parametrize("wrong", [("--csv",), ("--json",)])
def test_a_page_is_nothing_beside_it(wrong, tmp_path):
    assert run("--html", str(tmp_path / "x"), *wrong).exit_code == 2


def test_a_page_that_cannot_be_written_is_told(asked, tmp_path):
    answer = run("--html", str(tmp_path / "none" / "x.html"), *asked)
    assert (answer.exit_code, "cannot be written" in answer.stderr) == (2, True)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here to open the page in")
def test_a_browser_shows_the_names_as_text_and_loads_nothing(page, tmp_path):
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=2000",
    )
    shown = subprocess.run(
        [BROWSER, *options, "--dump-dom", page[1].as_uri()], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert "<title>Total cost of AI ownership</title>" in shown
    assert "&lt;script&gt;document.title='broken'&lt;/script&gt;" in shown
    assert [tag for tag, _ in Page(shown).elements].count("style") == 1
    assert not re.search(r"<(script|img)\b", shown)
