"""Hooks of the site: project files that a page links to are part of it, so that a link works both in the repository and on the site.

A file of ``docs/`` keeps its place; any other stands below ``project/``. Pages are read where they are, nothing is copied by hand.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FIRST = ("README.md", "CHANGELOG.md")
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]+)((?:#[^)\s]*)?)\)")


def address(path: Path) -> str:
    """Return where a file of the project stands on the site."""
    inside = path.is_relative_to(DOCS)
    return path.relative_to(DOCS).as_posix() if inside else f"project/{path.relative_to(ROOT).as_posix()}"


def linked(page: Path, text: str) -> Iterator[Path]:
    """Yield the files of the project that a page links to."""
    for target, _ in LINK.findall(text):
        path = (page.parent / target).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            yield path


def on_files(files: Files, config: Any) -> Files:
    """Add the files that pages link to, and those that these link to."""
    known = {Path(file.abs_src_path) for file in files if file.abs_src_path}
    waiting = [path for path in known if path.suffix == ".md" and path.is_relative_to(DOCS)] + [ROOT / name for name in FIRST]
    read = set()
    while waiting:
        page = waiting.pop()
        if page in read:
            continue
        read.add(page)
        for path in [page, *linked(page, page.read_text(encoding="utf-8"))]:
            if path not in known:
                known.add(path)
                files.append(File.generated(config, address(path), abs_src_path=str(path)))
            if path.suffix == ".md":
                waiting.append(path)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point a page's links to where their targets stand on the site."""
    source = Path(page.file.abs_src_path)

    def point(match: re.Match[str]) -> str:
        path = (source.parent / match[1]).resolve()
        if not (path.is_file() and path.is_relative_to(ROOT)):
            return match[0]
        return f"]({os.path.relpath(address(path), Path(address(source)).parent)}{match[2]})"

    return LINK.sub(point, markdown)
