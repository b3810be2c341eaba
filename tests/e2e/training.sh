#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A network with scores that apps/train trains for a moment, by its joint and its blended loss, says
# here what PyTorch says.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
python=/usr/bin/python3
"$python" -c 'import torch, onnx, h5py' 2> err || skip "$python lacks torch, onnx or h5py"
export PYTHONDONTWRITEBYTECODE=1

train() {
  "$python" "$source_dir/apps/train/edgetrain.py" --threads 1 "$@" > out 2> err ||
    fail "edgetrain.py $*: $(tail -3 err)"
}

edgeexit generate modulation --samples 600 --seed 1 -o train.h5
edgeexit generate modulation --samples 100 --seed 2 -o new.h5
train train modnet_scored --epochs 6 --train train.h5 --holdout new.h5 --out scored.ckpt
grep -q "blended with a price of the cost of 0.5" out || fail "the provenance is $(tail -2 out)"
train export scored.ckpt --out scored.onnx
train reference scored.ckpt --data new.h5 --out reference.h5

edgeexit import onnx scored.onnx -o scored.h5 > out
grep -q "3 learned scores" out || fail "imported: $(cat out)"
for backend in ref blis; do
  edgeexit score --backend $backend -o exits.h5 scored.h5 new.h5 > out
  tool compare_reference exits.h5 reference.h5 100 0.2 > out || fail "$backend: $(cat out)"
  grep -q "^scores differ by" out || fail "$backend: no scores were compared"
done

# a price moves samples to the early exits
train train modnet_scored --epochs 6 --price 5 --train train.h5 --holdout new.h5 --out priced.ckpt
train export priced.ckpt --out priced.onnx
edgeexit import onnx priced.onnx -o priced.h5 > out
edgeexit score -o priced-exits.h5 priced.h5 new.h5 > out
cost() {
  edgeexit policy "$1" --policy eenet:value=0.5 --json | tool json_value mean_flops
}
awk -v priced="$(cost priced-exits.h5)" -v cost="$(cost exits.h5)" 'BEGIN { exit !(priced < cost) }' ||
  fail "a price of 5 gives a cost of $(cost priced-exits.h5), one of 0.5 $(cost exits.h5)"

# the blended loss is that of the mean over where a sample leaves, if scores are probabilities, added
# up over the exits where it may start; costs are the multiply-adds that edgeexit counts, nearly
cat > check.py << 'PYTHON'
import math
import sys

sys.path.insert(0, sys.argv[1])
import torch

import loop
import models

torch.manual_seed(1)
exits, n, classes, price = 4, 5, 3, 0.7
logits = torch.randn(exits, n, classes)
scores = torch.rand(exits - 1, n, 1)
labels = torch.tensor([0, 1, 2, 1, 0])
costs = [0.2, 0.5, 0.7, 1.0]
answers = logits.softmax(2)
wanted = 0.0
for first in range(exits):
    for i in range(n):
        p, cost, gone_on = 0.0, 0.0, 1.0
        for e in range(first, exits):
            leaves = gone_on * (scores[e, i, 0].item() if e < exits - 1 else 1.0)
            p += leaves * answers[e, i, labels[i]].item()
            cost += leaves * costs[e]
            gone_on -= leaves
        wanted += (-math.log(p) + (price * cost if first < exits - 1 else 0.0)) / n
loss = loop.blended_loss((*logits, *scores), labels, costs, price).item()
assert abs(loss - wanted) < 1e-5 * wanted, f"the blended loss is {loss}; expected {wanted}"

ours = models.relative_costs(models.build("modnet_scored").eval(), torch.zeros(1, 2, 1, 128))
counted = float(sys.argv[2]) / float(sys.argv[3])
assert abs(ours[0] - counted) < 0.01, f"exit 1 costs {ours[0]} of the whole; counted {counted}"
assert ours == sorted(ours) and ours[-1] == 1, f"costs are {ours}"
PYTHON
flops() {
  edgeexit policy exits.h5 --policy "$1" --json | tool json_value mean_flops
}
"$python" check.py "$source_dir/apps/train" "$(flops eenet:value=0)" "$(flops final)" > out 2> err ||
  fail "$(tail -1 err)"
