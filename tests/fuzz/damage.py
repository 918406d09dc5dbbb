"""Damage to files: to their bytes, their words and lines, and the values that they hold. All choices are drawn from one ``Random``."""

import csv
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

__all__ = ["damaged"]

WORDS = (
    *(
        "",
        "0",
        "1",
        "-1",
        "2",
        "0.5",
        "1e-320",
        "1e308",
        "1e999",
        "-0.0",
        "nan",
        ".nan",
        "inf",
        "-inf",
        "1_0",
        "0x10",
        "1,5",
        "1.5.2",
        "１",
    ),
    *("9" * 30, str(2**63), str(2**64), "99999", "1201", "-99999"),
    *(
        "none",
        "null",
        "~",
        "true",
        "NO",
        "yes",
        "[]",
        "{}",
        "''",
        '"',
        "'",
        "&a x",
        "*a",
        "!!set {}",
        "- ",
        ": ",
        "#",
        "|",
        ">",
        "%",
        "@",
        "`",
    ),
    *("virtual", "regional_hub", "mensi-pilot", "small", "IT", "XX", "A", "B", "mentor", "mentee", "peer", "mentoring", "p", "gamma"),
    *(
        "2021-13-40",
        "2021-11",
        "../../etc/passwd",
        "/etc/passwd",
        "/dev/null",
        "no.csv",
        ".",
        "a b",
        "é",
        "\u202e",
        "\ud7ff",
        "\x00",
        "\t",
        "\r",
    ),
    *("x" * 300, "<script>", "{{7*7}}", "%s", "=1+1"),
)
"""What may stand where something else stood."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 0.5, -0.5, 1e308, 5e-324, 10**40, 2**63, 1201, 7, [], {}, "", "x", "none", "virtual", "nan"),
    *([1, 2], {"a": 1}, [None], [[]], "../../etc/passwd", "no/such.parquet", "é" * 120, float("nan"), float("inf")),
)


FAULTS = (ValueError, yaml.YAMLError, pa.ArrowException, csv.Error, OSError, ArithmeticError, LookupError, AttributeError, TypeError)
"""What goes wrong with the damage itself, where there is damage already."""


def damaged(content: bytes, name: str, random: Random) -> bytes:
    """Return a file's content with one to three faults; the end of its ``name`` says what it holds."""
    result = content
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        kinds = [_bytes, _bytes]
        if name.endswith((".csv", ".yaml", ".json", ".graphml", ".txt")):
            kinds += [_words, _words, _words, _lines, _encoding]
        if name.endswith(".csv"):
            kinds += [_cells, _cells, _cells]
        if name.endswith((".json", ".yaml")):
            kinds += [_values, _values, _values, _values]
        if name.endswith(".parquet"):
            kinds = [_bytes, _table, _table]
        try:
            result = random.choice(kinds)(result, name, random)
        except FAULTS:
            result = _bytes(result, name, random)  # what was damaged before holds no values any more
    return result


def _bytes(content: bytes, name: str, random: Random) -> bytes:
    data = bytearray(content)
    start = random.randint(0, len(data))
    stop = min(len(data), start + random.choice((1, 1, 2, 8, 64, 1024)))
    piece = bytes(random.randint(0, 255) for _ in range(random.choice((1, 1, 4, 16))))
    changes: tuple[Callable[[], bytes | bytearray], ...] = (
        lambda: data[:start] + bytes(byte ^ (1 << random.randint(0, 7)) for byte in data[start : start + 1]) + data[start + 1 :],
        lambda: data[:start] + piece + data[start + len(piece) :],
        lambda: data[:start] + piece + data[start:],
        lambda: data[:start] + data[stop:],
        lambda: data[:stop] + data[start:],
        lambda: data[:start],
        lambda: data[start:],
        lambda: data + piece,
        lambda: data[:start] + bytes(stop - start) + data[stop:],
        lambda: b"",
        lambda: b"PAR1" + data[:100] + b"PAR1",
    )
    return bytes(random.choice(changes)())


def _encoding(content: bytes, name: str, random: Random) -> bytes:
    text = content.decode()
    return random.choice(
        (
            lambda: b"\xef\xbb\xbf" + content,
            lambda: text.encode("utf-16"),
            lambda: text.replace("a", "é").encode("latin-1", "replace"),
            lambda: text.replace("\n", "\r\n").encode(),
            lambda: text.replace("\n", "\r").encode(),
            lambda: text.replace(",", ";").encode(),
            lambda: text.replace("\n", "\u2028").encode(),
            lambda: text.swapcase().encode(),
        )
    )()


def _split(text: str) -> list[str]:
    """Return words and what stands between them, in turn."""
    pieces = [""]
    for character in text:
        inside = character.isalnum() or character in "_.-+"
        if inside == (len(pieces) % 2 == 0):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _words(content: bytes, name: str, random: Random) -> bytes:
    pieces = _split(content.decode())
    places = range(1, len(pieces), 2)
    if not places:
        return content
    at, other = random.choice(places), random.choice(places)
    pieces[at] = random.choice(
        (random.choice(WORDS), random.choice(WORDS), pieces[other], pieces[at] * 2, pieces[at][:-1], pieces[at].upper())
    )
    return "".join(pieces).encode("utf-8", "surrogatepass")


