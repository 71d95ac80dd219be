"""The pages of docs/ and the README hold what they say: links, commands, names. Builds nothing."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

import gapscope
from gapscope.cli import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)
ALL = [ROOT / "README.md", *PAGES]
PYTHON = ("python", "{code-cell} ipython3")
FENCE = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    .*\n?)+", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^()\s]+)\)")
INLINE = re.compile(r"`(?P<code>gapscope [^`]+)`")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", ALL, ids=name_of)


@dataclass(frozen=True)
class Page:
    """Prose without code, and blocks of code as (kind, text); indented ones have no kind."""

    prose: str
    blocks: tuple[tuple[str, str], ...]

    @property
    def python(self) -> Iterator[ast.Module]:
        for kind, body in self.blocks:
            lines = [line for line in body.splitlines() if not line.startswith((":", "%"))]
            if kind in PYTHON and not body.startswith("%%"):
                yield ast.parse("\n".join(lines))


@cache
def read(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    fenced = [(m["kind"].strip(), m["body"]) for m in FENCE.finditer(text)]
    rest = FENCE.sub("", text)
    indented = [("", re.sub("^    ", "", m[0], flags=re.M)) for m in INDENTED.finditer(rest)]
    return Page(INDENTED.sub("", rest), (*fenced, *indented))


def toctree(page: Path) -> Iterator[Path]:
    for kind, body in read(page).blocks:
        if kind == "{toctree}":
            for entry in (line.strip() for line in body.splitlines()):
                titled = re.fullmatch(r".* <(.*)>", entry)
                if entry and not entry.startswith(":"):
                    yield from page.parent.glob(f"{titled[1] if titled else entry}.md")


def commands(page: Path) -> Iterator[list[str]]:
    """Arguments of every command line of gapscope in a block of code."""
    for kind, body in read(page).blocks:
        if kind in ("", "bash", "sh", "console") or body.startswith("%%bash"):
            for line in body.replace("\\\n", " ").splitlines():
                if line.startswith("gapscope "):
                    words = shlex.split(line, comments=True)
                    end = next((i for i, w in enumerate(words) if w in ("|", ">", "2>")), None)
                    yield words[1:end]


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and what is left of them."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]} in gapscope {command.name}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def _statements(module: ast.Module) -> Iterator[ast.stmt]:
    """Statements at the top of a module, those that only type checkers see among them."""
    for node in module.body:
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from node.body


@cache
def names_in(module: str) -> frozenset[str]:
    """Names at the top of a module, read from its source: importing Keras takes seconds."""
    found = importlib.util.find_spec(module)
    assert found is not None, f"no module {module}"
    assert found.origin is not None
    path = Path(found.origin)
    names = {p.stem for p in path.parent.glob("*.py")} if path.stem == "__init__" else set()
    names |= {p.parent.name for p in path.parent.glob("*/__init__.py")} if names else set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return frozenset(names)


def test_every_page_is_in_a_table_of_contents() -> None:
    reached, new = set(), {DOCS / "index.md"}
    while new:
        reached |= new
        new = {child.resolve() for page in new for child in toctree(page)} - reached
    assert reached == set(PAGES)


@every_page
def test_links_lead_to_files(page: Path) -> None:
    targets = [m["target"] for m in LINK.finditer(read(page).prose)]
    included = [kind.split()[1] for kind, _ in read(page).blocks if kind.startswith("{include}")]
    local = [t.partition("#")[0] for t in targets if not re.match(r"[a-z]+:|#", t)] + included
    assert [t for t in local if not (page.parent / t).exists()] == []


@every_page
def test_commands_parse(page: Path) -> None:
    for words in commands(page):
        command, arguments = command_of(words)
        try:
            command.make_context("gapscope", list(arguments))
        except click.exceptions.Exit:  # --help
            pass
        except click.ClickException as error:
            pytest.fail(f"gapscope {shlex.join(words)}: {error.format_message()}")


@every_page
def test_options_named_in_prose_exist(page: Path) -> None:
    for match in INLINE.finditer(read(page).prose):
        command, words = command_of(shlex.split(match["code"])[1:])
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}
        unknown = [w for w in words if w.startswith("-") and w not in known]
        assert unknown == [], match["code"]


@every_page
def test_names_of_gapscope_exist(page: Path) -> None:
    for tree in read(page).python:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gapscope"):
                wanted = {alias.name for alias in node.names}
                assert wanted <= names_in(str(node.module)), (node.module, wanted)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.startswith("gapscope"):
                        assert names_in(alias.name)
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "gs":
                assert node.attr in {*gapscope.__all__, "errors"}, f"gs.{node.attr}"


@every_page
def test_no_path_of_a_machine(page: Path) -> None:
    assert re.findall(r"(?:/work|/root|/home)/\S*", page.read_text(encoding="utf-8")) == []


def test_the_reference_has_every_public_name() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "api").glob("*.md"))
    documented = set(re.findall(r"^\.\. auto\w+:: (?:gapscope\.)?(\S+)", text, re.MULTILINE))
    wanted = {*gapscope.__all__, *gapscope.physics.__all__}
    figures = (ROOT / "python/gapscope/plots").glob("[a-z]*.py")
    wanted |= {f"plots.{path.stem}" for path in figures}
    wanted |= {"measured", "measured.preparation", "errors"}
    assert wanted <= documented


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=name_of)
def test_what_the_reference_names_exists(page: Path) -> None:
    module = "gapscope"
    for line in page.read_text(encoding="utf-8").splitlines():
        directive = re.fullmatch(r"\.\. (?:auto(\w+)|py:module|currentmodule):: (\S+)", line)
        members = re.fullmatch(r"   :members: (.+)", line)
        if directive and directive[1] in (None, "module"):
            module = directive[2]
            assert names_in(module)
        elif directive:
            parent, _, name = directive[2].rpartition(".")
            assert name in names_in(parent or module), line
        elif members:
            assert {n.strip() for n in members[1].split(",")} <= names_in(module), line
