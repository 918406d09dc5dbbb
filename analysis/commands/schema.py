"""``run.py schema``: what an editor needs to know of scenarios."""

import json


def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from school_mentoring.scenarios import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
