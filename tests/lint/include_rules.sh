#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: the layers of the design, for public headers and for outside libraries.
source "$(dirname "$0")/sources.sh"

# Module: its public headers.  Every header of lib/include/ee stands here once.
headers='
core: agree clock fleet link_slots log network_trace options plan rng status trace
nn: backend bands cpu exec model model_identity pixels quantization random_network tensor tuning unit_memory unit_pieces units winograd
exits: calibrate confidence difference exit_quality exit_table measures offloading policy replay risk scaling thresholds
partition: band_plan band_units judgement partition placement units_forecast
runtime: device lifeline link_values roll_call same_kernels team trace_relay waiter
control: band_choice controller link_choice team_controller
io: data_file exits_file file_format fleet_file import model_file modulation network_trace_file offload_costs_file reliability_file result_file trace_file
'

# Module: the modules whose headers it may include beside its own.
may='
core:
nn: core
exits: core
partition: core nn
runtime: core exits nn
control: core exits nn partition runtime
io: core exits nn
apps: control core exits io nn partition runtime
'

# Header or module: why another may not, though the table above allows it.
# partition is a pure function of a model and a plan; only who talks to devices includes MPI; io
# fills exit tables and decides nothing.
never='
partition: agree backend clock exec
nn: agree clock
exits: agree clock
io: agree calibrate confidence difference measures offloading policy replay risk scaling thresholds
'

# Outside header (a pattern): the modules that may include it.
outside='
hdf5.h: io
H5*: io
yaml.h: io
onnx*: io
zlib.h: io
protobuf-c*: io
blis*: nn
cJSON.h: apps
mpi.h: apps control core runtime
time.h: apps core
sys/time.h: core
CUnit*:
'

declare -A owner_of may_include never_includes may_be_included

# read_table TABLE ARRAY: rows "KEY: VALUE" into an associative array.
read_table() {
  local -n into=$2
  local key value
  while IFS=: read -r key value; do
    # shellcheck disable=SC2004,SC2034 # the caller's array, by words
    [ -z "$key" ] || into[$key]=$value
  done <<< "$1"
}

read_tables() {
  local module header names
  while IFS=: read -r module names; do
    for header in $names; do owner_of[$header]=$module; done
  done <<< "$headers"
  read_table "$may" may_include
  read_table "$never" never_includes
  read_table "$outside" may_be_included
}

contains() {
  [[ " $1 " == *" $2 "* ]]
}

# Sets module.
find_module() {
  local name=${1#lib/include/ee/}
  case $1 in
    lib/include/ee/*) module=${owner_of[${name%.h}]-} ;;
    lib/*) name=${1#lib/} && module=${name%%/*} ;;
    *) module=${1%%/*} ;;
  esac
}

check_public() {
  local file=$1 module=$2 header=$3
  local owner=${owner_of[$header]-}
  if [ -z "$owner" ]; then
    violation "$file includes ee/$header.h, which tests/lint/include_rules.sh gives to no module"
  elif [ "$owner" != "$module" ] && ! contains "${may_include[$module]-}" "$owner"; then
    violation "$file includes ee/$header.h: $module may not include $owner"
  elif contains "${never_includes[$module]-}" "$header"; then
    violation "$file includes ee/$header.h: $module may not"
  fi
}

check_outside() {
  local file=$1 module=$2 included=$3 pattern
  for pattern in "${!may_be_included[@]}"; do
    # shellcheck disable=SC2053 # the right side is a pattern
    [[ $included == $pattern ]] || continue
    contains "${may_be_included[$pattern]}" "$module" ||
      violation "$file includes <$included>: $module may not"
  done
}

check_include() {
  local file=$1 included=$2 module name
  find_module "$file"
  [ -n "$module" ] || return 0  # said above
  name=${included#ee/}
  case $included in
    ee/*) check_public "$file" "$module" "${name%.h}" ;;
    ../*) violation "$file includes \"$included\": private headers stay in their folder" ;;
    *) check_outside "$file" "$module" "$included" ;;
  esac
}

read_tables
for header in lib/include/ee/*.h; do
  find_module "$header"
  [ -n "$module" ] || violation "$header: tests/lint/include_rules.sh gives it to no module"
done
while IFS=: read -r file included; do
  check_include "$file" "$included"
done < <(list_files '*.c' '*.h' | grep -E '^(lib|partition|io|apps)/' | tr '\n' '\0' |
  xargs -0 grep -HoE '^#include [<"][^">]+' | sed 's/#include [<"]//')
finish
