"""Write the golden study anew, on purpose: `python -m tests.golden`; with `--check` say where results differ, and write nothing."""

import json
import sys

from school_mentoring.experiments.folder.writing import provenance

from . import DIGESTS, STUDY, golden_scenario, results, stated_scenario


def main() -> int:
    """Return the exit code: 1 where a check finds a difference."""
    check = "--check" in sys.argv[1:]
    scenario = stated_scenario() if check else golden_scenario()
    found = results(scenario)
    known = json.loads(DIGESTS.read_text(encoding="utf-8")) if DIGESTS.exists() else {}
    columns = {(table, column) for tables in (known, found) for table in tables for column in tables[table]}
    changed = sorted((t, c) for t, c in columns if known.get(t, {}).get(c) != found.get(t, {}).get(c))
    for table, column in changed:
        print(f"{table}: {column} differs")
    print(f"{len(changed)} of {len(columns)} columns differ")
    if check:
        return int(bool(changed))
    STUDY.write_text(
        json.dumps(provenance(scenario, "compare", {"engine": "compiled"}), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
