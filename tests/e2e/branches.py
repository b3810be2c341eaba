# SPDX-License-Identifier: Apache-2.0
"""Networks of branches against plain loops: branches.py TRAIN_FOLDER WORK_FOLDER.

WORK_FOLDER is what branches.sh has made: again.ckpt, made/, flops.
"""

import math
import re
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import numpy as np
import onnx
import torch

import answers
import branches
import checkpoint
import data
import distill
import leaving
import tables
import views
from wide_resnet import Lesson

WORK = Path(sys.argv[2])
made = checkpoint.load(WORK / "made/k4.ckpt")
model = made.model()
torch.manual_seed(3)


def near(ours, wanted, what, tolerance=1e-5):
    ours, wanted = np.asarray(ours, float), np.asarray(wanted, float)
    assert np.allclose(ours, wanted, tolerance, tolerance), f"{what}: {ours}; expected {wanted}"


def same_bits_when_gone_on():
    again = checkpoint.load(WORK / "again.ckpt")
    for name, value in made.state.items():
        assert torch.equal(value, again.state[name]), f"{name} differs after going on"


def place_of(name):
    """branch2.stage1.... is of (branch, 2, stage, 1), fusion3.... of (fusion, 3)."""
    found = re.match(r"branch(\d+)\.(stage|project)(\d+)\.", name)
    if found:
        return ("branch", int(found[1]), found[2], int(found[3]))
    found = re.match(r"(fusion|head|score)(\d+)\.", name)
    assert found, f"node {name} is of no part"
    return (found[1], int(found[2]))


def may_read(place):
    if place[0] == "branch":
        _, k, part, e = place
        if part == "project":
            return {("branch", k, "stage", e)}
        return {("branch", k, "stage", e - 1)} if e > 1 else {"input"}
    kind, e = place
    return {"fusion": {("branch", k, "project", e) for k in range(1, 5)},
            "head": {("fusion", e)}, "score": {("fusion", e), ("fusion", e - 1)}}[kind]


def graph_is_cut_by_names():
    graph = onnx.load(str(WORK / "made/k4.onnx")).graph
    weights = {w.name for w in graph.initializer}
    maker = {out: place_of(node.name) for node in graph.node for out in node.output
             if node.op_type not in ("Constant", "Identity")}
    maker["input"] = "input"
    constant = {out for node in graph.node if node.op_type in ("Constant", "Identity")
                for out in node.output if all(i in weights for i in node.input)}
    read, places = {}, set()
    for node in graph.node:
        place = place_of(node.name)
        places.add(place)
        of = {maker[i] for i in node.input if i not in weights and i not in constant}
        read[place] = read.get(place, set()) | (of - {place})
    for place in places:
        assert read[place] == may_read(place), f"{place} reads {read[place]}"
    wanted = 4 * 4 * 2 + 4 + 4 + 2
    assert len(places) == wanted, f"{len(places)} parts; expected {wanted}"


def fusions_follow_their_rules():
    features = [torch.randn(3, 5) for _ in range(4)]
    for present in answers.choices(4):
        given = [f if k in present else None for k, f in enumerate(features)]
        mean = sum(features[k] for k in present) / len(present)
        near(branches.Fusion("mean", 4, 5)(given), mean, "mean")
        wide = np.zeros((3, 20))
        for k in present:
            wide[:, 5 * k:5 * k + 5] = features[k].numpy() * 4 / len(present)
        near(branches.Fusion("concat", 4, 5)(given), wide, "concat")
        fuse = branches.Fusion("sum", 4, 5)
        fuse.share.data = torch.tensor([0.3, -1.0, 0.7, 2.0])
        parts = [math.exp(v) for v in fuse.share.tolist()]
        wanted = sum(features[k] * parts[k] for k in present) / sum(parts) * 4 / len(present)
        near(fuse.train()(given).detach(), wanted, "sum")
        near(fuse.eval()(given).detach(), wanted, "sum, in an exported graph")


@torch.no_grad()
def scores_are_of_the_relative_difference():
    x = torch.randn(6, 3, 32, 32)
    outputs, computed = model(x), model.compute(x)
    for score, e in zip(outputs[4:], (1, 2)):
        for i in range(6):
            now, before = computed.fused[e][i].double(), computed.fused[e - 1][i].double()
            moved = math.sqrt(sum((a - b) ** 2 for a, b in zip(now, before)))
            size = math.sqrt(sum(b * b for b in before))
            near(score[i].item(), 1 / (1 + moved / size), f"score of exit {e + 1}", 1e-4)


