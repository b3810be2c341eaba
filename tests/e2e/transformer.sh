#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A multi-exit BERT on texts of several lengths: PyTorch's logits, one device's bits on any number of devices, and
# ids that are none are refused.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
here=$source_dir/tests/e2e
cd "$scratch"
python=/usr/bin/python3
"$python" -c 'import torch, onnx, h5py' 2> err || skip "$python lacks torch, onnx or h5py"
export PYTHONDONTWRITEBYTECODE=1

"$python" "$here/transformer.py" . > out 2> err || fail "transformer.py: $(tail -3 err)"
edgeexit import idx ids.idx labels.idx -o ids.h5 > out
for export in fixed free; do
  edgeexit import onnx $export.onnx -o $export.h5 > out
  grep -q "15 layers, 2 exits, 3 classes" out || fail "$export.onnx: $(cat out)"
  for backend in ref blis simd; do
    edgeexit score --backend $backend -o exits.h5 $export.h5 ids.h5 > out
    tool compare_reference exits.h5 reference.h5 60 0.5 > out || fail "$export, $backend: $(cat out)"
  done
done

traces=()
for devices in 1 2 5; do
  edgeexit run --devices $devices --backend blis --epoch 16 --min-gain 0 --logits \
    --policy threshold:value=0.5 --trace $devices.h5 free.h5 ids.h5 > out 2> err ||
    fail "$devices devices: $(cat err)"
  traces+=("$devices.h5")
done
edgeexit score --backend blis -o exits.h5 free.h5 ids.h5 > out
tool compare_traces --exits exits.h5 --threshold 0.5 "${traces[@]}"

# an id of 250 has no row among 200
"$python" - << 'PYTHON'
data = bytearray(open("ids.idx", "rb").read())
data[-1] = 250
open("bad.idx", "wb").write(data)
PYTHON
edgeexit import idx bad.idx labels.idx -o bad.h5 > out
edgeexit score -o exits.h5 free.h5 bad.h5 > out 2> err && fail "an id of 250 was looked up"
grep -q "bad.h5, sample [0-9]*: number 11 is 250; model .* takes ids, whole numbers below 200" err ||
  fail "an id of 250: $(cat err)"
for devices in 1 2; do
  edgeexit run --devices $devices free.h5 bad.h5 > out 2> err && fail "$devices devices: 250 was taken"
  grep -q "whole numbers below 200" err || fail "$devices devices: $(cat err)"
done
