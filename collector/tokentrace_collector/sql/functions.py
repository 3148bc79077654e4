"""The functions that SQL of others may use: those that compute from their arguments, and from nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from tokentrace_collector.store.reading import Handle

_PURE = (
    "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance", "Encoding",
    "Financial", "Geo", "Geo Polygon", "Hash", "IP Address",
    "JSON", "Logical", "Map", "Mathematical", "Null", "Random Number",
    "Rounding", "String", "String Replacement", "String Search", "String Splitting", "Time Window", "Tuple",
    "Type Conversion", "URL", "UUID",
)  # fmt: skip
"""The engine's categories in which nothing reads files, dictionaries, tables, the network or the machine."""

_MORE = (
    "bar", "bitWrap", "byteSize", "countDigits",
    "currentDatabase", "currentUser", "defaultValueOfArgumentType", "defaultValueOfTypeName",
    "digits", "displayName", "errorCodeToName", "finalizeAggregation", "formatQuery", "formatQueryOrNull",
    "formatQuerySingleLine", "formatReadableDecimalSize", "formatReadableQuantity", "formatReadableSize",
    "formatReadableTimeDelta", "getSizeOfEnumType", "getSubcolumn",
    "identity", "ignore", "indexHint", "initializeAggregation",
    "isConstant", "isDecimalOverflow", "lowCardinalityIndices", "lowCardinalityKeys", "materialize", "neighbor",
    "normalizeQuery", "normalizedQueryHash", "parseReadableSize", "parseReadableSizeOrNull", "parseReadableSizeOrZero",
    "parseTimeDelta", "revision", "rowNumberInAllBlocks", "rowNumberInBlock", "runningAccumulate", "runningDifference",
    "runningDifferenceStartingWithFirstValue", "throwIf", "timezone", "toColumnTypeName", "toTypeName", "transform",
    "variantElement", "variantType", "version", "visibleWidth",
)  # fmt: skip
"""Of the category of all others, those that do the same or tell what every client asks when it connects."""

_OF_THE_PARSER = frozenset({"lambda", "exists", "grouping", "CAST", "_CAST", "countDistinct", "untuple"})
"""What the parser writes for syntax, and the engine lists under no name."""

_TABLES = frozenset({"numbers", "values", "VALUES", "zeros", "generate_series", "generateSeries", "null"})
"""Table functions that make rows out of their arguments."""

_NEVER = frozenset({"flameGraph"})

_SCALARS = """
SELECT each.name
FROM system.functions AS each
INNER JOIN system.functions AS origin ON origin.name = if(each.alias_to = '', each.name, each.alias_to)
WHERE each.is_aggregate = 0
    AND each.origin = 'System'
    AND (origin.categories IN ({pure}) OR origin.name IN ({more}))
"""


@dataclass(frozen=True, slots=True)
class Functions:
    """The allowed ones, as one engine knows them."""

    scalars: frozenset[str]
    aggregates: frozenset[str]
    combinators: tuple[str, ...]
    any_case: frozenset[str]
    """Those of both kinds that may be written in capitals, in lower case."""

    @classmethod
    def of(cls, engine: Handle) -> Functions:
        """Those of an engine."""
        scalars = set(engine.names(_SCALARS.format(pure=_listed(_PURE), more=_listed(_MORE))))
        # A name that is a table function, too, could be used as one.
        scalars -= set(engine.names("SELECT name FROM system.table_functions")) - {"format"}
        aggregates = set(engine.names("SELECT name FROM system.functions WHERE is_aggregate AND origin = 'System'"))
        capitals = set(engine.names("SELECT lower(name) FROM system.functions WHERE case_insensitive"))
        known = {name.lower() for name in scalars | aggregates - _NEVER}
        return cls(
            scalars=frozenset(scalars | _OF_THE_PARSER | _TABLES),
            aggregates=frozenset(aggregates - _NEVER),
            combinators=tuple(engine.names("SELECT name FROM system.aggregate_function_combinators")),
            any_case=frozenset(capitals & known),
        )

    def allow(self, name: str) -> bool:
        """Whether SQL of others may call it; an aggregate function may carry combinators."""
        return name in self.scalars or self._is_allowed(name) or self._is_aggregate(name)

    def _is_allowed(self, name: str) -> bool:
        return name in self.aggregates or name.lower() in self.any_case

    def _is_aggregate(self, name: str) -> bool:
        shorter = (name.removesuffix(each) for each in self.combinators if name.endswith(each))
        return any(self._is_allowed(each) or self._is_aggregate(each) for each in shorter)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
