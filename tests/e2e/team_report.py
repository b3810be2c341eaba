# SPDX-License-Identifier: Apache-2.0
"""What a trace says of a team, counted from its tables.

team_report.py pictures N FILE: N labelled random pictures for the networks of `generate`.
team_report.py check TRACE REPORT [RUN]: the JSON of report, and of the run, are what the trace has.
"""
import json
import sys
from collections import Counter

import h5py
import numpy as np


def make_pictures(n, path):
    """A label and the bytes of 3 x 32 x 32 values each, as CIFAR-10 comes."""
    rng = np.random.default_rng(5)
    records = rng.integers(0, 256, (n, 1 + 3 * 32 * 32), dtype="u1")
    records[:, 0] %= 10
    records.tofile(path)


def expect(name, found, wanted):
    if found != wanted:
        sys.exit(f"{name}: {found}; expected {wanted}")


def figures(answers, total):
    """Answers, share and accuracy of those that are given."""
    n = len(answers)
    right = int((answers["label"] == answers["prediction"]).sum())
    return {"answers": n, "share": n / total, "accuracy": right / n if n > 0 else None}


def check_absences(answers, n_lanes, team):
    lacks = np.array([bin(int(mask)).count("1") for mask in answers["absent"]])
    for k, row in enumerate(team["present"], start=1):
        wanted = dict(branches=k, **figures(answers[lacks == n_lanes - k], len(answers)))
        expect(f"answers with {k} branches", row, wanted)
    expect("rows of branches present", len(team["present"]), n_lanes)
    sets = Counter(int(mask) for mask in answers["absent"])
    found = {sum(1 << lane for lane in row.pop("absent")): row for row in team["absences"]}
    expect("sets of branches", sorted(found), sorted(sets))
    for mask in sets:
        expect(f"answers without {mask:b}", found[mask],
               figures(answers[answers["absent"] == mask], len(answers)))


def check_vain(trace, units, devices):
    """Time that a unit took whose stage is behind the exit of its sample."""
    answers, events = trace["samples"][:], trace["events"][:]
    begin = min(events["start"].min(), answers["admitted"].min())
    end = max(events["end"].max(), answers["answered"].max())
    left = dict(zip(answers["id"], answers["exit"]))
    vain = [0] * len(devices)
    for e in events[np.isin(events["kind"], [0, 3])]:
        if units[e["layer"]]["stage"] > left[e["first_id"]]:
            vain[e["rank"]] += int(e["end"] - e["start"])
    for d, device in enumerate(devices):
        share = vain[d] / float(end - begin)
        if abs(device["in_vain"] - share) > 1e-9:
            sys.exit(f"device {d} is in vain for {device['in_vain']}, not {share}")
    return sum(vain)


def check(path, report, run=None):
    trace = h5py.File(path, "r")
    answers, table = trace["samples"][:], trace["run/units"]
    units, n_lanes = table[:], int(table.attrs["n_lanes"])
    said = json.load(open(report))
    team = said["team"]
    expect("plan", list(trace["run/plan"][:]), [-1] * len(trace["run/plan"]))
    expect("first plan", said["run"]["first_plan"], None)
    numbers = ("device", "lane", "stage", "exit")
    expect("units", [list(u.values()) for u in team["units"]],
           [[u["name"].decode(), *(int(u[k]) for k in numbers)] for u in units])
    expect("moves", team["moves"], int(answers["plan_epoch"].max()))
    vain = check_vain(trace, units, said["devices"])
    if team["lanes"] == "branches":
        check_absences(answers, n_lanes, team)
    if run is not None:
        summary = json.load(open(run))["team"]
        check_absences(answers, n_lanes, summary)
        lacking = int((answers["absent"] != 0).sum())
        expect("answers that lack some", lacking, summary["answered_in_part"])
        expect("whether anything was in vain", vain > 0, summary["units_in_vain"] > 0)


if sys.argv[1] == "pictures":
    make_pictures(int(sys.argv[2]), sys.argv[3])
else:
    check(*sys.argv[2:])
