# SPDX-License-Identifier: Apache-2.0
"""What a trace says of a team, counted from its tables.

team_report.py pictures N FILE: N labelled random pictures for the networks of `generate`.
team_report.py check TRACE REPORT [RUN]: the JSON of report, and of run, is what the trace has.
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


def parts_of(path):
    """The files of a trace: itself, or the parts that its master links."""
    trace = h5py.File(path, "r")
    return list(trace["parts"].values()) if "parts" in trace else [trace]


def figures(answers, total, told):
    """Answers, share and accuracy of those that are given; @p told: whether the last is known."""
    n = len(answers)
    right = int((answers["label"] == answers["prediction"]).sum())
    return {"answers": n, "share": n / total, "accuracy": right / n if n > 0 and told else None}


def check_absences(answers, n_lanes, computed, team):
    lacks = np.array([bin(int(mask)).count("1") for mask in answers["absent"]])
    for k, row in enumerate(team["present"], start=1):
        told = computed or k == n_lanes
        wanted = figures(answers[lacks == n_lanes - k], len(answers), told)
        expect(f"answers with {k} branches", row, dict(branches=k, **wanted))
    expect("rows of branches present", len(team["present"]), n_lanes)
    sets = Counter(int(mask) for mask in answers["absent"])
    found = {sum(1 << lane for lane in row.pop("absent")): row for row in team["absences"]}
    expect("sets of branches", sorted(found), sorted(sets))
    for mask in sets:
        expect(f"answers without {mask:b}", found[mask],
               figures(answers[answers["absent"] == mask], len(answers), computed or mask == 0))


def check_places(events, units):
    """Units are where they were at first until they move, and then some are not."""
    for e in events[events["plan_epoch"] == 0]:
        expect("device of a unit", e["rank"], units[e["layer"]]["device"])
    moved = events[events["plan_epoch"] > 0]
    stay = all(e["rank"] == units[e["layer"]]["device"] for e in moved)
    expect("whether units stay", stay, len(moved) == 0)


def check_vain(answers, events, units, devices):
    """Time that a unit took whose stage is behind the exit of its sample."""
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
    parts = parts_of(path)
    trace, table = parts[0], parts[0]["run/units"]
    answers = np.concatenate([p["samples"][:] for p in parts])
    events = np.concatenate([p["events"][:] for p in parts])
    units, n_lanes, computed = table[:], int(table.attrs["n_lanes"]), table.attrs["computed"] == 1
    said = json.load(open(report))
    team = said["team"]
    expect("plan", list(trace["run/plan"][:]), [-1] * len(trace["run/plan"]))
    expect("first plan", said["run"]["first_plan"], None)
    numbers = ("device", "lane", "stage", "exit")
    expect("units", [list(u.values()) for u in team["units"]],
           [[u["name"].decode(), *(int(u[k]) for k in numbers)] for u in units])
    expect("moves", team["moves"], int(answers["plan_epoch"].max()))
    check_places(events[np.isin(events["kind"], [0, 3])], units)
    vain = check_vain(answers, events, units, said["devices"])
    if team["lanes"] == "branches":
        check_absences(answers, n_lanes, computed, team)
    if run is not None:
        summary = json.load(open(run))["team"]
        check_absences(answers, n_lanes, computed, summary)
        lacking = int((answers["absent"] != 0).sum())
        expect("answers that lack some", lacking, summary["answered_in_part"])
        expect("whether anything was in vain", vain > 0, summary["units_in_vain"] > 0)


if sys.argv[1] == "pictures":
    make_pictures(int(sys.argv[2]), sys.argv[3])
else:
    check(*sys.argv[2:])
