#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Options that do not exist or cannot be, policies and fleets that make no sense, traces that
# cannot be written.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"

model=$scratch/model.h5 data=$scratch/data.h5 fleet=$scratch/fleet.yaml
tool make_model "$model" 2 1 128 11 1
edgeexit generate modulation --samples 20 --seed 6 -o "$data"

# run_refused CODE PATTERN OPTION...: at 1 and 4 ranks, with a good model and good data
run_refused() {
  refused_by_ranks "$1" "$2" "${@:3}" "$model" "$data"
}

run_refused 2 '*--batch is 0; expected *1 to *' --batch 0
run_refused 2 '*--nonsense is no option*' --nonsense

# samples on several devices at once
run_refused 1 '*has no branches: *' --branches latency
edgeexit generate network branches --blocks 2 --exits 1 -o "$scratch/branches.h5" > "$scratch/out"
edgeexit generate input "$scratch/branches.h5" --samples 4 -o "$scratch/input.h5" > "$scratch/out"
team_refused() {
  refused_by_ranks "$1" "$2" "${@:3}" "$scratch/branches.h5" "$scratch/input.h5"
}
for wrong in 0 0/0/0 0/0/0/0/0 0/0/0/9 0/0/0/-1 a/b/c/d 0/0/0/0@ 0/0/0/0@9 0,0,0/0/0/0 //// soon; do
  team_refused 2 "*--branches is $wrong; expected 'latency', 'period', or *" --branches "$wrong"
done
team_refused 1 '*policy splitee learns while it serves; *' --branches 0/0/0/0 --policy splitee
team_refused 2 '*--offload on is for chains of devices, not for --branches' --branches 0/0/0/0 \
  --offload on --rebalance off
team_refused 2 '*--batch is for chains of devices; with --branches it does nothing' --branches latency -b 8
# idle PATTERN OPTION...: not taken with branches and their data, whatever the option's value
idle() {
  refused 2 "$1" run "${@:2}" "$scratch/branches.h5" "$scratch/input.h5"
}
for other in "--cuts 1" "--planner exact" "--max-period 1" --whole-blocks --measure-links "--exits-int8 t.h5" \
  "--merge-wait 1" "--slots 6" "--max-accuracy-loss 0.1" "--offload-cost 0.5" "--control-delay 1" "--rule gain" \
  "--look-every 8" "--near 0.005" "--error-bars 3" "--weights auto" "--move live"; do
  for way in "--branches latency" "--branches 0/0/0/0" "--bands auto"; do
    # shellcheck disable=SC2086 # several words
    idle "*${other%% *} is for chains of devices; with ${way%% *} it does nothing" $other $way
  done
done
for other in "--epoch 256" "--min-gain 0.1" "--hold 2" "--cooldown 2" "--rebalance on"; do
  # shellcheck disable=SC2086 # several words
  idle "*${other%% *}* is for units that move; with --bands none does" --bands auto $other
  # shellcheck disable=SC2086 # several words
  idle "*${other%% *}* is for units that move: those that --branches latency *" --branches 0/0/0/0 $other
done
idle '*--epoch is for units that move: *' --branches period --epoch 256 --rebalance off
for other in "--window 8" "--ahead 2" "--late 1"; do
  # shellcheck disable=SC2086 # several words
  idle "*${other%% *} is for --branches and --bands; in a chain it does nothing" $other
done
refused 1 '*has no branches: *' plan --branches "$model"
refused 2 '*--branches shows both goals; *' plan --branches --front "$scratch/branches.h5"
team_refused 2 '*--link-values is f16; *f32' --branches 0/0/0/0 --link-values f16
team_refused 2 '*--window is 0; expected *' --branches 0/0/0/0 --window 0
team_refused 2 '*--late is -1; expected *' --branches 0/0/0/0 --late -1

# pictures in bands of rows: heights for 1 and for 4 devices are wrong for 4 and for 1
edgeexit generate network plain --blocks 3 -o "$scratch/plain.h5" > "$scratch/out"
edgeexit generate input "$scratch/plain.h5" --samples 4 -o "$scratch/rows.h5" > "$scratch/out"
bands_refused() {
  refused_by_ranks "$1" "$2" "${@:3}" "$scratch/plain.h5" "$scratch/rows.h5"
}
for wrong in 1/1 0/0/0/0 1/1/1/-1 1/nan/1/1 1/1e400/1/1 a/b soon; do
  bands_refused 2 "*--bands is $wrong; expected auto, or *" --bands "$wrong"
