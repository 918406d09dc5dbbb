"""Run the benchmarks and write their tables: ``python -m benchmarks.run [--only c,mesa] [--quick] [--out FILE]``.

Sections that need what is not installed (gcc, ndlib) say so and are left out; a section whose results are not equal fails loudly.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

from .timing import environment

__all__ = ["main"]

SECTIONS = {
    "c": ("versus_c", "section"),
    "mesa": ("versus_mesa", "section"),
    "peers": ("versus_peers", "section"),
    "generators": ("generators", "section"),
    "startup": ("startup", "section"),
    "scaling": ("scaling", "section"),
    "page": ("page", "section"),
    "huge": ("scaling", "huge_section"),
    "studies": ("studies", "section"),
}
USUAL = [name for name in SECTIONS if name not in ("huge", "studies")]
OUT = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    """Run the sections asked for, print them as they come, and write them to the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", default=",".join(USUAL), help=f"sections, of {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes: minutes become seconds, figures less steady")
    parser.add_argument("--out", type=Path, help=f"where to write (default: {OUT.name} when all sections run in full, else nowhere)")
    options = parser.parse_args()
    names = options.only.split(",")
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    full = not options.quick and set(names) >= set(USUAL)
    out = options.out or (OUT if full else None)
    how = f"python -m benchmarks.run --only {','.join(names)}" + (" --quick" if options.quick else "")
    parts: list[str] = []
    for name in names:
        module, function = SECTIONS[name]
        started = time.perf_counter()
        try:
            text = getattr(importlib.import_module(f"benchmarks.{module}"), function)(options.quick)
        except ImportError as error:
            text = f"## {name}\n\nLeft out: {error}. Install what it needs: `pip install -e '.[peer]'`."
        parts.append(text)
        print(f"{text}\n\n({name}: {time.perf_counter() - started:.0f} s)\n", flush=True)
        if out:
            out.write_text(f"# Results\n\nWritten by `{how}`.\n\n{environment()}\n\n" + "\n\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
