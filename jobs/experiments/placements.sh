#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A network with branches on 1 to 5 real ranks, its branches placed in many ways: whether all samples
# get the answers of one device, bit by bit (logits, too), and what looking ahead computes in vain.
#
#   jobs/experiments/placements.sh [OUT]
#
# NETWORK: a model with four branches, and samples DATA; default a generated network and noise.
# POLICY: default threshold:value=0.3.  STREAM: samples, default 400.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
STREAM=${STREAM:-400}
POLICY=${POLICY:-threshold:value=0.3}
if [ -z "${NETWORK-}" ]; then
  NETWORK=$out/branches.h5
  DATA=$out/data.h5
  edgeexit generate network branches --blocks 4 --exits 1,2,3 -o "$NETWORK" > /dev/null
  edgeexit generate input "$NETWORK" --samples "$STREAM" -o "$DATA" > /dev/null
fi

# go RANKS OPTION...: the digest of its answers, and what was in vain
go() {
  rm -f "$out/trace.h5"
  edgeexit run --devices "$1" "$NETWORK" "$DATA" --samples "$STREAM" --policy "$POLICY" --logits \
    --trace "$out/trace.h5" --json "${@:2}" > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  edgeexit report --json "$out/trace.h5" > "$out/report.json"
  digest=$(sed 's/.*"answers_digest":"\([^"]*\)".*/\1/' "$out/report.json")
}

go 1
alone=$digest
printf '%-7s %-22s %7s %-18s %-6s %8s\n' devices branches ahead 'digest of answers' same 'in vain'
printf '%-7s %-22s %7s %-18s %-6s %8s\n' 1 none - "$digest" - -
while read -r ranks placed ahead; do
  go "$ranks" --branches "$placed" --ahead "$ahead"
  printf '%-7s %-22s %7s %-18s %-6s %8s\n' "$ranks" "$placed" "$ahead" "$digest" \
    "$([ "$digest" = "$alone" ] && echo yes || echo NO)" "$(figure "$out/run.json" units_in_vain)"
done << 'PLACEMENTS'
1 0/0/0/0 0
2 0/1/0/1 0
2 1/0/1/0@1 2
3 0/1/2/0 2
3 1/2/1,2/0,1,0@2 9
4 0/1/2/3 0
4 0/1/2/3 2
4 latency 2
4 period 2
5 1/2/3/4@0 2
5 1,2/3/4,0,1/2@3 3
PLACEMENTS
