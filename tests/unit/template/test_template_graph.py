"""CloudFormation refuses cycles, and `sam validate --lint` does not see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.template_reading import Template, transformed

SUB_NAME = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def names_in(value: object) -> Iterator[str]:
    """Yield everything that *value* refers to: resources, parameters, pseudo parameters."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": str(text)}:
            yield text.partition(".")[0]
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (name.partition(".")[0] for name in SUB_NAME.findall(text))
        case {"Fn::Sub": [str(text), dict(local)]}:
            yield from (n for n in names_in({"Fn::Sub": text}) if n not in local)
            yield from names_in(local)
        case dict():
            for inner in value.values():
                yield from names_in(inner)
        case list():
            for inner in value:
                yield from names_in(inner)


def needs(template: Template) -> dict[str, set[str]]:
    """Return for each logical id those that must exist before it."""
    resources = template["Resources"]
    graph: dict[str, set[str]] = {}
    for name, resource in resources.items():
        depends = resource.get("DependsOn", [])
        explicit = {depends} if isinstance(depends, str) else set(depends)
        graph[name] = (explicit | set(names_in(resource["Properties"]))) & resources.keys()
    return graph


def order_of_creation(template: Template) -> list[str]:
    """Return logical ids in an order in which they can be created."""
    return list(TopologicalSorter(needs(template)).static_order())


def everything_before(name: str, graph: dict[str, set[str]]) -> set[str]:
    return graph[name].union(*(everything_before(each, graph) for each in graph[name]))


def test_the_stack_can_be_created_in_some_order() -> None:
    template = transformed()

    order = order_of_creation(template)

    assert set(order) == set(template["Resources"])
    assert "ImportCsvFunction" in everything_before("DropBucket", needs(template))


@pytest.mark.parametrize(
    "reference",
    [
        {"Ref": "DropBucket"},
        {"Fn::GetAtt": "DropBucket.Arn"},
        {"Fn::GetAtt": ["DropBucket", "Arn"]},
        {"Fn::Sub": "${DropBucket}-of-ours"},
        {"Fn::Sub": ["${DropBucket.Arn}/${Key}", {"Key": "incoming"}]},
        {"Fn::If": ["HasBucketName", {"Ref": "BucketName"}, {"Ref": "DropBucket"}]},
    ],
)
def test_a_function_that_names_the_bucket_by_reference_would_be_a_cycle(reference: object) -> None:
    template = transformed()
    variables = template["Resources"]["ImportCsvFunction"]["Properties"]["Environment"]["Variables"]
    variables["BUCKET_NAME"] = reference

    with pytest.raises(CycleError):
        order_of_creation(template)


def test_every_reference_is_to_something_that_exists() -> None:
    template = transformed()
    known = template["Resources"].keys() | template["Parameters"].keys()

    unknown = {
        name
        for part in (template["Resources"], template["Outputs"])
        for name in names_in(part)
        if name not in known and not name.startswith("AWS::")
    }

    assert unknown == set()
