"""Where several names are unknown all are told at once, each with the known name most like it."""

import pytest

from school_mentoring.experiments.calibration.prior import prior_of
from school_mentoring.experiments.check import check_files
from school_mentoring.experiments.search.aim import aim_of
from school_mentoring.experiments.search.design_space import design_space
from school_mentoring.experiments.sensitivity.outputs import targets_of
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.scenarios import load_scenario, uploaded_scenario

PILOT = load_scenario("mensi-pilot-only")
AIM = {"perspective": "society", "budgets": (), "evaluations": 4, "population": 4, "cells": 2, "draws": 0, "space": ()}

REFUSED = {
    "--designs": (lambda: load_scenario("mensi-pilot", designs=["hybird", "buttom_up"]), "hybrid", "hybird", "bottom_up", "buttom_up"),
    "--set": (lambda: load_scenario("mensi-pilot", ["gama=1 turnovr=2", "bta=3"]), "gamma", "gama", "turnover", "turnovr", "beta", "bta"),
    "keys of a file": (lambda: uploaded_scenario(b"moths: 3\nseeed: 1\ndesigns: [none]\n", "a.yaml"), "months", "moths", "seed", "seeed"),
    "parameters": (lambda: uploaded_scenario(b"designs: [none]\nparameters: {gama: 1, bta: 2}", "a.yaml"), "gamma", "gama", "beta", "bta"),
    "--vary": (lambda: plan_sweep(PILOT, ["gama=0:1", "bta=0:1"], "lhs:2"), "gamma", "gama", "beta", "bta"),
    "--fit": (lambda: prior_of(PILOT, ("gama", "bta"), kind="times"), "gamma", "gama", "beta", "bta"),
    "--space": (lambda: design_space(PILOT, ["stipendd=1", "fts=2"]), "stipend", "stipendd", "fte", "fts"),
    "--outputs": (lambda: targets_of(["cost_totl", "pupils_ent"], ["none"], []), "cost_total", "cost_totl", "pupils_end", "pupils_ent"),
    "--objectives": (lambda: aim_of(objectives="efect,cst", **AIM), "effect", "efect", "cost", "cst"),
}  # fmt: skip


@pytest.mark.parametrize("where", REFUSED)
def test_every_unknown_name_is_told_with_the_one_meant(where):
    refused, *names = REFUSED[where]
    with pytest.raises(InputError) as caught:
        refused()
    for meant, given in zip(names[::2], names[1::2], strict=True):
        assert f"{meant!r} for {given!r}" in str(caught.value)
    assert "more" not in str(caught.value)


def test_unknown_keys_of_other_sections_are_told_with_their_place():
    with pytest.raises(InputError) as caught:
        uploaded_scenario(b"moths: 3\ndesigns: {none: , virtual: {stipendd: 1, ftee: 2}}\n", "a.yaml")
    problem = "unknown keys 'stipendd', 'ftee', 'moths'; did you mean 'stipend' for 'stipendd', 'fte' for 'ftee'?"
    assert str(caught.value) == f"a.yaml, line 2, designs.virtual.stipendd: {problem}"


def test_every_unknown_column_of_a_table_is_told(tmp_path):
    (tmp_path / "schools.csv").write_text("school_id,teachrs,aa,bb\ns1,10,1,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"unknown column 'teachrs', 'aa', 'bb'; did you mean 'teachers' for 'teachrs'\? known names: "):
        check_files([str(tmp_path / "schools.csv")], PILOT)


def test_very_many_names_are_cut():
    names = [f"name{k}" for k in range(50)]
    assert quoted(names).endswith("'name18', 'name19', ...")
    assert nearest(names, ["months"]) == "known names: months"
