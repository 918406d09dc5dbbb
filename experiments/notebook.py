"""A scenario's Mesa model, for notebooks."""

from typing import Any

from school_mentoring.scenarios import load_scenario

from .worlds import Worlds


def mesa_model(scenario: str = "mensi-pilot", design: str = "regional_hub", *, replicate: int = 0, **options: Any) -> Any:
    """Return a ``MentoringModel`` of a scenario's design, ready to ``step()``; its schools are those of a replicate of ``compare``.

    ``options`` go to ``load_scenario`` (``sets``, ``seed``, ...), except ``school_class``, a subclass of ``SchoolAgent``. Raises InputError
    for bad input.
    """
    from school_mentoring.model.mesa_model import MentoringModel

    extra = {"school_class": options.pop("school_class")} if "school_class" in options else {}
    loaded = load_scenario(scenario, designs=[design], **options)
    parameters = loaded.base_parameters()
    world, _ = Worlds(loaded).get(parameters, replicate % loaded.worlds)
    return MentoringModel(
        world,
        loaded.practice_arrays(),
        loaded.designs[design],
        parameters,
        seed=loaded.seed,
        replicate=replicate,
        first_month=loaded.programme.first_month,
        last_month=loaded.programme.last_month,
        **extra,
    )
