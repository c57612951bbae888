"""
Which functions reach a port, read off the source: at once, or through functions that they call.

What something is, is read off annotations: of parameters, of fields, of properties. A method
that is handed on (`partial(self._send_part, current)`) counts as called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tests.unit.architecture.source import PACKAGE, Module

# Ports that stay within the process: signing an address, threads that do the caller's work.
PURE_PORTS = frozenset({"CallbackUrls", "Parallel"})
PURE_METHODS = frozenset({("Clock", "now"), ("Clock", "remaining_seconds")})


@dataclass(frozen=True)
class Place:
    """A function, by its module, its class ("" without one) and its name."""

    module: str
    owner: str
    name: str

    def __str__(self) -> str:
        return ".".join(filter(None, (self.module.removeprefix(f"{PACKAGE}."), *self._rest)))

    @property
    def _rest(self) -> tuple[str, str]:
        return self.owner, self.name


@dataclass
class Code:
    """All functions of some modules, and what they call."""

    modules: dict[str, Module]
    functions: dict[Place, ast.FunctionDef] = field(default_factory=dict)
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    home: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, module in self.modules.items():
            for node in module.tree.body:
                match node:
                    case ast.FunctionDef():
                        self.functions[Place(name, "", node.name)] = node
                    case ast.ClassDef():
                        self._add_class(name, node)

    def _add_class(self, module: str, node: ast.ClassDef) -> None:
        self.home[node.name] = module
        self.fields[node.name] = dict(_fields(node))
        for method in node.body:
            if isinstance(method, ast.FunctionDef):
                self.functions[Place(module, node.name, method.name)] = method

    @cached_property
    def imported(self) -> dict[str, dict[str, str]]:
        """Module -> name that it imports -> where that is from."""
        return {name: dict(_imported(module.tree)) for name, module in self.modules.items()}

    @cached_property
    def ports(self) -> dict[str, set[str]]:
        """Port -> its methods that leave the process."""
        every: dict[str, set[str]] = {}
        for place in self.functions:
            pure = place.owner in PURE_PORTS or (place.owner, place.name) in PURE_METHODS
            if place.module == f"{PACKAGE}.ports" and not pure:
                every.setdefault(place.owner, set()).add(place.name)
        return every

    def reaching(self) -> dict[Place, str]:
        """Return every function that reaches a port -> the port, or what it gets there by."""
        uses = {place: tuple(dict.fromkeys(self._uses(place))) for place in self.functions}
        found = {
            place: f"{owner}.{name}"
            for place, used in uses.items()
            for owner, name in used
            if name in self.ports.get(owner, ())
        }
        while True:
            more = {
                place: str(called)
                for place, used in uses.items()
                if place not in found
                for called in (self._place_of(place.module, *each) for each in used)
                if called in found and called.name != "__init__"
            }
            if not more:
                return found
            found |= more

    def _place_of(self, module: str, owner: str, name: str) -> Place:
        if owner:
            return Place(self.home.get(owner, ""), owner, name)
        return Place(self.imported[module].get(name, module), "", name)

    def _uses(self, place: Place) -> Iterator[tuple[str, str]]:
        """Yield what a function names: (class, method), or ("", function)."""
        node = self.functions[place]
        types = {each.arg: _type(each.annotation) for each in _parameters(node)}
        types["self"] = place.owner
        for each in ast.walk(node):
            match each:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    types.setdefault(name, self._type_of(value, types))
                case ast.With(items=items):
                    for item in items:
                        if isinstance(item.optional_vars, ast.Name):
                            context = self._type_of(item.context_expr, types)
                            types.setdefault(item.optional_vars.id, context)
        for each in ast.walk(node):
            match each:
                case ast.Attribute(value=value, attr=name):
                    if owner := self._type_of(value, types):
                        yield owner, name
                case ast.Name(id=name, ctx=ast.Load()):
                    yield "", name

    def _type_of(self, node: ast.expr, types: dict[str, str]) -> str:
        match node:
            case ast.Name(id=name):
                return types.get(name, "")
            case ast.Attribute(value=value, attr=name):
                return self.fields.get(self._type_of(value, types), {}).get(name, "")
            case ast.Call(func=ast.Name(id=name)) if name in self.home:
                return name
        return ""


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                yield name, _type(annotation)
            case ast.FunctionDef(name="__init__"):
                yield from _assigned(each)
            case ast.FunctionDef(name=name, decorator_list=[ast.Name(id=decorator)]):
                if decorator in ("property", "cached_property"):
                    yield name, _type(each.returns)


def _assigned(made: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    types = {each.arg: _type(each.annotation) for each in _parameters(made)}
    for each in ast.walk(made):
        match each:
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=ast.Name(id=given)):
                yield name, types.get(given, "")


def _parameters(node: ast.FunctionDef) -> Iterator[ast.arg]:
    yield from (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)


def _type(annotation: ast.expr | None) -> str:
    """Return the class that an annotation names; of `Files | None` the first; "" of others."""
    match annotation:
        case ast.Name(id=name):
            return name
        case ast.BinOp(left=ast.Name(id=name), op=ast.BitOr()):
            return name
    return ""


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.module or "") for alias in node.names)
