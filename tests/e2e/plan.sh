#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edgeexit plan: plans, trade-offs, verdicts and warnings, for fleets where they are known.
source "$(dirname "$0")/common.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1

# fleet NAME LINKS DEVICE...: each device as NAME:FLOPS[:MEMORY]
fleet() {
  local name=$1 links=$2 device
  {
    echo "name: $name"
    echo "devices:"
    for device in "${@:3}"; do
      IFS=: read -r device flops memory <<< "$device"
      echo "  - {name: $device, flops: $flops${memory:+, memory: $memory}}"
    done
    echo "links:"
    echo "  default: $links"
  } > "$name.yaml"
}

# plan FLEET OPTION...: to plan.json; of PATH: one value of it
plan() {
  edgeexit plan model.h5 --json --fleet "$1.yaml" "${@:2}" > plan.json
}
of() {
  tool json_value "$1" < plan.json
}
at_most() {
  awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b * (1 + 1e-9)) }' || fail "$1 is more than $2 ($3)"
}
refused() {
  local code=0
  edgeexit plan model.h5 "${@:2}" > out 2> err || code=$?
  expect "exit code of ${*:2}" "$code" 2
  grep -q -- "$1" err || fail "${*:2} says: $(cat err)"
}

fleet free '{bandwidth: 10GB/s, latency: 1us}' slow:1M fast:10M middle:5M
fleet narrow '{bandwidth: 1kB/s, latency: 100ms}' slow:10M fast:11M
fleet tight '{bandwidth: 10GB/s, latency: 1us}' one:1M:200kB two:1M:370kB three:1M:370kB

# a device that is ten times slower: even parts are worse than none, and that is said
plan free --planner uniform
case $(of verdict) in
  "do not distribute: fast alone is "*) ;;
  *) fail "verdict on even parts: $(of verdict)" ;;
esac
expect "warning" "$(of warnings.0 | cut -d: -f1)" "slow makes it worse"
expect "name of the best alone" "$(of best.alone)" fast
uniform=$(of best.period_s)

# the exact plan is better, the order chosen freely at least as good, and no device makes it worse
plan free
expect "warnings" "$(of warnings.0 2> /dev/null || true)" ""
at_most "$(of best.period_s)" "$uniform" "exact, uniform"
at_most "$(of best.lower_bound_s)" "$(of best.period_s)" "bound, exact"
for d in 0 1 2; do at_most "$(of best.period_s)" "$(of devices.$d.period_without_s)" "without $d"; done
exact=$(of plans.2.period_s) last=$(of plans.2.plan)
plan free --planner free-order
at_most "$(of plans.2.period_s)" "$exact" "free order, exact"

# the front goes from the least latency to the shortest period, and --max-period picks from it
plan free --planner latency
earliest=$(of plans.2.latency_s) first=$(of plans.2.plan)
edgeexit plan model.h5 --json --fleet free.yaml --front > plan.json
n=$(grep -o '"period_s"' plan.json | wc -l)
((n > 1)) || fail "the front has $n plans"
expect "first of the front" "$(of front.0.plan)" "$first"
expect "its latency" "$(of front.0.latency_s)" "$earliest"
expect "last period of the front" "$(of front.$((n - 1)).period_s)" "$exact"
second=$(of front.1.plan) period=$(of front.1.period_s)
plan free --max-period "$period"
expect "plan within $period s" "$(of plans.2.plan)" "$second"

# a period that only early exits make possible: the refusal says how they are told
plan free
limit=$(awk -v p="$(of plans.2.period_s)" 'BEGIN { print 0.9 * p }')
edgeexit generate modulation --samples 30 --seed 2 -o data.h5
# hinted COMMAND...: it refuses the limit, and names the options
hinted() {
  if edgeexit "$@" --fleet free.yaml --max-period "$limit" > out 2> err; then fail "$1 keeps to $limit s"; fi
  grep -q 'no plan has a period of .*--shares Q0/Q1/..., or --exits EXITS.h5 with the policy' err ||
    fail "$1 without shares says: $(cat err)"
}
hinted plan model.h5
hinted run model.h5 data.h5 --planner latency
plan free --max-period "$limit" --shares 0.9/0.05/0.05
at_most "$(of plans.2.period_s)" "$limit" "with shares, the limit"

