"""The project's own modules as syntax trees: who imports what, and how long things are."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[3]
LAYER = ROOT / "layers" / "common"
PACKAGE = "bigin_import"
_LAYOUT = frozenset(
    {
        *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
        *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
    }
)

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of functions/ or of the layer; *name* as Python imports it."""

    name: str
    path: Path

    @property
    def short(self) -> str:
        """The name without the package: "tabular.join"."""
        return self.name.removeprefix(f"{PACKAGE}.")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Modules that are imported when this one is; `if TYPE_CHECKING:` is not."""
        return frozenset(_imported(self.tree))

    @property
    def own_imports(self) -> frozenset[str]:
        return frozenset(name for name in self.imports if name.split(".")[0] == PACKAGE)

    @property
    def foreign_imports(self) -> frozenset[str]:
        return frozenset(name.split(".")[0] for name in self.imports - self.own_imports)

    def functions(self) -> Iterator[Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def lines_of_code(self) -> int:
        """Count lines that hold more than a comment or a docstring."""
        with io.StringIO(self.path.read_text(encoding="utf-8")) as text:
            tokens = [t for t in tokenize.generate_tokens(text.readline) if t.type not in _LAYOUT]
        lines = {n for token in tokens for n in range(token.start[0], token.end[0] + 1)}
        return len(lines - set(_docstring_lines(self.tree)))


def modules() -> dict[str, Module]:
    """Return every module of ours by its name; packages under their own."""
    found = [
        Module(".".join(path.relative_to(base).with_suffix("").parts), path)
        for base, folder in ((LAYER, LAYER / PACKAGE), (ROOT, ROOT / "functions"))
        for path in sorted(folder.rglob("*.py"))
    ]
    named = (Module(each.name.removesuffix(".__init__"), each.path) for each in found)
    return {module.name: module for module in named}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in _run_on_import_or_later(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (_source(node.module, alias.name) for alias in node.names)


def _run_on_import_or_later(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _run_on_import_or_later(node)


def _source(module: str, name: str) -> str:
    """Return what `from module import name` imports: a submodule of ours, or *module*."""
    path = LAYER.joinpath(*module.split("."))
    is_module = (path / f"{name}.py").exists() or (path / name / "__init__.py").exists()
    return f"{module}.{name}" if is_module else module


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