def masked_fusions_are_those_of_zeros_and_scaled_features():
    features = [torch.randn(3, 5) for _ in range(4)]
    for rule in branches.FUSIONS:
        fuse = branches.Fusion(rule, 4, 5).eval()
        if rule == "sum":
            fuse.share.data = torch.tensor([0.3, -1.0, 0.7, 2.0])
        for present in answers.choices(4):
            given = [f if k in present else None for k, f in enumerate(features)]
            scaled = [f * (4 / len(present)) if k in present else torch.zeros_like(f)
                      for k, f in enumerate(features)]
            near(fuse(given), fuse(scaled), f"{rule} of {present}")


def differences_from_scores(outputs):
    """1 / score - 1 of the outputs of a network of four exits, [2, n]."""
    return np.stack([1 / score[:, 0].double().numpy() - 1 for score in outputs[4:]])


@torch.no_grad()
def views_are_the_network_seen_otherwise():
    x = torch.randn(6, 3, 32, 32)
    for rule in branches.DIFFERENCES:
        for present in (range(4), (0, 2, 3), (1,)):
            given = ",".join(str(k + 1) for k in present)
            outputs = views.view_of(made.model(), given, None, rule)(x)
            whole = model.compute(x, list(present))
            near(torch.stack(outputs[:4]), torch.stack(whole.logits), f"logits of {given}")
            wanted = leaving.differences(torch.stack(whole.fused).numpy(),
                                         torch.stack(whole.logits).numpy())[rule][1:3]
            near(differences_from_scores(outputs), wanted, f"{rule} of {given}", 1e-4)
        outputs = views.view_of(made.model(), None, "3,1,4,2", rule)(x)
        turns = [model.compute(x, here) for here in ([2], [0, 2], [0, 2, 3], [0, 1, 2, 3])]
        near(torch.stack(outputs[:4]), torch.stack([t.logits[3] for t in turns]), "in turn")
        wanted = leaving.differences(torch.stack([t.fused[3] for t in turns]).numpy(),
                                     torch.stack(outputs[:4]).numpy())[rule][1:3]
        near(differences_from_scores(outputs), wanted, f"{rule} in turn", 1e-4)


def views_that_cannot_be_are_refused():
    for present, turn in (("1,5", None), ("", None), ("1,1", None), (None, "0,1"), ("1", "1")):
        try:
            views.view_of(made.model(), present, turn, "l2")
        except SystemExit as refused:
            assert "--present" in str(refused) or "--in-turn" in str(refused), refused
        else:
            raise AssertionError(f"branches {present}, in turn {turn}, are taken")


def differences_are_those_of_loops():
    f, z = torch.randn(3, 4, 5).numpy(), torch.randn(3, 4, 6).numpy()
    found = leaving.differences(f, z)
    for rule in leaving.DIFFERENCES:
        assert np.isnan(found[rule][0]).all(), f"{rule}: the first has a difference"
    for e in (1, 2):
        for i in range(4):
            a, b = f[e, i].astype(float), f[e - 1, i].astype(float)
            moved, size = math.sqrt(sum((a - b) ** 2)), math.sqrt(sum(b * b))
            near(found["relative"][e, i], moved / size, "relative")
            near(found["l2"][e, i], moved / math.sqrt(5), "l2")
            cosine = sum(a * b) / math.sqrt(sum(a * a) * sum(b * b))
            near(found["cosine"][e, i], 1 - cosine, "cosine")
            p, q = (np.exp(v.astype(float)) / np.exp(v.astype(float)).sum()
                    for v in (z[e, i], z[e - 1, i]))
            near(found["kl"][e, i], sum(p * np.log(p / q)), "kl")


def other_measures_are_those_of_loops():
    z = torch.randn(3, 20, 4).numpy()
    for e in range(3):
        for i in range(20):
            p = np.exp(z[e, i] / 2.0)
            p /= p.sum()
            near(leaving.confidence(z, [2.0] * 3)[e, i], max(p), "confidence")
            near(leaving.certainty(z, [2.0] * 3)[e, i], 1 + sum(p * np.log(p)) / math.log(4),
                 "certainty")
    said = np.array([0, 0, 1, 1, 1])  # of one sample
    near(leaving.patience(np.eye(2)[said][:, None])[1:, 0], [1, 0, 1, 2], "patience")


