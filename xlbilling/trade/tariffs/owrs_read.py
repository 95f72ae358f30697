"""OWRS files read: YAML text into classes and fields, each with its line; nothing is evaluated here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import yaml

from xlbilling.trade.tariffs.expressions import FormulaError, Node, Number, parse
from xlbilling.words.problems import Kind, Place, Problem, Refusal, declare

YAML_FAULT: Final = declare(
    "owrs_yaml",
    "The tariff file is not well-formed YAML.",
    "Correct that line: indent with spaces, and the fields of a class all equally far.",
)
DUPLICATE_KEY: Final = declare(
    "owrs_duplicate_key",
    "A tariff file says the same thing twice, and only one of the two can be meant.",
    "Rename or delete one of the two lines.",
)
OWRS_SHAPE: Final = declare(
    "owrs_shape",
    "The tariff file is not laid out as an OWRS tariff.",
    "Write metadata and rate_structure, then the classes, then their fields.",
)

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
LONGEST: Final = 5_000_000

Value = "Scalar | Listed | Map"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, a formula, or one of the words Tiered and Budget; "" where the file leaves it blank."""

    text: str
    line: int

    @property
    def number(self) -> Fraction | None:
        return Fraction(self.text) if _NUMBER.fullmatch(self.text) else None

    @property
    def formula(self) -> Node:
        """The text as a formula; FormulaError where it is none."""
        number = self.number
        if number is not None:
            return Number(number)
        if not self.text:
            raise FormulaError("the value is blank")
        return parse(self.text)


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Scalar, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Map:
    """`{depends_on, values}`: values by joined key, or by the last start reached where starts are given."""

    depends_on: tuple[str, ...]
    values: dict[str, Scalar | Listed | Fault]
    starts: tuple[Fraction, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that is not laid out as any kind of field; told when a bill reaches it."""

    fact: str
    line: int


FieldValue = Scalar | Listed | Map | Fault


@dataclass(frozen=True, slots=True)
class OwrsClass:
    """A customer class: its fields, or why its own lines cannot be read."""

    name: str
    line: int
    fields: dict[str, FieldValue]
    lines: dict[str, int]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class OwrsTariff:
    """One OWRS file: metadata as text, the classes, and what else stands at the top (kept for display)."""

    file: str
    metadata: dict[str, str]
    classes: dict[str, OwrsClass]
    others: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_owrs(text: str, file: str = "") -> OwrsTariff:
    """Read an OWRS file; Refusal with the line where it is not well-formed, both lines where a key is doubled."""
    root = _compose(text.removeprefix("\ufeff"), file)
    top = _pairs(root, file)
    problems = [_doubled(file, "", name, lines) for name, lines in _doubles(root)]
    if any(name == "rate_structure" for name, _ in _doubles(root)):
        raise Refusal(problems[0])
    structure = top.get("rate_structure")
    if not isinstance(structure, yaml.MappingNode):
        raise Refusal(OWRS_SHAPE.at(Place(file=file, line=1), "there is no rate_structure with classes"))
    metadata = top.get("metadata")
    meta = {key: _shown(node) for key, node in _pairs(metadata, file).items()} if _is_map(metadata) else {}
    doubled = dict(_doubles(structure))
    classes: dict[str, OwrsClass] = {}
    for key, node in structure.value:
        name = _key_text(key)
        line = key.start_mark.line + 1
        if name in doubled:
            classes[name] = OwrsClass(name, line, {}, {}, _doubled(file, name, name, doubled[name]))
        else:
            classes[name] = _class(name, line, node, file)
    others = {key: _shown(node) for key, node in top.items() if key not in ("metadata", "rate_structure")}
    return OwrsTariff(file, meta, classes, others, problems)


def _compose(text: str, file: str) -> yaml.MappingNode:
    def refuse(line: int, fact: str, kind: Kind = YAML_FAULT) -> Refusal:
        return Refusal(kind.at(Place(file=file, line=line), fact))

    if len(text) > LONGEST:
        raise refuse(1, f"the file has {len(text):,} characters, more than any tariff")
    loader = None
    try:
        loader = _LOADER(text)
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise refuse(line, f"line {line} refers to another part of the file (*), which a tariff never does")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > 20:
                raise refuse(line, f"line {line} is nested more than 20 deep")
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise refuse(line, f"line {line}: {said}; {_written(text, line)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refuse(line, f"line {line} has a character YAML does not allow ({error.reason})") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(root, yaml.MappingNode):
        raise refuse(1, "the file is not a list of names and values", OWRS_SHAPE)
    return root


def _written(text: str, line: int) -> str:
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    return "it holds a tab" if "\t" in written else f"it reads {written.strip()[:60]!r}"


def _is_map(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.MappingNode)


def _key_text(node: yaml.Node) -> str:
    """A key as text: a plain number without zeros that say nothing (1.50 is 1.5), anything else as written."""
    if not isinstance(node, yaml.ScalarNode):
        return ""
    text = str(node.value).strip()
    if node.style is None and re.fullmatch(r"-?\d+\.\d*", text):
        text = text.rstrip("0").rstrip(".")
    return text


def _pairs(node: yaml.Node | None, file: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else 1
        raise Refusal(OWRS_SHAPE.at(Place(file=file, line=line), f"line {line} holds no names and values"))
    return {_key_text(key): value for key, value in node.value}


def _doubles(node: yaml.MappingNode) -> list[tuple[str, list[int]]]:
    """Keys a mapping has more than once, with their lines."""
    lines: dict[str, list[int]] = {}
    for key, _ in node.value:
        lines.setdefault(_key_text(key), []).append(key.start_mark.line + 1)
    return [(name, found) for name, found in lines.items() if len(found) > 1]


def _doubled(file: str, customer_class: str, name: str, lines: list[int]) -> Problem:
    said = " and again on line ".join(map(str, lines))
    place = Place(file=file, line=lines[1], key=customer_class, column=name)
    return DUPLICATE_KEY.at(place, f"{name!r} is on line {said}")


def _all_doubles(node: yaml.Node) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    if isinstance(node, yaml.MappingNode):
        found.extend(_doubles(node))
        for _, value in node.value:
            found.extend(_all_doubles(value))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found.extend(_all_doubles(value))
    return found


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value).strip()
    if isinstance(node, yaml.SequenceNode):
        return ", ".join(_shown(item) for item in node.value)
    return ", ".join(f"{_key_text(key)}: {_shown(value)}" for key, value in node.value)


def _class(name: str, line: int, node: yaml.Node, file: str) -> OwrsClass:
    place = Place(file=file, line=line, key=name)
    if not isinstance(node, yaml.MappingNode):
        problem = OWRS_SHAPE.at(place, f"class {name} on line {line} has no fields")
        return OwrsClass(name, line, {}, {}, problem)
    doubles = sorted(_all_doubles(node), key=lambda double: double[1][1])
    if doubles:
        return OwrsClass(name, line, {}, {}, _doubled(file, name, *doubles[0]))
    fields = {_key_text(key): _field(value) for key, value in node.value}
    lines = {_key_text(key): key.start_mark.line + 1 for key, _ in node.value}
    return OwrsClass(name, line, fields, lines)


def _scalar(node: yaml.Node) -> Scalar | None:
    """A scalar, or a list of one scalar."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        text = str(node.value).strip()
        return Scalar("" if node.style is None and text in ("~", "null", "Null", "NULL") else text, line)
    if isinstance(node, yaml.SequenceNode) and len(node.value) == 1 and isinstance(node.value[0], yaml.ScalarNode):
        return _scalar(node.value[0])
    return None


def _listed(node: yaml.Node) -> Scalar | Listed | None:
    single = _scalar(node)
    if single is not None or not isinstance(node, yaml.SequenceNode):
        return single
    items = [_scalar(item) if isinstance(item, yaml.ScalarNode) else None for item in node.value]
    if any(item is None for item in items):
        return None
    return Listed(tuple(item for item in items if item is not None), node.start_mark.line + 1)


def _field(node: yaml.Node) -> FieldValue:
    while isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
        node = node.value[0]  # a list of one is what it holds
    plain = _listed(node)
    if plain is not None:
        return plain
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        return Fault("a list holds something that is neither number nor text", line)
    parts = {_key_text(key): value for key, value in node.value}
    if "depends_on" not in parts or "values" not in parts:
        return Fault(f"it has {', '.join(parts)}, not depends_on and values", line)
    names = _listed(parts["depends_on"])
    if names is None:
        return Fault("depends_on is neither a name nor a list of names", line)
    depends_on = (names.text,) if isinstance(names, Scalar) else tuple(item.text for item in names.items)
    values = parts["values"]
    if isinstance(values, yaml.MappingNode):
        return _keyed(depends_on, values, line)
    return _threshold(depends_on, parts, line)


def _keyed(depends_on: tuple[str, ...], values: yaml.MappingNode, line: int) -> FieldValue:
    found: dict[str, Scalar | Listed | Fault] = {}
    for key, node in values.value:
        value = _listed(node)
        at = key.start_mark.line + 1
        fact = f"the value of {_key_text(key)!r} on line {at} is neither a number, a formula nor a list"
        found[_key_text(key)] = value if value is not None else Fault(fact, at)
    if found and all(isinstance(value, Fault) for value in found.values()):
        return next(value for value in found.values() if isinstance(value, Fault))
    return Map(depends_on, found, (), line)


def _threshold(depends_on: tuple[str, ...], parts: dict[str, yaml.Node], line: int) -> FieldValue:
    """`{depends_on: x, *_starts or *_tier: [..], values: [..]}`: the value of the last start that x reaches."""
    named = [name for name in parts if name.endswith(("_starts", "_tier", "_tiers")) or name in ("starts", "tier")]
    values = _listed(parts["values"])
    if len(named) != 1 or len(depends_on) != 1 or values is None:
        return Fault("values is a list, not one value per key, and no list of starts stands beside it", line)
    starts = _listed(parts[named[0]])
    items = starts.items if isinstance(starts, Listed) else (starts,) if starts is not None else ()
    numbers = [item.number for item in items]
    amounts = values.items if isinstance(values, Listed) else (values,)
    if any(number is None for number in numbers) or len(numbers) != len(amounts) or not numbers:
        return Fault(f"{named[0]} has {len(numbers)} starts and values has {len(amounts)} values", line)
    reached = tuple(number for number in numbers if number is not None)
    if list(reached) != sorted(set(reached)):
        return Fault(f"{named[0]} does not increase", line)
    keys = [item.text for item in items]
    return Map(depends_on, dict(zip(keys, amounts, strict=True)), reached, line)
