#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A network of parallel branches that apps/train trains for a moment: a training that was ended goes
# on with the same bits, its file says here what PyTorch says, and its parts and measures are right.
# A student may learn from the network that ships, and what cannot be is refused in a sentence.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
python=/usr/bin/python3
"$python" -c 'import torch, onnx, h5py' 2> err || skip "$python lacks torch, onnx or h5py"
export PYTHONDONTWRITEBYTECODE=1
train=$source_dir/apps/train

distree() {
  "$python" "$train/distree.py" "$@" > out 2> err || fail "distree.py $*: $(tail -3 err)"
}

# refused WHY OPTION...: a training that cannot be is not begun, and the last line says why
refused() {
  "$python" "$train/distree.py" "${@:2}" > out 2> err && fail "distree.py ${*:2} trains"
  [[ $(tail -1 err) == *"$1"* ]] || fail "distree.py ${*:2} says: $(tail -1 err)"
}

# 400 images to train on, 2,000 that are kept, 200 reported: noise, tinted by the class
"$python" - << 'PYTHON'
import numpy as np

random = np.random.default_rng(1)
for number, n in (1, 600), (2, 600), (3, 600), (4, 600), (5, 200):
    label = random.integers(0, 10, n, dtype=np.uint8)
    image = random.integers(0, 156, (n, 3, 1024), dtype=np.uint8)
    image[np.arange(n), label % 3] += (10 * label).astype(np.uint8)[:, None]
    rows = np.concatenate([label[:, None], image.reshape(n, 3072)], 1)
    rows.tofile(f"data_batch_{number}.bin")
PYTHON

mkdir made
distree teacher --data . --depth 10 --widen 1 --epochs 1 --out made/teacher.ckpt
student=(student --data . --teacher made/teacher.ckpt --width 8 --features 16 --epochs 2)
distree "${student[@]}" --out made/k4.ckpt
distree "${student[@]}" --out again.ckpt --until 1
[ ! -e again.ckpt ] || fail "a training that was ended has left a network"
distree "${student[@]}" --out again.ckpt
refused "again.state is of another training" "${student[@]}" --seed 2 --out again.ckpt
refused "expected a file in a folder that exists" "${student[@]}" --out no/k4.ckpt
refused "expected a whole number of at least 2" "${student[@]}" --branches 1 --out k1.ckpt
refused "none/data_batch_1.bin cannot be read" "${student[@]}" --data none --out k4.ckpt
refused "called branches, expected wide_resnet" "${student[@]}" --teacher made/k4.ckpt --out k4.ckpt
refused "made/k4.state is no checkpoint" "${student[@]}" --teacher made/k4.state --out k4.ckpt

# the network that ships teaches, and says what it says here
shipped=$source_dir/io/models
edgeexit import cifar10 data_batch_5.bin -o new.h5 > out
refused "balexnet_cifar10.h5 holds another network" "${student[@]}" \
  --teacher "$shipped/balexnet_cifar10.h5" --out k4.ckpt
refused "new.h5 cannot be read as a model file" "${student[@]}" --teacher new.h5 --out k4.ckpt
"$python" "$source_dir/tests/e2e/shipped_teacher.py" "$train" "$shipped/resnet_cifar10.h5" . \
  > out 2> err || fail "$(tail -1 err)"
edgeexit score -o taught.h5 "$shipped/resnet_cifar10.h5" new.h5 > out
tool compare_reference taught.h5 teacher_reference.h5 200 0.2 > out ||
  fail "the teacher: $(cat out)"

# the driver makes what is missing
networks=(k4 k2w8-sum k2w8-concat)
TEACHER=$shipped/resnet_cifar10.h5 EPOCHS=1 "$train/distree.sh" . made "${networks[@]}" \
  > out 2> err || fail "distree.sh: $(tail -3 err)"
[ ! -e made/pid ] || fail "distree.sh leaves its number behind"
"$train/distree.sh" . made "${networks[@]}" > again 2> err ||
  fail "distree.sh once more: $(tail -3 err)"
grep -q "distree answers" out || fail "distree.sh says $(cat out)"
! grep -q "distree [as]" again || fail "distree.sh has made again what was there"
"$train/distree.sh" . made k4w8-max > out 2> err && fail "distree.sh knows a fusion called max"
grep -q "k4w8-max: expected a name" err || fail "distree.sh says $(tail -1 err)"
for network in "${networks[@]}"; do
  edgeexit import onnx "made/$network.onnx" -o "$network.h5" > out
  grep -q "4 exits, 10 classes, 2 learned scores" out || fail "imported: $(cat out)"
  for backend in ref blis; do
    edgeexit score --backend $backend -o "exits-$network.h5" "$network.h5" new.h5 > out
    tool compare_reference "exits-$network.h5" "made/${network}_reference.h5" 200 0.2 > out ||
      fail "$network, $backend: $(cat out)"
    grep -q "^scores differ by" out || fail "$backend: no scores were compared"
  done
done

# other graphs of the same weights
edgetrain() {
  "$python" "$train/edgetrain.py" "$@" > out 2> err || fail "edgetrain.py $*: $(tail -3 err)"
}
for view in "k4 --present 1,2,4" "k4 --in-turn 3,1,4,2 --difference l2" "k4 --difference cosine" \
  "k2w8-sum --present 2" "k2w8-concat --present 2"; do
  read -ra view <<< "$view"
  seen=made/${view[0]}.ckpt
  edgetrain export "$seen" "${view[@]:1}" --out view.onnx
  edgetrain reference "$seen" --data . --count 100 "${view[@]:1}" --out view_reference.h5
  edgeexit import onnx view.onnx -o view.h5 > out
  edgeexit score --samples 100 -o view-exits.h5 view.h5 new.h5 > out
  tool compare_reference view-exits.h5 view_reference.h5 100 0.2 > out ||
    fail "${view[*]}: $(cat out)"
  grep -q "^scores differ by" out || fail "${view[*]}: no scores were compared"
  edgeexit info --json view.h5 | tool json_value exits | grep -o '"attach":[0-9]*' | uniq > attach
  expect "places of exits of ${view[*]}" "$(wc -l < attach | tr -d ' ')" 4
done
for policy in eenet:value=0 final; do
  edgeexit policy exits-k4.h5 --policy $policy --json | tool json_value mean_flops
done > flops
"$python" "$source_dir/tests/e2e/branches.py" "$train" . > out 2> err || fail "$(tail -1 err)"