# a link that costs more than it gains: one device alone, and the link is the reason
plan narrow
expect "verdict on a narrow link" "$(of verdict)" \
  "do not distribute: one device is as fast as 2; all layers on slow; fast is idle: its link would be the bottleneck"
expect "fast" "$(of devices.1.used) $(of devices.1.idle)" "false link"

# one slot is worth a warning, as planners do not count what it costs
plan free --slots 1 --planner uniform
grep -q 'with --slots 1 a device does not compute' plan.json || fail "one slot: $(of warnings.0)"

# too little memory for one device, and for two: three have a plan, within what they have
plan tight
expect "plan for one" "$(of plans.0.plan)" null
at_most "$(of devices.1.memory_bytes)" "$(of devices.1.memory_limit_bytes)" "memory of two"

# a run takes what the plan says, a little less where the source sends
edgeexit generate modulation --samples 3 --seed 3 -o few.h5
edgeexit run --devices 3 --fleet tight.yaml model.h5 few.h5 --json < /dev/null > run.json 2> err ||
  fail "a plan that fits is refused: $(cat err)"
said=$(tool json_value devices.1.memory_bytes < run.json)
awk -v run="$said" -v plan="$(of devices.1.memory_bytes)" \
  'BEGIN { x = run / plan; exit !(x > 0.85 && x < 1.02) }' ||
  fail "two takes $said byte, and $(of devices.1.memory_bytes) by the plan"

# devices that share a stage have each their own limit
fleet unlike '{bandwidth: 10GB/s, latency: 1us}' a:1M:5MB b:1M:6MB c:1M
plan unlike --planner replicate
expect "devices of the stage" "$(of plans.2.stage_devices.0)" 3
expect "their limits" "$(of devices.0.memory_limit_bytes) $(of devices.1.memory_limit_bytes) $(of devices.2.memory_limit_bytes)" \
  "5000000 6000000 null"
plan unlike --devices 1
expect "verdict on one" "$(of verdict)" "do not distribute: there is one device"

edgeexit plan model.h5 --fleet tight.yaml > table
grep -q '^ *1  no plan$' table || fail "the table has a plan for one device"
grep -q '^verdict: use ' table || fail "the table has no verdict"
grep -q "^three " table || fail "the table does not list the devices"
[[ $last == *"|"* ]] || fail "three devices are not used: $last"

# a plan that does not follow the order of the fleet runs, moves, and answers the same
fleet quick '{bandwidth: 10GB/s, latency: 1us}' fast:1G slow:100M middle:500M
plan quick --planner free-order
devices=$(of plans.2.plan | grep -o '@[0-9]' | tr -d '@\n')
[[ $devices != "$(fold -w1 <<< "$devices" | sort | tr -d '\n')" ]] ||
  fail "the order of devices is that of the fleet: $devices"
edgeexit generate modulation --samples 300 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
for rebalance in on off; do
  moving=(--rebalance off)
  [[ $rebalance == off ]] || moving=(--min-gain 0)
  edgeexit run --devices 3 --fleet quick.yaml --planner free-order --policy threshold:value=0.5 \
    --epoch 32 "${moving[@]}" --logits --trace $rebalance.h5 \
    model.h5 data.h5 < /dev/null > out 2> err || fail "run with --rebalance $rebalance: $(cat err)"
done
tool compare_traces --exits exits.h5 --threshold 0.5 on.h5 off.h5

