"""`run.py compare` and `recommend` of a programme with a gate: what it is worth, in the folder, on the terminal and in the report."""

import json

import pandas as pd

from .program import SMALL, assert_intact, succeed

STUDY = """
name: first
extends: mensi-pilot-only
designs:
  pilot_first:
    phases:
      - { months: 6, design: regional_hub }
      - { months: 12, design: regional_hub, if: { outcome: mentee_share, at_least: 0.15, survey: 4 } }
"""


def test_a_gate_is_told_by_compare_and_weighed_by_recommend(tmp_path):
    (tmp_path / "first.yaml").write_text(STUDY, encoding="utf-8")
    small = (*SMALL, "--designs", "pilot_first,virtual", "--replicates", "2", "--set", "draws=12", "--set", "programme.last_month=24")
    done = succeed("compare", "first.yaml", *small, "--months", "30", "--out", "study", cwd=tmp_path)
    assert "Gate of pilot first at phases.1: " in done.out
    assert max(map(len, done.out.splitlines())) <= 100
    assert_intact(tmp_path / "study")
    runs, sheet = pd.read_parquet(tmp_path / "study/gates.parquet"), pd.read_csv(tmp_path / "study/gates.csv")
    assert len(runs) == 4 * 12 * 2 and sheet["runs"].unique().tolist() == [24]
    succeed("recommend", "study", "--k", "3000", "--perspective", "programme", "--json", "--out", "advice", cwd=tmp_path)
    advised = pd.read_csv(tmp_path / "advice/gates.csv").iloc[0]
    assert advised["willingness_to_pay"] == 3000 and advised["gate"] == "phases.1"
    html = (tmp_path / "advice/report.html").read_text(encoding="utf-8")
    assert "What trying first is worth" in html
    once = json.loads(succeed("compare", "first.yaml", *small, "--months", "30", "--json", "--out", "again", cwd=tmp_path).out)
    assert once["gates"][0]["design"] == "pilot_first"
    for name in ("gates.csv", "gates.parquet", "runs.parquet"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "study" / name).read_bytes()