def _lines(content: bytes, name: str, random: Random) -> bytes:
    lines = content.decode().split("\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    change = random.choice(("delete", "repeat", "swap", "cut", "indent", "many"))
    if change == "delete":
        del lines[at]
    elif change == "repeat":
        lines.insert(other, lines[at])
    elif change == "swap":
        lines[at], lines[other] = lines[other], lines[at]
    elif change == "cut":
        lines[at] = lines[at][: random.randint(0, len(lines[at]))]
    elif change == "indent":
        lines[at] = random.choice((" ", "\t", "   ")) + lines[at]
    else:
        lines[at : at + 1] = [lines[at]] * 50
    return "\n".join(lines).encode()


def _cells(content: bytes, name: str, random: Random) -> bytes:
    rows = [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]
    row, column = random.randrange(len(rows)), random.randrange(len(rows[0]))
    change = random.choice(
        ("cell", "cell", "cell", "copy", "blank", "header", "drop column", "repeat column", "drop cell", "more", "only header")
    )
    if change == "cell":
        rows[row][column] = random.choice(WORDS)
    elif change == "copy":
        rows[row][column] = rows[random.randrange(len(rows))][column]
    elif change == "blank":
        for line in rows[1:]:
            line[column] = ""
    elif change == "header":
        rows[0][column] = random.choice((random.choice(WORDS), rows[0][random.randrange(len(rows[0]))]))
    elif change == "drop column":
        rows = [line[:column] + line[column + 1 :] for line in rows]
    elif change == "repeat column":
        rows = [[*line, line[column]] for line in rows]
    elif change == "drop cell":
        del rows[row][column]
    elif change == "more":
        rows[row] += random.choice((["x"], [""] * 3))
    else:
        rows = rows[:1]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to everything that a value holds."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [at] if at else []
    for key, inner in items:
        found += _places(inner, (*at, key))
    return found


def _values(content: bytes, name: str, random: Random) -> bytes:
    is_json = name.endswith(".json")
    top = json.loads(content) if is_json else yaml.safe_load(content)
    places = _places(top)
    if not places:
        return content
    path = random.choice(places)
    holder = top
    for step in path[:-1]:
        holder = holder[step]
    key, old = path[-1], holder[path[-1]]
    change = random.choice(("replace", "replace", "replace", "delete", "rename", "wrap", "text", "near", "near"))
    if change == "delete":
        del holder[key]
    elif change == "rename" and isinstance(holder, dict):
        holder[random.choice((f"{key}s", "", str(key)[:-1], "none"))] = holder.pop(key)
    elif change == "wrap":
        holder[key] = random.choice(([old], {"base": old}, [old, old]))
    elif change == "text":
        holder[key] = str(old)
    elif change == "near" and isinstance(old, (int, float)) and not isinstance(old, bool):
        holder[key] = random.choice((old + 1, old - 1, -old, old * 1.5, float(old), old * 10))
    else:
        holder[key] = random.choice(VALUES)
    return (json.dumps(top, ensure_ascii=False) if is_json else yaml.safe_dump(top, allow_unicode=True, sort_keys=False)).encode()


def _table(content: bytes, name: str, random: Random) -> bytes:
    """Return a sound Parquet file of a table that is not."""
    table = pq.read_table(pa.BufferReader(content))
    names = table.column_names
    at = random.randrange(len(names))
    values = table.column(at).to_pylist()
    rows = len(values)

    def put(column: pa.Array) -> pa.Table:
        return table.set_column(at, names[at], column)

    def called(word: str) -> pa.Table:
        return table.rename_columns([word if k == at else name for k, name in enumerate(names)])

    def cell() -> pa.Table:
        row = random.randrange(rows)
        odd = "none" if isinstance(values[row], str) else random.choice((float("nan"), float("inf"), -1.0, 1e300, None, 0.5))
        return put(pa.array([odd if k == row else value for k, value in enumerate(values)]))

    changes: tuple[Callable[[], pa.Table], ...] = (
        cell,
        cell,
        cell,
        lambda: put(pa.nulls(rows, table.column(at).type)),
        lambda: put(pa.array([str(value) for value in values])),
        lambda: put(pa.array([1] * rows, pa.int8())),
        lambda: put(pa.array([[1.0]] * rows)),
        lambda: table.remove_column(at),
        lambda: called(random.choice(("x", "design", "p", "", names[0]))),
        lambda: table.append_column(random.choice(("x", "share", names[at])), pa.array([1.0] * rows)),
        lambda: table.slice(0, random.randint(0, rows)),
        lambda: table.slice(0, 0),
        lambda: table.take(pa.array(sorted(range(rows), key=lambda _: random.random()), pa.int64())),
        lambda: pa.concat_tables([table, table]),
    )
    out = pa.BufferOutputStream()
    pq.write_table(random.choice(changes)(), out)
    return bytes(out.getvalue().to_pybytes())
