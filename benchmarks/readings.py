"""Figures behind the limits of use in docs/odd.md that the tables of ``run.py validation`` do not hold.

    python -m benchmarks.readings       # less than a minute

Of the nine patterns: readings that were not chosen, as they do not hold or say less, and levels of which the report keeps only differences,
from the runs of the checks themselves (``experiments/validation/``). Of the exact limits: the furthest mean, with other seeds.
"""

import math

import numpy as np

from school_mentoring.experiments.validation.exact_limits import NETWORKS, RATES, exact, exact_table, simulated_network, states
from school_mentoring.experiments.validation.patterns import critical_mass, discontinuance, gap, growth, virtual
from school_mentoring.experiments.validation.runs import preset, study

__all__ = ["main"]


def threshold() -> None:
    """Print from which capacity on a lone school has a critical mass, and how many schools are so capable."""
    low, high = 0.0, critical_mass.MEAN
    while high - low > 0.001:
        middle = (low + high) / 2.0
        low, high = (low, middle) if critical_mass.roots(middle) else (middle, high)
    runs = study({}, months=1)
    capacity = np.concatenate([runs.world(index).capacity for index in range(runs.worlds)])
    print(f"2: a threshold from capacity {high:.2f} on, {100.0 * np.mean(capacity >= high):.0f} % of schools")


def kept() -> None:
    """Print what part of their lead over no programme schools mentored at the end of funding keep until the horizon's end."""
    runs = study({"top_down": preset("top_down")}, per_school=True)
    end, later = discontinuance.END, discontinuance.LATER
    for name, (low, high) in zip(discontinuance.GROUPS, (discontinuance.LOW, discontinuance.HIGH), strict=True):
        leads = []
        for index in range(runs.worlds):
            teachers = runs.world(index).teachers
            own, none = (runs.adopters(design)[index] / teachers for design in ("top_down", "none"))
            chosen = runs.mentored("top_down")[index, end - 1] & (own[end] >= low) & (own[end] < high)
            leads.append([(own - none)[month][chosen].mean() for month in (end, later)])
        first, last = np.mean(leads, axis=0)
        print(f"4: top_down, {name}: {100.0 * last / first:.0f} % of the lead over none is kept from month {end} to {later}")


def costs() -> None:
    """Print what mentoring costs face to face and online, per year of mentoring and, of the hub as it is, per mentored school."""
    for base in virtual.BASES:
        for words, parameters in (("", {}), (", ties that last as long", virtual.AS_LONG)):
            runs = virtual.both_ways(base, **parameters)
            visits, online = (virtual.cost_of_a_year(runs, way).mean() for way in virtual.WAYS)
            print(f"5: {base}{words}: EUR per mentored school and year {visits:,.0f} face to face, {online:,.0f} online")
    runs = virtual.both_ways("regional_hub", cascade=True)
    visits, online = (runs.per_mentored(way, "cost_total").mean() for way in virtual.WAYS)
    print(f"5: regional_hub with its cascade: EUR per mentored school {visits:,.0f} face to face, {online:,.0f} online")


def gaps() -> None:
    """Print the gap of disadvantaged schools where nobody assigns, in points of share and relative to the mean."""
    runs = gap.self_organised()
    for design in ("none", *gap.SELF_ORGANISED):
        outside, inside = (runs.share(design, group)[:, gap.END].mean() for group in ("not_disadvantaged", "disadvantaged"))
        relative = gap.gap(runs, design, "disadvantaged").mean()
        print(f"7: {design}: gap of disadvantaged schools {100.0 * (outside - inside):.1f} points, {relative:.3f} of the mean share")


def campaign() -> None:
    """Print what outreach adds beside the mentoring designs, and how its lead fades as a ratio and in points of share."""
    runs = growth.horizon()
    for other in growth.PARTS:
        part = runs.added("outreach").mean() / runs.added(other).mean()
        print(f"9: outreach adds {100.0 * part:.0f} % of what {other} adds")
    ratio = np.expm1([growth.lead("outreach", month).mean() for month in range(240)])
    points = 100.0 * growth.points_added().mean(axis=0)
    most = int(points.argmax())
    back = next(month for month in range(most, 240) if points[month] <= points[growth.END])
    for month in (growth.END, growth.LATER, 119, 239):
        print(f"9: outreach leads none by {100.0 * ratio[month]:.1f} % in month {month}, by {points[month]:.1f} points of share")
    print(f"9: by most points, {points[most]:.1f}, in month {most}; by no more than at its end again from month {back} on")


def furthest() -> None:
    """Print how far the furthest mean of a network lies from the exact one, and how far with three other seeds and 60,000 runs."""
    table = exact_table(20_000)
    worst = table[table["limit"] == "Bass contagion on a network"].sort_values("apart", key=abs).iloc[-1]
    network, rates = worst["case"].split(", ")
    weights, start = NETWORKS[network]
    count = states(len(start)).sum(axis=1)
    chance = exact(weights, start, *RATES[rates], worst["month"])
    error = math.sqrt(chance @ (count - chance @ count) ** 2 / 60_000)
    again = [simulated_network(network, rates, 60_000, seed=seed)[:, worst["month"]].sum(axis=1).mean() for seed in (1, 2, 3)]
    apart = ", ".join(f"{(mean - chance @ count) / error:+.2f}" for mean in again)
    print(f"exact: {worst['case']}, month {worst['month']}: {worst['apart']:+.2f} standard errors; with seeds 1, 2, 3: {apart}")


def main() -> None:
    """Print all figures, those of patterns with their number."""
    for figures in (threshold, kept, costs, gaps, campaign, furthest):
        figures()


if __name__ == "__main__":
    main()
