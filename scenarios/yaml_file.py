"""Reads one YAML file safely into plain values, remembering the line of each.

Only the part of YAML that a scenario needs is accepted: mappings, lists, plain and quoted text, numbers, true and false, null. Numbers and
truth values are read as YAML 1.2 reads them, so that ``NO`` is Norway and ``1e-3`` a number. Anchors, aliases and tags are refused: they
are how a small file becomes a huge one, or becomes code.
"""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from school_mentoring.model.errors import InputError

MAX_BYTES = 384 * 1024
"""Room for the most designs and countries of a scenario; the parser, which is plain Python, takes at most some 3 seconds for it."""

MAX_DEPTH = 20
MAX_NUMBER_LENGTH = 100

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of a scenario down to a value."""


class Layer(NamedTuple):
    """What one source states: the values, and for each of them the words that say where it stands."""

    values: dict[str, Any]
    places: dict[KeyPath, str]


_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def plain_scalar(text: str) -> Any:
    """Return the value of an unquoted word (YAML 1.2, core schema). Raises ValueError for a number not finite or beyond 100 digits."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if not _FLOAT.fullmatch(text):
        return text
    value = math.inf if len(text) > MAX_NUMBER_LENGTH else float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise ValueError(f"{_short(text)} is no finite number")
    return int(text) if _INT.fullmatch(text) else value


def read_yaml(path: Path) -> Layer:
    """Return what the file states; raises InputError, naming file and line, for anything but a mapping in plain YAML."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(str(path), f"cannot be read: {reason}") from None
    return parse_yaml(data, path)


def parse_yaml(data: bytes, path: Path) -> Layer:
    """Return what the content of a file states; ``path`` is what errors call it, and is not opened."""
    text = _text(data, path)
    try:
        return _convert(_Loader(text, path).get_single_node(), path)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{path}, line {line}", f"the character U+{ord(text[error.position]):04X} is not allowed in YAML") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(path, mark.line if mark else 0, f"not valid YAML: {_in_words(error)}")
    except InputError:
        raise
    except (ValueError, OverflowError):  # escapes such as "\UFFFFFFFF" name no character, which the parser does not check
        raise InputError(str(path), "not valid YAML: an escaped character that does not exist") from None


def write_yaml(values: Any) -> str:
    """Return plain values as YAML that ``read_yaml`` reads back as they were."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _text(data: bytes, path: Path) -> str:
    if len(data) > MAX_BYTES:
        allowed = "a scenario is a few kilobytes; schools and ties belong in CSV files of their own"
        raise InputError(str(path), "larger than 384 KiB", allowed)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(path, data.count(b"\n", 0, error.start), f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
    if not text.strip():
        raise InputError(str(path), "the file is empty", "`run.py new NAME` writes a scenario to start from")
    return text


class _Loader(yaml.SafeLoader):
    """Builds the node graph only; what is refused is refused before a node exists."""

    def __init__(self, text: str, path: Path) -> None:
        self.path, self.depth = path, 0
        super().__init__(text)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            _refuse(self.path, line, "anchors and aliases (& and *) are not allowed", "write the value out where it is used")
        if event.tag is not None:
            allowed = "allowed: mappings, lists, text, numbers, true, false, null"
            _refuse(self.path, line, f"the tag {_short(event.tag)} is not allowed", allowed)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            _refuse(self.path, line, f"nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _convert(node: yaml.Node | None, path: Path) -> Layer:
    places: dict[KeyPath, str] = {}

    def value_of(node: yaml.Node, at: KeyPath) -> Any:
        places.setdefault(at, f"{path}, line {node.start_mark.line + 1}")
        if isinstance(node, yaml.SequenceNode):
            return [value_of(item, (*at, position)) for position, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            text = _sound(node, path)
            try:
                return plain_scalar(text) if node.style is None else text  # quoted, or a block of text
            except ValueError as error:
                _refuse(path, node.start_mark.line, str(error), "allowed: numbers")
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line
            if not isinstance(key_node, yaml.ScalarNode):
                _refuse(path, line, "a key must be a word")
            key = _sound(key_node, path)
            inner = (*at, key)
            if key in values:
                _refuse(path, line, f"the key {_short(key)} is stated twice", f"first stated at {places[inner]}")
            places[inner] = f"{path}, line {line + 1}"
            values[key] = value_of(value_node, inner)
        return values

    if not isinstance(node, yaml.MappingNode):
        _refuse(path, node.start_mark.line if node else 0, "a scenario is a mapping of keys to values", "for example `months: 72`")
    values = value_of(node, ())
    return Layer(values, {**places, (): str(path)})


def _sound(node: yaml.Node, path: Path) -> str:
    """Return a node's text, having made sure that it can be written again: an escape may name half of a surrogate pair."""
    text = str(node.value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        _refuse(path, node.start_mark.line, "an escaped character that does not exist")
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes exactly the words that ``plain_scalar`` would not read as text, and never writes an anchor."""

    yaml_implicit_resolvers: dict[str | None, list[Any]] = {}  # noqa: RUF012 - the name and kind that PyYAML looks up

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _tag, _pattern in (("null", _NULL), ("bool", _BOOL), ("int", _INT), ("float", _FLOAT)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern.pattern})\Z"), None)


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Write what YAML takes for the end of a line as an escape, which only double quotes allow."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if re.search("[\x85\u2028\u2029]", text) else None)


_Dumper.add_representer(str, _represent_text)


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "cannot be parsed"
    return "a tab; indent with spaces" if "\\t" in problem else " ".join(problem.split())


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _refuse(path: Path, line: int, problem: str, allowed: str = "") -> NoReturn:
    raise InputError(f"{path}, line {line + 1}", problem, allowed)
