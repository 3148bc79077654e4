"""What SQL of others may contain: the engine's own parse of it is looked through, and what is not known is refused."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from tokentrace_collector.sql.errors import Code, QuestionError
from tokentrace_collector.sql.functions import Functions

_KINDS = frozenset({
    "ArrayJoin", "Asterisk", "ColumnsExceptTransformer", "ColumnsListMatcher", "ColumnsRegexpMatcher",
    "ColumnsReplaceTransformer", "ColumnsReplaceTransformer::Replacement", "ColumnsTransformerList", "ExpressionList",
    "Function", "Identifier", "InterpolateElement", "Literal", "OrderByElement", "QualifiedAsterisk",
    "QualifiedColumnsListMatcher", "QualifiedColumnsRegexpMatcher", "SelectIntersectExceptQuery", "SelectQuery",
    "SelectWithUnionQuery", "Subquery", "TableExpression", "TableIdentifier", "TableJoin", "TablesInSelectQuery",
    "TablesInSelectQueryElement", "WindowDefinition", "WindowListElement", "WithElement",
})  # fmt: skip
"""The nodes of a parse that hold nothing but what the others show."""

_REMEDIES = {
    "ColumnsApplyTransformer": "Write the function for each column instead of APPLY",
    "SampleRatio": "Leave out SAMPLE",
}

_SELECT = "SelectWithUnionQuery (children 1)"
"""A SELECT without INTO OUTFILE, FORMAT and SETTINGS, which would be further children."""

_EXPLAIN = re.compile(r"Explain EXPLAIN[A-Z ]* \(children 1\)")
_DESCRIBE = re.compile(r"DescribeQuery \(children 1\)\n TableExpression \(children 1\)\n  TableIdentifier [^\n]*\n?")
_TABLE = re.compile(r"(?P<name>\w+(?:\.\w+)?)(?: \(alias [^.()]*\))?(?: \(children \d+\))?")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one who asks may name."""

    functions: Functions
    tables: frozenset[str]
    """Tables of other databases, as `database.table`; those of the database one is in need no name of it."""
    others: str
    """How the databases of tenants begin: whether one is there is nobody's business."""
    may_explain: bool = False
    """Whether plans may be shown: they tell how much lies in the tables, of whomever."""

    def check(self, tree: str, databases: Collection[str]) -> None:
        """Look through what `EXPLAIN AST` gives of one statement; raises QuestionError.

        No line can be hidden: each node begins one, and text that a name smuggles in can only add more of them. So
        each line is judged for itself, and the first, which holds no name, for what else the statement would do.
        """
        lines = tree.rstrip("\n").split("\n")
        if _DESCRIBE.fullmatch(tree):
            self._check_table(lines[2].strip().removeprefix("TableIdentifier "))
            return
        if self.may_explain and _EXPLAIN.fullmatch(lines[0]):
            lines = [lines[1].removeprefix(" "), *lines[2:]] if len(lines) > 1 else lines
        if lines[0] != _SELECT:
            raise QuestionError(
                Code.READONLY,
                "Only a SELECT is answered here, without INTO OUTFILE and SETTINGS; also SHOW TABLES, SHOW DATABASES "
                "and DESCRIBE TABLE.",
            )
        for line in lines:
            kind, _, rest = line.lstrip(" ").partition(" ")
            self._check_node(kind, rest, databases)

    def _check_node(self, kind: str, rest: str, databases: Collection[str]) -> None:
        if kind == "Set":
            raise QuestionError(Code.READONLY, "Cannot modify settings in a part of a query. Leave out SETTINGS.")
        if kind not in _KINDS:
            remedy = _REMEDIES.get(kind, f"Write it without {kind!r}")
            raise QuestionError(Code.ACCESS_DENIED, f"{remedy}: it is not answered here.")
        if kind == "Function" and not self.functions.allow(name := rest.partition(" ")[0]):
            raise QuestionError(Code.ACCESS_DENIED, f"The function {name!r} is not answered here. Use another.")
        if kind == "TableIdentifier":
            self._check_table(rest)
        # Right of IN, a name may be one of a table.
        if kind == "Identifier" and rest.startswith((self.others, *(f"{each}." for each in databases))):
            raise QuestionError(
                Code.ACCESS_DENIED, f"{rest!r} may be a table. Write IN (SELECT …), or columns without the database."
            )

    def _check_table(self, rest: str) -> None:
        named = _TABLE.fullmatch(rest)
        name = named["name"] if named else rest
        if named is None or ("." in name and name not in self.tables):
            raise QuestionError(Code.ACCESS_DENIED, f"The table {name!r} is not answered here. SHOW TABLES lists all.")
