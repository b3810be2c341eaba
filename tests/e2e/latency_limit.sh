#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A latency limit ends samples with the deepest answer that there is: in simulated time when links
# and layers say, and on real and paced clocks with each answer once and as the
# exit that gave it says.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 60 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
cat > fleet.yaml << 'FLEET'
name: two slow devices
devices: [{name: near, flops: 1M}, {name: far, flops: 1M}]
links:
  default: {bandwidth: 8Mbit/s, latency: 1ms}
FLEET

# of NUMBER...: nanoseconds that these layers and heads (h0, h1, h2) of one sample take at 1 MFLOP/s
edgeexit info --json model.h5 > model.json
of() {
  local part total=0
  for part in "$@"; do
    case $part in
      h*) part=exits.${part#h}.head_flops ;;
      *) part=layers.$part.flops ;;
    esac
    total=$((total + $(tool json_value "$part" < model.json) * 1000))
  done
  echo $total
}

# simulate OPTION...: one sample a second, near and far, cut before layer 5: exits 1 and 2 are far
simulate() {
  rm -f trace.h5
  edgeexit simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml --rebalance off --cuts 5 \
    --batch 1 --rate 1 --samples 20 --json --trace trace.h5 "$@" > run.json 2> err ||
    fail "simulate $*: $(cat err)"
  tool trace_answers trace.h5 exits.h5 > answers
}

# all EXIT WAY NANOSECONDS: of all twenty answers, to a microsecond, which messages to itself take a
# device a part of
all() {
  awk -v at="$1" -v way="$2" -v ns="$3" '
    $2 != at || $3 != way || $4 < ns - 1 || $4 > ns + 1000 || !$5 || $1 != NR - 1 { bad = 1 }
    END { if (bad || NR != 20) exit(1) }' answers ||
    fail "expected exit $1, way $2 after $3 ns; there is $(head -1 answers)"
}

# told ENDED LATE DROPPED OVERTAKEN: what the run says of its limit, and its trace's report
told() {
  local key wanted=("$@")
  for key in ended late dropped overtaken; do
    expect "$key" "$(tool json_value latency_limit.$key < run.json)" "${wanted[0]}"
    wanted=("${wanted[@]:1}")
  done
  expect "ended, in the report" "$(value trace.h5 ended_by_limit)" "$1"
  expect "late, in the report" "$(value trace.h5 late)" "$2"
}

first=$(of 0 1 2 h0) leaves=$(of 0 1 2 h0 3 4) behind=$(of 6 7 8 h2)

# seconds NANOSECONDS
seconds() {
  awk -v ns="$1" 'BEGIN { printf "%.9f", ns / 1e9 }'
}

if [[ -e $bin/edgeexit-simulated ]]; then
  simulate --policy final
  whole=$(awk 'NR == 1 { print $4 }' answers)
  all 2 0 "$whole"
  ! grep -q latency_limit run.json || fail "a run without a limit tells one"
  second=$((whole - behind))

  # never over; over before the first exit; over before the sample could leave the first device
  simulate --policy final --latency-limit "$(seconds $((whole + 2000000)))"
  all 2 0 "$whole"
  told 0 0 0 0
  simulate --policy final --latency-limit "$(seconds $((first - 5000)))"
  all 0 3 "$first"
  told 0 20 0 0
  simulate --policy final --latency-limit "$(seconds $((leaves - 5000)))"
  all 0 2 "$first"
  told 20 0 0 0

  # over on the way to the other device, which runs nothing
  limit=$((leaves + 500000))
  simulate --policy final --latency-limit "$(seconds $limit)"
  all 0 2 $limit
  told 20 0 20 0
  expect "time of the far device" "$(tool json_value devices.1.busy_s < run.json)" 0

  # over before the next exit, which is on the other device; over between the exits there
  limit=$(((leaves + second) / 2))
  simulate --policy final --latency-limit "$(seconds $limit)"
  all 0 2 $limit
  told 20 0 20 0
  simulate --policy final --latency-limit "$(seconds $(((second + whole) / 2)))"
  all 1 2 $second
  told 20 0 0 0

  # over while the last answer is on its way
  limit=$((whole - 500000))
  simulate --policy final --latency-limit "$(seconds $limit)"
  all 0 2 $limit
  told 20 0 0 20

  # who leaves by the policy leaves as ever, but for the first exit, where everyone is late
  simulate --policy threshold:value=0 --latency-limit "$(seconds $((first + 5000)))"
  all 0 0 "$first"
  simulate --policy threshold:value=0 --latency-limit "$(seconds $((first - 5000)))"
  all 0 3 "$first"
