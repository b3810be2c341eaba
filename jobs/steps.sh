# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The steps that the scripts of jobs share.  To be sourced in the root of the repository, with the
# variables of jobs/config.env set.

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# need_count NAME: this setting is a whole number above 0
need_count() {
  [[ ${!1} =~ ^[1-9][0-9]{0,8}$ ]] || die "$1 is '${!1}', expected a whole number above 0"
}

# need_counts NAME: this setting is one or more of them
need_counts() {
  [[ ${!1} =~ ^\ *[1-9][0-9]{0,8}(\ +[1-9][0-9]{0,8})*\ *$ ]] ||
    die "$1 is '${!1}', expected one or more whole numbers above 0"
}

# need_number NAME: this setting is a number above 0
need_number() {
  [[ ${!1} =~ ^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$ && ${!1} =~ ^[0.]*[1-9] ]] ||
    die "$1 is '${!1}', expected a number above 0"
}

# read_config [FILE]
read_config() {
  local file=${1:-jobs/config.env}
  [ -r "$file" ] || die "$file cannot be read; expected settings as in jobs/config.env"
  # shellcheck source=config.env
  . "$file"
}

# How MPI is set up, for mpirun; what the user has set stays.
export_mpi_settings() {
  local key value
  while IFS='=' read -r key value; do
    [ -n "${!key-}" ] || export "$key=$value"
  done < <(grep '^[A-Z]' jobs/mpi.env)
}

edgeexit() {
  "$BUILD/bin/edgeexit" "$@"
}

# The program is there.
need_program() {
  [ -x "$BUILD/bin/edgeexit" ] ||
    die "$BUILD/bin/edgeexit is not there; jobs/quickstart.sh builds it, or see docs/building.md"
}

# What a run needs is there; the data is made if it is not.
prepare() {
  local part
  need_program
  [ -r "$MODEL" ] || die "the model $MODEL cannot be read"
  mkdir -p "$RESULTS"
  [ ! -e "$DATA" ] || return 0
  part=$DATA.$$.part  # tasks that start together each make theirs; the files are equal
  edgeexit generate modulation -o "$part" --samples "$SAMPLES" --snr "$SNR" --seed "$SEED"
  mv "$part" "$DATA"
}

# The exit table is there; it is made if it is not.
prepare_exits() {
  local part
  need_program
  mkdir -p "$RESULTS"
  [ ! -e "$EXITS" ] || return 0
  prepare
  part=$EXITS.$$.part
  edgeexit score -o "$part" "$MODEL" "$DATA" > /dev/null
  mv "$part" "$EXITS"
}

# sweep_policy INDEX: the table of that line of SWEEPS on standard output and in RESULTS/*.txt, all
# figures in RESULTS/*.h5
sweep_policy() {
  local policy sweep name
  read -r policy sweep <<< "${SWEEPS[$1]}"
  name=$RESULTS/policy-$(tr ':=,/' '-' <<< "$policy")-${sweep%%=*}
  # shellcheck disable=SC2153  # SEEDS is a setting
  edgeexit policy "$EXITS" --policy "$policy" --sweep "$sweep" --stream "$STREAM" --seeds "$SEEDS" \
    -o "$name.h5" > "$name.txt"
  printf '\n%s, %s\n' "$policy" "$sweep"
  cat "$name.txt"
}

# run_stream NAME [OPTION...]: the trace goes to RESULTS/NAME.h5, the figures to RESULTS/NAME.json.
# LAUNCH, if set, is the command that starts RANKS ranks.
run_stream() {
  local name=$1 command=("$BUILD/bin/edgeexit" run)
  shift
  if [ -n "${LAUNCH-}" ]; then
    # shellcheck disable=SC2206 # a command in words
    command=($LAUNCH -n "$RANKS" "${command[@]}")
  else
    command+=(--devices "$RANKS")
  fi
  "${command[@]}" ${FLEET:+--fleet "$FLEET"} --policy "$POLICY" --rebalance "$REBALANCE" \
    --batch "$BATCH" --epoch "$EPOCH" --seed "$SEED" --trace "$RESULTS/$name.h5" --json "$@" \
    "$MODEL" "$DATA" > "$RESULTS/$name.json"
}

# figure FILE KEY [FACTOR]: the first value of that name, a total; exits and devices come later.
figure() {
  awk -v key="\"$2\":" -v factor="${3:-1}" '
    (at = index($0, key)) > 0 {
      value = substr($0, at + length(key))
      sub(/[,}].*/, "", value)
      print value == "null" ? "-" : value * factor
      exit
    }' "$1"
}

print_head() {
  printf '%-16s %10s %10s %10s %10s %10s %10s %6s  %s\n' \
    "$1" samples/s 'at first' 'at last' accuracy 'p95 ms' 'gap ms' moves clock
}

# print_row TITLE FILE
print_row() {
  local row=$2 clock=honest
  grep -q '"honest":true' "$row" || clock='not honest'
  printf '%-16s %10.1f %10.1f %10.1f %10s %10.1f %10.1f %6d  %s\n' "$1" \
    "$(figure "$row" throughput_per_s)" "$(figure "$row" first_quarter_per_s)" \
    "$(figure "$row" last_quarter_per_s)" "$(figure "$row" accuracy)" \
    "$(figure "$row" latency_p95_s 1000)" "$(figure "$row" longest_gap_s 1000)" \
    "$(figure "$row" moves_done)" "$clock"
}

# shares FILE: the shares that left at each exit, as --shares takes them
shares() {
  grep -o '"share":[0-9.e+-]*' "$1" | cut -d: -f2 | paste -sd/
}
