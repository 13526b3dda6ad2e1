"""The page of the MCP server's tools, from the capabilities themselves."""

from __future__ import annotations

from docs.codes import MADE
from mlops_core.mcp_server.offers import OFFERS, WORDS, tools_of
from mlops_core.tool import Tool

_COMMON = 2
"""A tool that so many words offer is common to them."""


def tools() -> str:
    """Every tool once, below the word whose capability declares it."""
    alias = {word: name for name, words in OFFERS.items() for word in words}
    shared = [tool for tool in tools_of(WORDS[0]) if sum(tool in tools_of(word) for word in WORDS) > _COMMON]
    lines = [
        "# MCP tools",
        MADE,
        "One server; each agent's role may invoke the alias of its own word, which offers that word's tools and the common ones.",
        "An acting tool takes a `key` too: a repeated call with the same key has one effect.",
        "How to use them yourself: [assistants](../how-to/assistants.md).",
        "",
        "## Every alias",
        "",
        *_table(shared),
    ]
    seen = {tool.name for tool in shared}
    for word in WORDS:
        mine = [tool for tool in tools_of(word) if tool.name not in seen]
        seen |= {tool.name for tool in mine}
        title = word if alias[word] == word else f"{word} (alias `{alias[word]}`)"
        lines += ["", f"## {title}", "", *_table(mine)]
    return "\n".join(lines) + "\n"


def _table(found: list[Tool]) -> list[str]:
    """Name, arguments without the key, whether it acts, and the first paragraph of its words."""
    rows = []
    for tool in found:
        arguments = ", ".join(f"`{name}`" for name in tool.arguments.model_fields if name != "key")
        says = " ".join(tool.description.split("\n\n")[0].split()).replace("|", "\\|")
        rows.append(f"| `{tool.name}` | {arguments} | {'acts' if tool.mutating else 'reads'} | {says} |")
    return ["| tool | arguments | | what it does |", "| --- | --- | --- | --- |", *rows]
