"""gapscope's docstrings, whose sections hold `names : prose`, as reStructuredText.

    Parameters
    ----------
    gap : magnitude in meV,
        positive.

becomes a field with an item per line of names. numpydoc and napoleon would take the prose for a
type. Indented blocks are formulas, and a | in prose is a bar and begins no substitution.
"""

import re
from collections.abc import Iterator

import gapscope.errors

FIELDS = ("Parameters", "Attributes", "Raises", "Warns")
ENTRY = re.compile(r"(?P<names>[\w.]+(?:, *[\w.]+)*) : (?P<prose>.*)")
LITERAL = re.compile(r"(``.+?``|`[^`]+`)")


def setup(app):
    """Connect to autodoc."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}


def process(app, what, name, obj, options, lines):
    """Rewrite a docstring in place."""
    lines[:] = rewritten(lines)


def rewritten(lines: list[str]) -> Iterator[str]:
    """The lines with every section as a field."""
    for head, body in sections(lines):
        if head in (*FIELDS, "Returns"):
            yield f":{head}:"
            for line in body:
                entry = ENTRY.fullmatch(line) if head in FIELDS else None
                if entry:
                    names = ", ".join(shown(name.strip()) for name in entry["names"].split(","))
                    line = f"* {names} -- {bars(entry['prose'])}"
                elif head in FIELDS:
                    line = "  " + bars(line.strip())
                else:
                    line = bars(line)
                yield f"    {line}".rstrip()
            yield ""
        else:
            yield from prose(body)


def sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Pairs of a section's name, empty for what comes first, and its lines."""
    name, body, index = "", [], 0
    while index < len(lines):
        under = lines[index + 1] if index + 1 < len(lines) else ""
        if lines[index].strip() and set(under) == {"-"} and len(under) == len(lines[index]):
            yield name, body
            name, body, index = lines[index], [], index + 2
        else:
            body.append(lines[index])
            index += 1
    yield name, body


def prose(lines: list[str]) -> Iterator[str]:
    """Indented blocks after an empty line as literal blocks, the rest as it is."""
    formula = False
    for before, line in zip(["", *lines], lines, strict=False):
        indented = line.startswith("    ")
        if indented and not formula and not before.strip():
            yield from ("::", "")
            formula = True
        elif line.strip() and not indented:
            formula = False
        table = line.startswith("=")
        yield line if formula or table else bars(line)


def shown(name: str) -> str:
    """A name in bold, or a link where it is one of gapscope's errors."""
    if hasattr(gapscope.errors, name):
        return f":py:exc:`~gapscope.errors.{name}`"
    return f"**{name}**"


def bars(line: str) -> str:
    """A line of prose in which | stands for itself."""
    parts = LITERAL.split(line)
    return "".join(part if i % 2 else part.replace("|", r"\|") for i, part in enumerate(parts))