done
bands_refused 2 '*--bands is empty; expected *' --bands ""
bands_refused 2 '*--bands and --branches are two ways; *' --bands auto --branches latency
bands_refused 2 '*--late is for --branches: *' --bands auto --late 1
bands_refused 2 '*--borders is far; expected auto, *' --bands auto --borders far
bands_refused 2 '*--borders is for --bands*' --borders apart
bands_refused 2 '*--fuse is for --bands*' --fuse 1
bands_refused 2 '*--fuse is 0; expected *' --bands auto --fuse 0
bands_refused 2 '*--link-values is int8; with --bands *f32' --bands auto --link-values int8
bands_refused 1 '*policy splitee learns while it serves; *' --bands auto --policy splitee

refused_by_ranks 2 '*--slots needs a value*' "$model" "$data" --slots
for option in --fleet --policy --trace --outcomes --planner; do
  refused 2 "*$option is empty; expected *" run "$option" "" "$model" "$data"
done
for other in "--rule gain" "--weights file" "--move live" "--min-gain 0.1" "--near 0" "--error-bars 3" \
  "--hold 2" "--cooldown 2" "--rule petals --look-every 8"; do
  # shellcheck disable=SC2086  # words
  refused 2 "*${other%% *} is for layers that move; with --rebalance off none does" run $other \
    --rebalance off "$model" "$data"
done
for other in "--min-gain 0.1" "--near 0" "--error-bars 3" "--hold 2" "--cooldown 2"; do
  # shellcheck disable=SC2086  # words
  refused 2 "*${other%% *} is for --rule gain, not for petals" run --rule petals $other "$model" "$data"
done
refused 2 '*--front shows all periods; it takes no --planner *' plan --front --planner exact "$model"
refused 2 '*--branches shows both goals; *' plan --branches --planner exact "$model"
refused 2 '*--look-every is for --rule petals, not for gain*' run --look-every 8 "$model" "$data"
wrong_value() {
  refused 2 "*$1 is $2; $3" run "$1" "$2" "$model" "$data"
}
wrong_value --rebalance maybe 'expected on or off'
wrong_value --weights post 'expected peer, file or auto'
wrong_value --planner luck 'expected exact, *uniform, *'
wrong_value --backend abacus 'there are: * ref*'
wrong_value --winograd maybe 'expected on or off'
wrong_value --tuned maybe 'expected on or off'
for wrong in "--batch eight" "--batch 99999999999999999999" "--slots 0" "--epoch -1" "--rate nan" \
  "--samples 0" "--devices 0" "--min-gain 2" "--control-delay 1.5" "--seed -1"; do
  wrong_value "${wrong% *}" "${wrong#* }" 'expected *'
done
for shares in 0.5 0.9/0.9/0.9 0.2/0.3/0.5/0 a/b/c 0.5/0.5/ -1/1/1; do
  refused 2 "*--shares is $shares; expected 3 numbers *" run --shares "$shares" "$model" "$data"
done
run_refused 2 '*--shares is 0.5/0.5; expected 3 numbers *' --shares 0.5/0.5
refused_by_ranks 2 '*too many arguments; usage: *' "$model" "$data" "$data"
refused_by_ranks 2 '*DATA.h5 is missing; *' "$model"
refused 2 '*fly is no command; *' fly
refused 2 '*--samples is 0; expected a whole number from 1 to 1e+09' generate modulation --samples 0 \
  -o "$scratch/none.h5"
refused 2 '*--seed is -1; expected a whole number, 0 or more' generate modulation --seed -1 \
  -o "$scratch/none.h5"
refused 2 '*the SNR range "loud" is wrong: *' generate modulation --snr loud -o "$scratch/none.h5"
refused 2 '*--exits is 1,; expected *' generate network plain --blocks 3 --exits 1, -o "$scratch/none.h5"
refused 2 '*-o *is missing*' score "$model" "$data"

# what is read is not written over, and ranks are as many as was said
refused 2 '*would be written over while it is read*' score "$model" "$data" -o "$scratch/./data.h5"
run_refused 2 '*would be written over while it is read*' --trace "$data"
code=0
timeout 20 "${EE_MPIRUN:-mpirun}" -n 4 "$bin/edgeexit" run --devices 3 "$model" "$data" \
  < /dev/null > "$scratch/four.out" 2> "$scratch/four.err" || code=$?
ended four "$code"
judge four 2 '*--devices is 3, but 4 ranks were started' mpirun -n 4 edgeexit run --devices 3

# policies
run_refused 2 "*value is '1.5', expected a number from 0 to 1" --policy threshold:value=1.5
run_refused 2 "*value is '-1', expected a number from 0 to 1" --policy threshold:value=-1
run_refused 2 "*value is 'nan', expected a number from 0 to 1" --policy threshold:value=nan
run_refused 2 '*values has 3 values, expected 2' --policy threshold:values=0.5/0.5/0.5
run_refused 2 "*no policy 'luck'; there are: threshold, *" --policy luck
run_refused 2 "*no key 'valeu'; there are: value, values" --policy threshold:valeu=0.5
refused 2 "*no key 'value'; it has no keys" run --policy final:value=1 "$model" "$data"

