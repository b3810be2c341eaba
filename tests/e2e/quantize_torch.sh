#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Logits in 8 bits are those of PyTorch's rounding and its convolutions over whole numbers.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
here=$source_dir/tests/e2e
cd "$scratch"
python=/usr/bin/python3
"$python" -c 'import torch, onnx, h5py' 2> err || skip "$python lacks torch, onnx or h5py"
export PYTHONDONTWRITEBYTECODE=1

"$python" "$here/quantize_torch.py" make . > out 2> err || fail "make: $(tail -3 err)"
edgeexit import onnx net.onnx -o net.h5 > out
edgeexit generate input --samples 40 net.h5 -o data.h5 > out
for method in minmax mse "percentile --percentile 98"; do
  # shellcheck disable=SC2086 # two words
  edgeexit quantize --method $method net.h5 data.h5 -o int8.h5 > out
  grep -q "^4 nodes in 8 bits" out || fail "$method: $(cat out)"
  edgeexit score --backend int8 int8.h5 data.h5 -o exits.h5 > out 2> err
  "$python" "$here/quantize_torch.py" check . > out 2> err || fail "$method: $(cat out err)"
  cat out
done
