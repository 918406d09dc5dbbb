"""The Mesa model as a researcher uses it: stepped, collected, subclassed."""

import mesa
import numpy as np
import pytest

from school_mentoring.model.agents import SchoolAgent
from school_mentoring.model.costs import COORDINATION
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.mesa_model import MentoringModel, run_batch_with_mesa
from school_mentoring.model.parameters import PARAMETERS, parameter_table
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.track import CoordinatorAgent
from tests.worlds import batch_of, build_practices, build_world, complete, design

N = 24
WORLD = build_world(
    np.arange(N) % 9 + 6,
    weights=complete(N),
    region=np.arange(N) % 4,
    region_country=[0, 0, 1, 1],
    x=np.linspace(0, 30, N),
    traits=np.arange(N) % 8,
    capacity=np.linspace(0.15, 0.95, N),
    openness=np.linspace(0.9, 0.1, N),
    salary=[20000.0, 40000.0],
)


def make(way=PRESETS["regional_hub"], **arguments) -> MentoringModel:
    return MentoringModel(WORLD, build_practices(), way, **{"seed": 3, **arguments})


def stepped(model: MentoringModel, months: int) -> MentoringModel:
    for _ in range(months):
        model.step()
    return model


def compiled(way, months, **records):
    inputs = WORLD, build_practices(), parameter_table([{}]), design_table([way], 6, 34), batch_of(1)
    return run_batch(Task(*inputs, seed=3, months=months, end_of_funding=months - 1), **records)


def test_a_model_is_a_mesa_model():
    assert isinstance(make(), mesa.Model)


def test_the_agents_are_the_schools_and_the_coordinators():
    model = make()
    assert isinstance(model.agents, mesa.agent.AgentSet)
    assert len(model.agents_by_type[SchoolAgent]) == N
    assert len(model.agents_by_type[CoordinatorAgent]) == 4


@pytest.mark.parametrize(("tier", "units"), [("none", 0), ("platform", 1), ("hub", 4), ("ministry", 2)])
def test_a_tier_has_its_number_of_coordinators(tier, units):
    assert len(make(design("regional_hub", tier=tier)).coordinators) == units


def test_a_step_is_a_month():
    assert stepped(make(), 5).month == 5


def test_the_data_collector_has_a_row_for_each_month():
    frame = stepped(make(), 12).datacollector.get_model_vars_dataframe()
    assert frame["month"].tolist() == list(range(12))
    assert {"adopters", "mainstreamed", "active_ties", "cost_programme", "cost_schools"} <= set(frame.columns)


def test_the_collected_months_are_those_of_the_compiled_engine():
    frame = stepped(make(), 30).datacollector.get_model_vars_dataframe()
    records = compiled(PRESETS["regional_hub"], 30, monthly=True)
    np.testing.assert_array_equal(frame["adopters"], records.groups[0, :, 0, 0, 2])
    np.testing.assert_array_equal(frame["mainstreamed"], records.groups[0, :, 0, 0, 3])
    np.testing.assert_array_equal(frame["active_ties"], records.ties[0])
    np.testing.assert_array_equal(frame[["cost_programme", "cost_schools"]], records.costs[0].sum(axis=(1, 2)) / 100)


def test_the_collected_schools_are_those_of_the_compiled_engine():
    frame = stepped(make(), 20).datacollector.get_agenttype_vars_dataframe(SchoolAgent)
    records = compiled(PRESETS["regional_hub"], 20, per_school=True).schools[0]
    np.testing.assert_array_equal(frame["adopters"].to_numpy().reshape(20, N), records[:, 0])
    np.testing.assert_array_equal(frame["role"].to_numpy().reshape(20, N), records[:, 1])


def test_agent_sets_select_schools_by_what_they_are():
    model = stepped(make(), 8)
    schools = model.agents_by_type[SchoolAgent]
    mentors, mentees = (schools.select(lambda s, role=role: s.role == role) for role in (MENTOR, MENTEE))
    assert len(mentees) == model.ties == sum(len(m.mentees) for m in mentors) > 0


def test_schools_may_be_stepped_by_hand_in_any_order():
    # The rules are synchronous: deciding in a shuffled order, by Mesa's own scheduling, gives the trajectory of step().
    by_hand = make()
    for _ in range(20):
        by_hand.open_month()
        schools = by_hand.agents_by_type[SchoolAgent]
        schools.shuffle_do("decide")
        schools.shuffle_do("commit")
        by_hand.month += 1
    assert [s.adopters for s in by_hand.schools] == [s.adopters for s in stepped(make(), 20).schools]