def thresholds_are_the_best_there_are():
    measure = torch.rand(3, 40).numpy()
    measure[0] = -np.inf
    z, labels = torch.randn(3, 40, 3).numpy(), torch.randint(3, (40,)).numpy()
    until = [1.0, 2.0, 4.0]

    def walk(threshold):
        right, cost = 0, 0.0
        for i in range(40):
            e = next((e for e in range(2) if measure[e, i] >= threshold), 2)
            right += z[e, i].argmax() == labels[i]
            cost += until[e]
        return right / 40, 1 - cost / 160

    least = walk(math.inf)[0] - 0.06
    best = max(walk(t)[1] for t in measure[1] if walk(t)[0] >= least)
    found = leaving.choose(measure, z, labels, until, 0.06)
    near(walk(found)[1], best, "the most that can be saved")
    got = leaving.outcome(measure, found, z, labels, until)
    near([got.accuracy, got.saved], walk(found), "accuracy and saving")


def a_threshold_for_each_exit_saves_no_less():
    measure = torch.rand(4, 200).numpy()
    right = measure > np.array([[1.0], [0.5], [0.3], [-1.0]])
    measure[0], measure[2] = -np.inf, 10 + measure[2]  # no threshold suits both
    labels = torch.randint(3, (200,)).numpy()
    z = np.eye(3)[np.where(right, labels, (labels + 1) % 3)]
    until = [1.0, 2.0, 3.0, 4.0]
    one = leaving.choose(measure, z, labels, until, 0.02)
    each = leaving.choose_each(measure, z, labels, until, 0.02)
    least = (z[-1].argmax(-1) == labels).mean() - 0.02
    saved, right = 0.0, 0
    for i in range(200):
        e = next((e for e in range(3) if measure[e, i] >= each[e]), 3)
        saved += (4 - until[e]) / 800
        right += z[e, i].argmax() == labels[i]
    found = leaving.outcome(measure, each, z, labels, until)
    near([found.accuracy, found.saved], [right / 200, saved], "with a threshold for each exit")
    single = leaving.outcome(measure, one, z, labels, until).saved
    assert right / 200 >= least and saved > single + 0.01, f"{saved} saved; {single} by one"


def an_exit_that_hardly_loses_is_not_passed_over():
    measure, labels = torch.rand(3, 1000).numpy(), np.zeros(1000, int)
    wrong = np.arange(1000) % np.array([[2], [60], [1001]]) == 0  # 50 %, 1.7 %, 0.1 %
    z, until = np.eye(2)[wrong.astype(int)], [1.0, 2.0, 4.0]
    each = leaving.choose_each(measure, z, labels, until, 0.02)
    saved = leaving.outcome(measure, each, z, labels, until).saved
    assert saved >= 0.5, f"{saved} saved; 0.5 by leaving at exit 2"


def temperatures_are_the_best_there_are():
    labels = torch.randint(3, (200,)).numpy()
    logits = torch.randn(200, 3).numpy() + 1.5 * np.eye(3)[labels]

    def loss(t):
        return sum(-math.log(leaving.softmax(v, t)[y]) for v, y in zip(logits, labels))

    t = leaving.temperature_of(logits, labels)
    assert 0.1 < t < 10 and loss(t) < min(loss(0.99 * t), loss(1.01 * t)), f"temperature {t}"
    near(leaving.temperature_of(3 * logits, labels), 3 * t, "temperature of logits times 3", 1e-3)


def losses_are_those_of_loops():
    said, teacher = torch.randn(2, 3), torch.randn(2, 3)
    wanted = 0.0
    for a, b in zip(said, teacher):
        p, q = torch.softmax(b / 4, 0), torch.softmax(a / 4, 0)
        wanted += 16 * sum(v * math.log(v / w) for v, w in zip(p.tolist(), q.tolist())) / 2
    near(distill.distilled(said, teacher, 4.0), wanted, "distilled")

    student, maps = [torch.randn(2, 3, 4, 4) for _ in range(2)], torch.randn(2, 5, 4, 4)

    def look(which, i):
        total = sum((m[i] ** 2).mean(0) for m in which).flatten()
        return total / total.norm()

    wanted = sum(((look(student, i) - look([maps], i)) ** 2).sum().item() for i in range(2)) / 2
    near(distill.attention_loss([student, [torch.randn(2, 3, 2, 2)]], [maps]), wanted, "attention")


