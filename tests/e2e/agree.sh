#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# jobs/agree.sh: a network agrees with ONNX Runtime's on every backend, and a limit that none can
# keep is noticed.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

# numbers VALUE...: float32
numbers() {
  node -e 'process.stdout.write(Buffer.from(new Float32Array(process.argv.slice(1)).buffer))' "$@"
}
# compared: ours of two samples and two exits against theirs of each exit
compared() {
  echo '{"exits":[{"name":"a"},{"name":"b"}],"classes":2}' > model.json
  node "$source_dir/jobs/agree_onnxruntime.js" compare . ours
}
if command -v node > out; then
  # zeros are equal to zeros, and samples that are alike tell nothing apart
  numbers 0 0 1 2 0 0 1 3 > ours
  numbers 0 0 0 0 > 0.peer
  numbers 1 2 1 3 > 1.peer
  expect "difference of equal numbers" "$(compared)" $'a 0.0e+0 none\nb 0.0e+0 0.0e+0'
  numbers 0 0 1 nan 0 0 1 3 > ours
  expect "difference of what is no number" "$(compared)" $'a 0.0e+0 none\nb NaN NaN'
  numbers 0.5 0 1 2 0 0 1 3 > ours
  expect "difference from zeros" "$(compared)" $'a Infinity none\nb 0.0e+0 0.0e+0'
fi

for setting in SAMPLES={0,x} BATCHES={' ','1 x'} LIMIT={0.0,e} WINOGRAD_LIMIT=-1; do
  wrong_setting agree.sh "$setting"
done

python=/usr/bin/python3
node -e 'require("onnxruntime-node")' 2> err || skip "Node.js does not find onnxruntime-node"
"$python" -c 'import torch, torchvision, onnx' 2> err || skip "$python lacks torch, torchvision or onnx"
PYTHONDONTWRITEBYTECODE=1 "$python" "$source_dir/apps/train/peers.py" --batches 1 . alexc > out 2> err ||
  fail "peers.py says: $(tail -3 err)"

export BUILD=$bin/..
"$source_dir/jobs/agree.sh" alexc.b1.onnx > table 2> err || fail "jobs/agree.sh says: $(cat table err)"
for backend in simd blis ref; do
  grep -q "^alexc.b1 .* $backend .* same  ok$" table || fail "no line of $backend: $(cat table)"
done

code=0
LIMIT=1e-9 "$source_dir/jobs/agree.sh" alexc.b1.onnx > table 2> err || code=$?
expect "exit code over the limit" $code 1
grep -q "^alexc.b1 .* ref .* OVER$" table || fail "nothing is over the limit of 1e-9: $(cat table)"

code=0
"$source_dir/jobs/agree.sh" > out 2> err || code=$?
expect "exit code without a model" $code 1
grep -q 'MODEL.onnx is missing' err || fail "jobs/agree.sh says: $(cat err)"
echo "outputs agree with ONNX Runtime's"