def test_mesas_own_random_state_moves_nothing():
    disturbed = make()
    disturbed.random.seed(99)
    for _ in range(20):
        disturbed.random.random()
        disturbed.step()
    assert [s.adopters for s in disturbed.schools] == [s.adopters for s in stepped(make(), 20).schools]


def test_absent_parameters_stand_at_base():
    given = stepped(make(parameters={"beta": PARAMETERS["beta"].base}), 20)
    assert [s.adopters for s in given.schools] == [s.adopters for s in stepped(make(), 20).schools]


def test_a_parameter_of_the_constructor_changes_the_model():
    given = stepped(make(parameters={"p": 0.3}), 5)
    assert sum(s.adopters[0] for s in given.schools) > sum(s.adopters[0] for s in stepped(make(), 5).schools)


def test_an_unknown_parameter_is_refused_by_name():
    with pytest.raises(KeyError, match="no_such_rate"):
        make(parameters={"no_such_rate": 1.0})


class Refuser(SchoolAgent):
    """A school that never adopts."""

    def decide(self) -> None:
        super().decide()
        self.changes, self.team_changes = ([min(0, change) for change in part] for part in (self.changes, self.team_changes))


class OneRefuser(SchoolAgent):
    """Schools of which the last one never adopts."""

    def decide(self) -> None:
        super().decide()
        if self.index == N - 1:
            self.changes = self.team_changes = [0] * len(self.changes)


class Hermit(SchoolAgent):
    """A school that wants no mentor."""

    def seeks(self) -> bool:
        return False


class ThriftyModel(MentoringModel):
    """A model whose programme never pays for countries' costs."""

    def post_country_costs(self) -> None:
        pass


def mesa_batch(way, months=30, replicates=2, **classes):
    inputs = WORLD, build_practices(), parameter_table([{}]), design_table([way], 6, 34), batch_of(replicates)
    return run_batch_with_mesa(Task(*inputs, seed=3, months=months, end_of_funding=months - 1), monthly=True, per_school=True, **classes)


def test_a_subclass_that_never_adopts_lets_adoption_only_fall():
    adopters = mesa_batch(PRESETS["regional_hub"], school_class=Refuser).schools[:, :, 0].astype(int)
    assert (np.diff(adopters, axis=1) <= 0).all()
    assert (adopters[:, 0] > 0).any()


def test_a_subclass_acts_through_the_batch_as_through_the_model():
    batch = mesa_batch(PRESETS["regional_hub"], replicates=1, school_class=OneRefuser).schools[0, :, 0]
    model = make(school_class=OneRefuser)
    for month in range(30):
        assert [s.adopters[0] for s in model.schools] == batch[month].tolist()
        model.step()


def test_one_school_that_changes_its_behaviour_stays_as_it_is():
    adopters = mesa_batch(PRESETS["regional_hub"], school_class=OneRefuser).schools[:, :, 0, N - 1]
    assert (adopters == adopters[:, :1]).all()


def test_a_subclass_may_change_who_seeks_a_mentor():
    way = design("virtual", mentor_share=0.2)
    assert not mesa_batch(way, school_class=Hermit).ties.any()
    assert mesa_batch(way).ties.any()


def test_a_subclass_of_the_model_may_change_what_is_paid():
    way = PRESETS["regional_hub"]
    assert not mesa_batch(way, model_class=ThriftyModel).costs[:, :, :, COORDINATION].any()
    assert mesa_batch(way).costs[:, :, :, COORDINATION].any()


def test_a_plain_subclass_changes_nothing():
    class Same(SchoolAgent):
        """A school by another name."""

    np.testing.assert_array_equal(mesa_batch(PRESETS["hybrid"], school_class=Same).outcomes, mesa_batch(PRESETS["hybrid"]).outcomes)


def test_a_horizon_shorter_than_the_end_of_funding_counts_its_last_month():
    inputs = WORLD, build_practices(), parameter_table([{}]), design_table([PRESETS["virtual"]], 6, 34), batch_of(1)
    early, late = (run_batch_with_mesa(Task(*inputs, seed=3, months=10, end_of_funding=end)).outcomes for end in (9, 34))
    np.testing.assert_array_equal(early, late)