# so many kinds of devices that their order is not searched, and so few that it is
many=()
for ((d = 0; d < 30; d++)); do many+=("d$d:$((d + 1))M"); done
fleet many '{bandwidth: 10GB/s, latency: 1us}' "${many[@]}"
plan many --planner free-order
expect "heuristic for 30 kinds" "$(of heuristic)" true
plan many --planner free-order --devices 5
expect "heuristic for 5 kinds" "$(of heuristic)" false

fleet tiny '{bandwidth: 10GB/s, latency: 1us}' one:1M:1kB two:1M:1kB
for option in --json --front; do
  code=0
  edgeexit plan model.h5 --fleet tiny.yaml $option > out 2> err || code=$?
  expect "exit code of no plan at all" "$code" 1
  grep -q 'no plan fits: layer 0 needs' err || fail "no plan at all says: $(cat err)"
done

# what finding plans took is told for each number of devices, in processor time
plan free
for n in 0 1 2; do
  awk -v s="$(of plans.$n.planner_s)" 'BEGIN { exit !(s > 0) }' || fail "planner_s is $(of plans.$n.planner_s)"
done

# with free links every plan has the same latency, and the period counts
edgeexit plan model.h5 --planner latency -n 3 --json > plan.json
expect "devices of the least latency and then period" "$(of best.devices)" 3
[[ $(of verdict) == "use 3 of 3 devices"* ]] || fail "verdict on equal latencies: $(of verdict)"

# unequal devices that share all layers take turns in proportion to their speed
plan free --planner replicate
expect "replicas on unequal devices" "$(of plans.2.plan)" "0-8 @0,1*10,2*5"
awk -v b="$(of plans.2.above_bound)" 'BEGIN { exit !(b < 0.02) }' || fail "replicas are far above the bound"

# speeds: assumed, or those of the profile, on this host and on a fleet measured by it
edgeexit plan model.h5 -n 2 --json > plan.json
expect "speed assumed" "$(of assumed_flops)" 1000000000
edgeexit plan model.h5 -n 2 > out
grep -q 'never profiled: 1 GFLOP/s are assumed' out || fail "an unprofiled model says: $(cat out)"
edgeexit profile model.h5 -o profiled.h5 --json > profile.json
copying=$(tool json_value copy_seconds_per_byte < profile.json)
awk -v s="$copying" 'BEGIN { exit !(s > 1e-12 && s < 1e-7) }' || fail "passing a byte on takes $copying s"
seconds=$(tr '{' '\n' < profile.json | sed -n 's/.*"seconds":\([-0-9.e]*\).*/\1/p' |
  awk '{ sum += $1 } END { printf "%.12g", sum }')
edgeexit plan profiled.h5 -n 1 --planner latency --json > plan.json
expect "speed assumed beside a profile" "$(of assumed_flops)" null
edgeexit plan profiled.h5 -n 2 > out
! grep -q assumed out || fail "a profiled model says: $(cat out)"

# with what it was profiled: what runs here says nothing, anything else is told
edgeexit info --json profiled.h5 > info.json
for key in backend cpu vectors; do
  expect "profiled $key" "$(tool json_value runs.profiled.$key < info.json)" \
    "$(tool json_value $key < profile.json)"
  expect "$key of this host" "$(tool json_value runs.$key < info.json)" \
    "$(tool json_value $key < profile.json)"
done
expect "alike" "$(tool json_value runs.profiled.alike < info.json)" true
edgeexit info profiled.h5 | grep -q '^profiled with: backend' || fail "info is silent about profiles"
! edgeexit info model.h5 | grep -q 'profiled with' || fail "info tells of a profile that is not there"
# told WORDS COMMAND...: whether it says on stderr with what the model was profiled, and goes on
told() {
  "${@:2}" > out 2> err || fail "${*:2} says: $(cat err)"
  expect "warnings of ${*:2}" "$(grep -c 'was profiled with .* but here runs' err || :)" "$1"
}
printf 'devices: [{name: d, count: 2, relative: 0.5}]\n' > relative.yaml
printf 'devices: [{name: d, count: 2, flops: 1G}]\n' > absolute.yaml
edgeexit generate input model.h5 -n 4 -o input.h5 > out
told 0 edgeexit plan profiled.h5 -n 2
EE_BACKEND=ref told 1 edgeexit plan profiled.h5 -n 2
grep -q "backend $(tool json_value backend < profile.json) on .* runs backend ref on" err ||
  fail "another backend is told as: $(cat err)"