fi

# kept: every id has one answer, that of its exit; decided ones leave where they leave without a
# limit, the others before, and late ones at the first exit
kept() {
  tool trace_answers trace.h5 exits.h5 > answers
  awk -v n="$1" 'NR == FNR { free[$1] = $2; next }
    { count[$3]++ }
    !$5 || $1 != FNR - 1 || ($3 == 0 && $2 != free[$1]) || ($3 == 2 && $2 >= free[$1]) ||
      ($3 == 3 && $2 != 0) || $3 == 1 { print; bad = 1 }
    END { if (bad || FNR != n) exit(1); print count[0] + 0, count[2] + 0, count[3] + 0 }' \
    free answers > counted || fail "$2: $(head -3 counted)"
}

policy=threshold:values=0.5/0.35
start_ranks 1 run model.h5 data.h5 --policy $policy --trace trace.h5 > out 2> err || fail "$(cat err)"
tool trace_answers trace.h5 exits.h5 > free
cat > three.yaml << 'FLEET'
name: three devices
devices: [{name: a, flops: 10M}, {name: b, flops: 10M}, {name: c, flops: 10M}]
links:
  default: {bandwidth: 8Mbit/s, latency: 1ms}
FLEET
for limit in 0.002 0.03 0.06 0.3; do
  for ranks in 1 2 4; do
    rm trace.h5
    start_ranks $ranks run model.h5 data.h5 --policy $policy --latency-limit $limit --epoch 16 \
      --batch 4 --trace trace.h5 > out 2> err || fail "$ranks ranks within $limit s: $(cat err)"
    kept 60 "$ranks ranks within $limit s"
    grep -q "^limit      $limit s: " out || fail "the summary says $(cat out)"
  done
  rm trace.h5
  start_ranks 3 run model.h5 data.h5 --policy $policy --latency-limit $limit --fleet three.yaml \
    --rate 30 --epoch 16 --batch 4 --trace trace.h5 > out 2> err || fail "paced: $(cat err)"
  kept 60 "paced within $limit s"
  [[ ! -e $bin/edgeexit-simulated ]] && continue
  rm trace.h5
  edgeexit simulate model.h5 --outcomes exits.h5 --policy $policy --latency-limit $limit \
    --fleet three.yaml --rate 30 --epoch 16 --batch 4 --trace trace.h5 > out 2> err ||
    fail "simulated: $(cat err)"
  kept 60 "simulated within $limit s"
  cat counted >> kinds
done
if [[ -e kinds ]]; then  # each kind of answer was there
  awk '{ for (k = 1; k <= 3; k++) sum[k] += $k } END { exit !(sum[1] && sum[2] && sum[3]) }' kinds ||
    fail "answers decided, by limit and late: $(cat kinds)"
fi

# with samples that leave their device when they are offloaded
for offload in off on; do
  rm -f trace.h5
  start_ranks 3 run model.h5 data.h5 --policy offload:value=0.35,exits=1 --offload $offload \
    --latency-limit 0.02 --fleet three.yaml --rate 30 --rebalance off --batch 4 --trace trace.h5 \
    > out 2> err || fail "offload $offload: $(cat err)"
  expect "answers with offload $offload" "$(value trace.h5 answered)" 60
done

code=0
edgeexit run model.h5 data.h5 --policy splitee --latency-limit 1 > out 2> err || code=$?
expect "exit code of a limit for a learner" $code 1
grep -q "policy splitee learns from where samples leave" err || fail "a learner: $(cat err)"
code=0
edgeexit run model.h5 data.h5 --latency-limit -1 > out 2> err || code=$?
expect "exit code of a limit below 0" $code 2
