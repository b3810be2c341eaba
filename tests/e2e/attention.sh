#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Attention as PyTorch's own layers, ViT, GPT-2 and BERT export it: one node for each block, of whole batches wherever
# samples stand in front, and PyTorch's logits.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
here=$source_dir/tests/e2e
cd "$scratch"
python=/usr/bin/python3
"$python" -c 'import torch, onnx, h5py' 2> err || skip "$python lacks torch, onnx or h5py"
export PYTHONDONTWRITEBYTECODE=1

# count OPERATOR: nodes of it that backend simd runs, in the report of bench
count() {
  "$python" -c 'import json, sys
kernels = json.load(open("bench.json"))["kernels"]
print(sum(k["nodes"] for k in kernels if k["operator"] == sys.argv[1] and k["backend"] == "simd"))' "$1"
}

"$python" "$here/attention.py" . > out 2> err || fail "attention.py: $(tail -3 err)"
for path in *.onnx; do
  export=${path%.onnx}
  name=${export%_free}
  edgeexit import idx "$name.idx" labels.idx -o ids.h5 > out
  edgeexit import onnx "$path" -o model.h5 > out
  edgeexit bench --json --seconds 0.001 model.h5 > bench.json 2> err
  expect "$export: attentions" "$(count Attention)" 2
  expect "$export: linear layers with the exits" $(($(count MatMul) + $(count Gemm))) 14
  expect "$export: softmaxes" "$(count Softmax)" 0
  edgeexit info model.h5 > out
  batched=yes
  ! grep -q "one sample at a time" out || batched=no
  wanted=yes
  [[ $name != batch_second ]] || wanted=no # all of its blocks have positions in front
  expect "$export: batches" $batched $wanted
  for backend in ref simd; do
    edgeexit score --backend $backend -o exits.h5 model.h5 ids.h5 > out 2> err
    tool compare_reference exits.h5 "$name.h5" 20 0.5 > out || fail "$export, $backend: $(cat out)"
  done
done
