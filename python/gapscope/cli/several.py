"""Options of several numbers may be written with commas: ``--energy 0,0.5``, ``--range -4,4``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click
from click.types import FloatParamType, IntParamType

PARTED = re.compile(r"\s*[,;]\s*|\s+")
"""What parts the numbers of one word, such as "0, 0.5" in quotes."""


def spread(command: click.Command, arguments: Sequence[str]) -> list[str]:
    """Arguments of a command as click wants them.

    Numbers after an option of several values are parted at commas, and an option that is repeated
    for every number is repeated for each of them: ``--energy 0,0.5`` and, in commands that take
    no arguments of their own, ``--energy 0 0.5`` become ``--energy 0 --energy 0.5``. A word in
    quotes may be parted by spaces or semicolons, too.
    """
    options = [p for p in command.params if isinstance(p, click.Option)]
    several = {name: option for option in options if _takes(option) for name in option.opts}
    free = any(isinstance(p, click.Argument) for p in command.params)
    waiting, out = list(arguments), list[str]()
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            return [*out, word, *waiting]
        if name not in several:
            out.append(word)
            continue
        option = several[name]
        repeated = option.nargs == 1
        numbers = [value] if equals else []
        if not numbers and waiting:
            numbers.append(waiting.pop(0))
        # A list may be parted by spaces, too: "0, 0.5" or (for a repeated option) "0 0.5".
        while waiting and _is_number(waiting[0]) and _goes_on(numbers, option, free):
            numbers.append(waiting.pop(0))
        parts = [part for text in numbers for part in _parts(text)]
        if parts and not repeated and len(parts) != option.nargs:
            example = [str(n) for n in range(1, option.nargs + 1)]
            raise click.UsageError(
                f"Option '{name}' takes {option.nargs} numbers, written {name} {' '.join(example)}"
                f" or {name} {','.join(example)}. Received: {' '.join(numbers)}"
            )
        if repeated and parts:
            out += [word for part in parts for word in (name, part)]
        else:
            out += [name, *parts]
    return out


def _takes(option: click.Option) -> bool:
    """Whether an option takes several numbers, at once or by being repeated."""
    kinds = getattr(option.type, "types", [option.type])
    numbers = all(isinstance(kind, FloatParamType | IntParamType) for kind in kinds)
    return numbers and (option.multiple or option.nargs > 1)


def _goes_on(numbers: list[str], option: click.Option, free: bool) -> bool:
    if numbers and numbers[-1].endswith(","):
        return True
    if option.nargs == 1:
        return not free
    return sum(1 for text in numbers for _ in _parts(text)) < option.nargs


def _parts(text: str) -> Iterator[str]:
    """A list's parts; a word that holds something else than numbers is left to click."""
    parts = PARTED.split(text.strip())
    if parts[-1] == "":
        parts.pop()
    yield from parts if parts and all(_is_number(part) for part in parts) else [text]


def _is_number(text: str) -> bool:
    try:
        float(text.rstrip(","))
    except ValueError:
        return False
    return True