# write_fleet DEVICES: as many devices, one per line from line 2 on; more lines come from stdin
write_fleet() {
  local device
  echo "devices:"
  for ((device = 0; device < $1; device++)); do
    echo "  - {name: d$device, ${2:-flops: 1e9}}"
  done
  cat
}

write_fleet 3 < /dev/null > "$fleet"
run_refused 1 "*$fleet*3 devices*the run has *" --devices 1 --fleet "$fleet"
for devices in 1 4; do
  write_fleet $devices "relative: 1" < /dev/null > "$fleet"
  refused 1 "*$fleet*relative*$model*profile*" run --fleet "$fleet" "$model" "$data"
done
echo "colour: red" | write_fleet 4 > "$fleet"
run_refused 1 "*$fleet:6:*colour*" --fleet "$fleet"
write_fleet 4 "flops: 1e9, wings: 2" < /dev/null > "$fleet"
run_refused 1 "*$fleet:2:*wings*" --fleet "$fleet"
run_refused 1 "*$scratch/none.yaml*" --fleet "$scratch/none.yaml"
refused 1 "*$fleet:2:*wings*" plan --fleet "$fleet" "$model"

# numbers that no device and no link can have
for wrong in "flops: 1e300" "flops: -1e9" "flops: nan" "flops: 16" "relative: 1e-300" "relative: 1e7"; do
  write_fleet 4 "$wrong" < /dev/null > "$fleet"
  refused 1 "*$fleet:2: devices\[0\].${wrong%%:*} is '${wrong#* }'*" plan --fleet "$fleet" "$model"
done
run_refused 1 "*$fleet:2: devices\[0\].relative is '1e7'; expected 1e-06 to 1e+06" --fleet "$fleet"
for wrong in "memory: 1e300B" "memory: -1MiB" "count: 1e300" "watts: {busy: 1e300, idle: 1}" \
  "speed: [{at: 1e300, factor: 1}]" "speed: [{at: 1, factor: 1e300}]" "away: [{from: -3}]"; do
  write_fleet 4 "flops: 1e9, $wrong" < /dev/null > "$fleet"
  refused 1 "*$fleet:2: devices\[0\].${wrong%%:*}*; expected * to *" plan --fleet "$fleet" "$model"
done
for wrong in "latency: 1e300s" "latency: -1ms" "latency: 2h" "bandwidth: 1e300B/s" "bandwidth: -1B/s" \
  "bandwidth: nan" "changes: [{at: 1, bandwidth: 0.1B/s}]"; do
  echo "links: {default: {$wrong}}" | write_fleet 4 > "$fleet"
  refused 1 "*$fleet:6: links.default.${wrong%%:*}*" plan --fleet "$fleet" "$model"
done

# a device that is given more layers than it has memory for, and one that the planner cannot use
write_fleet 2 "flops: 1e9, memory: 12kB" < /dev/null > "$fleet"
refused 1 '*device 0 (d0) has 12000 byte of memory, but layers 0 to 0 need *: weights *' \
  run --devices 2 --cuts 1 --fleet "$fleet" "$model" "$data"
write_fleet 2 "flops: 1e9, memory: 1kB" < /dev/null > "$fleet"
refused 1 '*no plan fits: layer 0 needs *' run --devices 2 --fleet "$fleet" "$model" "$data"

# traces
run_refused 1 "*$scratch/none/trace.h5*" --trace "$scratch/none/trace.h5"
run_refused 1 "*$model/trace.h5*" --trace "$model/trace.h5"
run_refused 1 "*$scratch *" --trace "$scratch"
[[ ! -w /dev/full ]] || run_refused 1 '*/dev/full*' --trace /dev/full

# what cannot be printed is an error, and what is closed lends its place to no file
lost() {
  local code=0
  timeout 20 "$bin/edgeexit" "$@" > /dev/full 2> "$scratch/one.err" || code=$?
  ended one "$code"
  judge one 1 '*standard output cannot be written: *' edgeexit "$@" '>' /dev/full
}
if [[ -w /dev/full ]]; then
  for command in "info $model" "info --json $model" "plan $model" "plan --json $model" \
    "bench --repeats 1 $model" "profile --repeats 1 --json $model" "policy --policy help" --help \
    "run --help" --version; do
    # shellcheck disable=SC2086 # words of a command
    lost $command
  done
fi
code=0
"$bin/edgeexit" info "$model" >&- 2> "$scratch/one.err" || code=$?
ended one "$code"
judge one 1 '*standard output cannot be written: Bad file descriptor' edgeexit info "$model" '>&-'
"$bin/edgeexit" profile --repeats 1 "$model" >&- 2> "$scratch/one.err" && fail "a lost table is no error"
edgeexit info "$model" > "$scratch/one.out"
echo "refused $n_refused times"
