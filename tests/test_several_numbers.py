"""Options of several numbers take them with commas or spaces, whichever the user tries first."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from gapscope.cli.main import main
from gapscope.cli.several import spread


def commands(command: click.Command) -> list[click.Command]:
    children = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(one for child in children for one in commands(child))]


SEVERAL = {
    f"{command.name} {option.opts[0]}": (command, option)
    for command in commands(main)
    for option in command.params
    if isinstance(option, click.Option)
    and (option.multiple or option.nargs > 1)
    and any(
        isinstance(kind, click.types.FloatParamType | click.types.IntParamType)
        for kind in getattr(option.type, "types", [option.type])
    )
}


def test_the_options_are_found() -> None:
    assert {"simulate --energy", "simulate --moment", "simulate --also", "dos --range"} <= set(
        SEVERAL
    )
    assert {"spectrum --range", "prepare --centre"} <= set(SEVERAL)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("written", ["{option} {list}", "{option}={list}"])
@pytest.mark.parametrize("comma", [",", ", "])
def test_commas_part_numbers(name: str, written: str, comma: str) -> None:
    command, option = SEVERAL[name]
    flag, numbers = option.opts[0], [str(-n) for n in range(max(option.nargs, 2))]
    typed = written.format(option=flag, list=comma.join(numbers)).split(" ")
    repeated = [word for number in numbers for word in (flag, number)]
    expected = repeated if option.nargs == 1 else [flag, *numbers]
    before, after = ["--unknown", "x"], ["-o", "5"]
    assert spread(command, [*before, *typed, *after]) == [*before, *expected, *after]


def values(text: str) -> dict[str, object]:
    arguments = ["--irrep", "A1u", "--gap", "1", "-o", "x.nc", *text.split()]
    context = main.commands["simulate"].make_context(
        "simulate", spread(main.commands["simulate"], arguments)
    )
    return context.params


@pytest.mark.parametrize(
    "text",
    [
        "--energy 0,-0.5",
        "--energy 0, -0.5",
        "--energy 0 -0.5",
        "--energy=0,-0.5",
        "--energy 0 --energy -0.5",
    ],
)
def test_energies_arrive_in_their_order(text: str) -> None:
    assert values(text + " --impurity 50")["energies"] == (0.0, -0.5)


@pytest.mark.parametrize("word", ["0 -0.5", "0; -0.5", " 0,-0.5 ", "0;-0.5,"])
def test_a_word_in_quotes_is_a_list(word: str) -> None:
    simulate = main.commands["simulate"]
    expected = ["--energy", "0", "--energy", "-0.5"]
    assert (
        spread(simulate, ["--energy", word]) == spread(simulate, [f"--energy={word}"]) == expected
    )
    assert spread(simulate, ["--energy", "0,,1"]) == ["--energy", "0,,1"]


def test_options_with_one_number_are_left_alone() -> None:
    params = values("--moment 1,0,-5 --also 30,2,-1 --also -10 0 3 --impurity -50")
    assert params["moment"] == (1.0, 0.0, -5.0)
    assert params["also"] == ((30.0, 2, -1), (-10.0, 0, 3))
    assert params["impurity"] == -50.0


def test_files_after_an_option_stay_files() -> None:
    prepare = main.commands["prepare"]
    assert spread(prepare, ["--centre", "1,2", "3"]) == ["--centre", "1", "2", "3"]
    assert spread(prepare, ["--", "--centre", "1,2"]) == ["--", "--centre", "1,2"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["dos", "--range", "4"], "takes 2 numbers, written --range 1 2 or --range 1,2"),
        (["simulate", "--moment", "1,2"], "takes 3 numbers, written --moment 1 2 3"),
        (["simulate", "--energy", "0,x"], "'0,x' is not a valid float"),
        (["simulate", "--energy"], "requires an argument"),
    ],
)
def test_too_few_numbers_and_words_are_refused(typed: list[str], message: str) -> None:
    result = CliRunner().invoke(main, typed)
    assert result.exit_code == 2
    assert message in result.output
