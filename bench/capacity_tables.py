"""The report of ``bench.capacity`` as the Markdown tables of docs/scaling.md."""

from collections.abc import Iterable, Mapping
from typing import Any

Report = Mapping[str, Any]


def tables(report: Report) -> dict[str, str]:
    """By name, in the order of the page."""
    stacks = report["stacks"]
    return {
        "steps": _table(
            ("step", "value", "source"),
            ((f"`{name}`", each["value"], each["source"]) for name, each in report["steps"].items()),
        ),
        "settings": _table(
            ("", *(stack["settings"]["name"] for stack in stacks)),
            (
                (f"`{name}`", *(stack["settings"][name] for stack in stacks))
                for name in stacks[0]["settings"]
                if name != "name"
            ),
        ),
        "documents a day": _bounds(stacks, "documents_a_day"),
        "questions a second": _bounds(stacks, "questions_a_second"),
        "under load": _table(
            ("", "questions a second, of which 1 % are refused", "time to an answer at half of it, s: p50 / p95",
             "at all of it", "processors of the database that are busy then"),
            (
                (
                    stack["settings"]["name"],
                    stack["simulated"]["saturation"],
                    _both(stack["simulated"]["half"], "p50_s", "p95_s"),
                    _both(stack["simulated"]["full"], "p50_s", "p95_s"),
                    stack["simulated"]["full"]["database_busy"],
                )
                for stack in stacks
            ),
        ),
        "room": _table(
            ("", *stacks[0]["room"]),
            (
                (stack["settings"]["name"], *(" of ".join(map(shown, each)) for each in stack["room"].values()))
                for stack in stacks
            ),
        ),
        "instances": _table(
            ("", *(f"{int(more) + 1} instances" for more in stacks[0]["database_readers"])),
            ((stack["settings"]["name"], *stack["database_readers"].values()) for stack in stacks),
        ),
        "growth": _table(
            ("chunks", "hot, GiB", "ACU", "clusters", "search, ms: p50 / p95", "stored, GB", "storage, $ a month",
             "ACU, $ a month", "to embed, $", "days to fill"),
            (
                (
                    each["chunks"], each["hot_gib"], each["acu"], each["clusters"],
                    _both(each, "search_p50_ms", "search_p95_ms"), each["stored_gb"], each["storage_usd"],
                    each["acu_usd"], each["embedding_usd"], each["days_to_fill"],
                )
                for each in report["growth"]
            ),
        ),
        "groups": _table(
            ("groups", "chunks of each", "ACU of each", "search, ms: p50 / p95", "all ACU, $ a month",
             "all NAT gateways, $ a month"),
            (
                (
                    each["groups"], each["chunks"], each["acu"], _both(each, "search_p50_ms", "search_p95_ms"),
                    each["acu_usd"], each["network_usd"],
                )
                for each in report["groups"]
            ),
        ),
        "limits": _table(
            ("limit", "value", "source"),
            ((name, each["value"], each["source"]) for name, each in report["limits"].items()),
        ),
    }  # fmt: skip


def _bounds(stacks: Iterable[Report], name: str) -> str:
    """Each stack's bounds, the least first."""
    rows = [
        (stack["settings"]["name"], *(f"{shown(bound['value'])} ({bound['what']})" for bound in stack[name]))
        for stack in stacks
    ]
    return _table(("", "the first limit", *(["then"] * (len(rows[0]) - 2))), rows)


def _both(values: Report, one: str, other: str) -> str:
    return f"{shown(values[one])} / {shown(values[other])}"


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([shown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(cell: Any) -> str:
    """Numbers of a thousand and more with commas and without a fraction."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return f"{cell:,.0f}" if abs(cell) >= 1000 or cell == int(cell) else f"{cell:g}"
    return str(cell)