def the_loss_is_the_sum_in_its_formula():
    teacher = checkpoint.load(WORK / "made/teacher.ckpt").model()
    lessons = distill.Lessons((0.2, 0.4, 0.6, 0.8), 3.0, 0.6, 0.5, 0.25, 0.0)
    losses = distill.StudentLoss(model, teacher, lessons, False)
    x, y = torch.randn(5, 3, 32, 32), torch.randint(10, (5,))
    with torch.no_grad():
        made_of, lesson = model.compute(x), losses.lesson(x)
        wanted = 0.5 * distill.attention_loss(made_of.maps, lesson.maps)
        size = (lesson.features ** 2).sum(1).mean()
        for w, z, fused in zip(lessons.exit_weights, made_of.logits, made_of.fused):
            right = -torch.log_softmax(z, 1)[range(5), y].mean()
            wanted += w * (0.4 * right + 0.6 * distill.distilled(z, lesson.logits, 3.0))
            apart = ((losses.regressor(fused) - lesson.features) ** 2).sum(1).mean()
            wanted += 0.25 * w / 2 * apart / size
        near(losses(x, y), wanted, "the loss", 1e-4)
    assert isinstance(lesson, Lesson) and not any(
        p is q for p in losses.parameters() for q in teacher.parameters()), "teachers learn"


def branches_are_left_out_as_often_as_said():
    drawn = [distill.draw_present(4, 0.3) for _ in range(4000)]
    assert all(drawn), "a batch had no branch"
    for k in range(4):
        absent = sum(k not in d for d in drawn) / 4000
        near(absent, 0.3 - 0.3 ** 4 / 4, f"branch {k} is left out", 0.03)
    assert distill.draw_present(4, 0.0) == [0, 1, 2, 3]
    assert len(distill.draw_present(4, 1.0)) == 1


@torch.no_grad()
def answers_are_those_of_the_branches_present():
    samples = data.read_cifar_batch(WORK, 5)
    x = made.pre(samples.x)
    said = dict(np.load(WORK / "made/k4_test.npz"))
    for s, present in enumerate(said["present"]):
        here = [k for k in range(4) if present[k]]
        wanted = model.compute(x, here)
        near(said["logits"][s], torch.stack(wanted.logits), f"logits of {here}", 1e-3)
        moved = leaving.differences(torch.stack(wanted.fused).numpy(),
                                    torch.stack(wanted.logits).numpy())
        for r, rule in enumerate(leaving.DIFFERENCES):
            near(said["stage_difference"][r, s, 1:], moved[rule][1:], rule, 1e-3)
    few, many = model.compute(x, [0, 1]), model.compute(x, [0, 1, 2])
    moved = leaving.differences(np.stack([few.fused[2], many.fused[2]]),
                                np.stack([few.logits[2], many.logits[2]]))
    near(said["branch_difference"][0, 2, 2], moved["relative"][1], "branch to branch", 1e-3)
    near(tables.prefix_logits(said)[1], few.logits[3], "logits of the first branches", 1e-3)


def costs_are_those_counted():
    costs = branches.costs_of(model, torch.zeros(1, 3, 32, 32))
    assert costs.head == [160] * 4, f"a head costs {costs.head}"
    stage = 1024 * 8 * (27 + 2 * 72) + 8 * 16  # stem, one block, projection
    assert costs.branch[2][0] == stage, f"stage 1 costs {costs.branch[2][0]}; expected {stage}"
    early, whole = (float(v) for v in (WORK / "flops").read_text().split())
    until = costs.until(range(4))
    near(until[1] / until[3], early / whole, "exit 2 of the whole", 0.01)
    wanted = sum(costs.branch[k][e] for k in (1, 3) for e in (0, 1)) + 2 * 160
    assert costs.until([1, 3])[1] == wanted, f"two branches cost {costs.until([1, 3])[1]}"


for fact in (same_bits_when_gone_on, graph_is_cut_by_names, fusions_follow_their_rules,
             masked_fusions_are_those_of_zeros_and_scaled_features,
             views_are_the_network_seen_otherwise, views_that_cannot_be_are_refused,
             scores_are_of_the_relative_difference, differences_are_those_of_loops,
             other_measures_are_those_of_loops, thresholds_are_the_best_there_are,
             temperatures_are_the_best_there_are, a_threshold_for_each_exit_saves_no_less,
             an_exit_that_hardly_loses_is_not_passed_over,
             losses_are_those_of_loops, the_loss_is_the_sum_in_its_formula,
             branches_are_left_out_as_often_as_said, answers_are_those_of_the_branches_present,
             costs_are_those_counted):
    fact()