EE_BACKEND=ref told 1 edgeexit plan profiled.h5 --fleet relative.yaml
EE_BACKEND=ref told 0 edgeexit plan profiled.h5 --fleet absolute.yaml
EE_BACKEND=ref told 0 edgeexit plan model.h5 -n 2
told 0 edgeexit run profiled.h5 input.h5
told 1 edgeexit run --backend ref profiled.h5 input.h5
told 1 edgeexit run --devices 2 --backend ref profiled.h5 input.h5
if [[ $(tool json_value vectors < profile.json) != base ]]; then
  EE_SIMD=base told 1 edgeexit plan profiled.h5 -n 2
fi
edgeexit profile --backend ref --repeats 3 profiled.h5 -o ref.h5 > out
grep -q '^measured with: backend ref on ' out || fail "profile does not say with what: $(cat out)"
told 1 edgeexit plan ref.h5 -n 2
if [[ -e $bin/edgeexit-simulated ]]; then
  edgeexit score model.h5 input.h5 -o outcomes.h5 > out
  told 1 edgeexit simulate ref.h5 --outcomes outcomes.h5 --fleet relative.yaml
  told 0 edgeexit simulate profiled.h5 --outcomes outcomes.h5 --fleet relative.yaml
fi
at_most "$(of best.period_s)" "$(awk -v s="$seconds" 'BEGIN { print s * 1.0001 }')" "profiled period"
printf 'devices: [{name: half, relative: 0.5}]\n' > half.yaml
edgeexit plan profiled.h5 --fleet half.yaml --json > plan.json
at_most "$(awk -v s="$seconds" 'BEGIN { print s * 1.9 }')" "$(of best.period_s)" "period at half speed"
at_most "$(of best.period_s)" "$(awk -v s="$seconds" 'BEGIN { print s * 2.0001 }')" "at half speed"

refused 'expected exact, ' --planner luck
refused '--max-period is for --planner latency' --max-period 1 --planner flops
refused '--max-period is for --planner latency' --max-period 1 --planner exact
refused '--front shows all periods' --front --planner uniform
refused '--max-period is -1; expected' --max-period -1
refused '--policy needs --exits' --policy threshold:value=0.5

# of many devices that are alike each row is what it is where every link is looked at: one link that
# no plan uses differs
alike='devices: [{name: d, count: 40, flops: 1G}]
links: {default: {bandwidth: 100Mbit/s, latency: 200us}'
echo "$alike}" > alike.yaml
echo "$alike, pairs: [{from: d38, to: d39, latency: 300us}]}" > odd.yaml
for options in "" "--link-values auto" "--planner latency" "--planner flops"; do
  # shellcheck disable=SC2086 # words of a command
  edgeexit plan model.h5 --fleet alike.yaml --shares 0.4/0.2/0.4 --json $options > alike.json
  # shellcheck disable=SC2086
  edgeexit plan model.h5 --fleet odd.yaml --shares 0.4/0.2/0.4 --json $options > odd.json
  sed -i 's/"planner_s":[^,]*,//g' alike.json odd.json
  cmp alike.json odd.json || fail "plans of alike devices differ with '$options'"
done

# the fleets that ship
for file in "$source_dir"/jobs/fleets/*.yaml; do
  edgeexit plan model.h5 --fleet "$file" --json > plan.json || fail "$file has no plan"
  [[ $(of verdict) == *"device"* ]] || fail "$file: verdict $(of verdict)"
done
