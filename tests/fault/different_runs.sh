#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ranks that were given different command lines: every option that they can differ in is named with
# its values, and nobody waits for a message that never comes.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 40 --seed 6 -o data.h5
edgeexit generate network branches --blocks 2 --exits 1 -o branches.h5 > out
edgeexit generate input branches.h5 --samples 4 -o input.h5 > out

# differ PATTERN FIRST LAST: arguments of ranks 0 and 1, and of rank 2
differ() {
  local code=0 first last
  read -ra first <<< "$2"
  read -ra last <<< "$3"
  timeout 20 "${EE_MPIRUN:-mpirun}" -n 2 "$bin/edgeexit" run "${first[@]}" : \
    -n 1 "$bin/edgeexit" run "${last[@]}" < /dev/null > three.out 2> three.err || code=$?
  ended three "$code"
  judge three 2 "edgeexit: $1; all ranks of a run take the same options" \
    "${EE_MPIRUN:-mpirun}" -n 2 edgeexit run "${first[@]}" : -n 1 edgeexit run "${last[@]}"
}

# chain and team, OPTION FIRST LAST: ranks 0 and 1 have the one value, rank 2 the other; "-" is none
chain() {
  rows "$1" "$2" "$3" "model.h5 data.h5"
}
team() {
  rows "$1" "$2" "$3" "--branches 0/1/2/0 branches.h5 input.h5"
}
rows() {
  local mine="$1 $2 $4" theirs="$1 $3 $4" told=("$2" "$3")
  [[ $2 != - ]] || mine=$4 told[0]="not given"
  [[ $3 != - ]] || theirs=$4 told[1]="not given"
  differ "$1 is ${told[0]} on rank 0 and ${told[1]} on rank 2" "$mine" "$theirs"
}

chain --policy threshold:value=0.8 threshold:value=0.3
chain --seed 1 18446744073709551615
chain --trace - x.h5
chain --rebalance off on
chain --min-gain 0.1 0.10000000000000002
chain --rule gain petals
chain --move live drain
chain --weights peer file
chain --epoch 32 64
chain --latency-limit 0.5 1
chain --cuts 1 -
team --policy threshold:value=0.8 threshold:value=0.3
team --latency-limit 10 0.25
team --window 8 4
team --late 1 2
differ "--measure-links is given on rank 0 and not given on rank 2" \
  "--measure-links model.h5 data.h5" "model.h5 data.h5"
differ "--measure-links is not given on rank 0 and given on rank 2" \
  "model.h5 data.h5" "--measure-links model.h5 data.h5"
differ "--branches is not given on rank 0 and 0/1/2/0 on rank 2" \
  "branches.h5 input.h5" "--branches 0/1/2/0 branches.h5 input.h5"

# two options: the first of the table is told; one letter and the long name are one option
differ "--batch is 8 on rank 0 and 4 on rank 2" "model.h5 data.h5" "--seed 2 -b 4 model.h5 data.h5"
differ "--winograd is not given on rank 0 and off on rank 2" \
  "model.h5 data.h5" "--winograd off model.h5 data.h5"

# files, by name, before anything of them is compared
cp model.h5 other.h5
differ "MODEL.h5 is model.h5 on rank 0 and other.h5 on rank 2" "model.h5 data.h5" "other.h5 data.h5"
differ "DATA.h5 is data.h5 on rank 0 and input.h5 on rank 2" "model.h5 data.h5" "model.h5 input.h5"

# the same in other words is the same run
"${EE_MPIRUN:-mpirun}" -n 2 "$bin/edgeexit" run --epoch 64 --min-gain 0.1 -p threshold:value=0.8 \
  model.h5 data.h5 : -n 1 "$bin/edgeexit" run model.h5 data.h5 --policy threshold:value=0.8 \
  --min-gain 1e-1 -e 64 < /dev/null > out 2> err || fail "equal options are refused: $(cat err)"
echo "refused $n_refused times"
