"""What Solara shows of ``mesa_page``: Mesa's controls, the map of a country, curves, and one school looked into."""

from typing import Any

import solara
from mesa.visualization import SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

from school_mentoring.analysis.outcomes import design_name
from school_mentoring.model.designs import PRESETS

from .mesa_page import ViewedModel, map_figure, school_table


@solara.component
def Map(model: ViewedModel) -> None:  # noqa: N802 - components are named as classes are
    """Show the schools of a country, chosen by its name."""
    update_counter.get()
    names = [country.name for country in model.table.countries]
    chosen, choose = solara.use_state(names[0])
    solara.Select("country", values=names, value=chosen, on_value=choose)
    country = names.index(chosen) if chosen in names else 0
    solara.Text(f"Month {model.month} of {model.months}; funded: {'yes' if model.funded else 'no'}; mentoring ties: {model.ties}")
    solara.FigureMatplotlib(map_figure(model, country))


@solara.component
def OneSchool(model: ViewedModel) -> None:  # noqa: N802
    """Show all of one school, chosen by its name."""
    update_counter.get()
    ids = [str(one) for one in model.table.school_id]
    chosen, choose = solara.use_state(ids[0])
    solara.Select("school", values=ids, value=chosen, on_value=choose)
    index = ids.index(chosen) if chosen in ids else 0
    solara.DataFrame(school_table(model, model.schools[index]), items_per_page=20)


def _parameters() -> dict[str, Any]:
    designs = {**PRESETS, **ViewedModel.scenario.designs}
    return {
        "design": {"type": "Select", "value": ViewedModel.first_design, "values": list(designs), "label": "design"},
        "replicate": {"type": "SliderInt", "value": 0, "label": "replicate", "min": 0, "max": 20, "step": 1},
        "seed": {"type": "InputText", "value": str(ViewedModel.scenario.seed), "label": "seed"},
    }


@solara.component
def Page() -> None:  # noqa: N802
    """Show the page of one visitor, with a model of their own."""
    model = solara.use_memo(lambda: ViewedModel(ViewedModel.first_design), [])
    SolaraViz(
        model,
        components=[(Map, 0), make_plot_component("adopters"), (OneSchool, 1), make_plot_component("active_ties", page=1)],
        model_params=_parameters(),
        name=f"School mentoring: {ViewedModel.scenario.title or design_name(ViewedModel.scenario.name)}",
    )
