#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Results that would be written over what they are made from, over each other, or where nothing can
# be written: refused before anything is computed, and every file is left as it was.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"
cd "$scratch"

tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 20 --seed 6 -o data.h5
edgeexit generate modulation --samples 20 --seed 7 -o other.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
printf 'y,p0,c0,p1,c1\n0,0,0.9,0,0.8\n1,0,0.6,1,0.7\n' > exits.csv
printf '0,0.5\n10,1\n' > costs.csv
echo "devices: [{name: one, flops: 1e9}]" > fleet.yaml
sha256sum -- *.h5 *.csv fleet.yaml > before

# over IN ARGUMENT...: the input is named, and is as it was
over() {
  refused 2 "*$1 would be written over while it is read*" "${@:2}"
  sha256sum --quiet --check before || fail "'${*:2}' changed a file"
}

over exits.h5 policy exits.h5 --policy splitee -o exits.h5
over exits.h5 policy exits.h5 --front -o "$PWD/./exits.h5"
over costs.csv policy exits.h5 --policy splitee --offload-cost costs.csv -o costs.csv
over data.h5 calibrate model.h5 data.h5 -o data.h5
over data.h5 quantize model.h5 data.h5 -o data.h5
over data.h5 calibrate model.h5 data.h5 --reliability data.h5
over exits.h5 calibrate model.h5 --exits exits.h5 -o exits.h5
over exits.h5 calibrate model.h5 --exits exits.h5 --reliability exits.h5
over other.h5 calibrate model.h5 data.h5 --test other.h5 -o other.h5
over other.h5 calibrate model.h5 data.h5 --test other.h5 --reliability other.h5
over model.h5 calibrate model.h5 data.h5 -o new.h5 --reliability model.h5
over exits.csv import exits exits.csv --prediction p0,p1 --confidence c0,c1 --label y -o exits.csv
over exits.h5 run model.h5 data.h5 --exits exits.h5 --trace exits.h5
cp other.h5 int8.h5
sha256sum -- int8.h5 >> before
over int8.h5 run model.h5 data.h5 --exits exits.h5 --link-values int8 --exits-int8 x.h5,int8.h5 \
  --trace int8.h5
over costs.csv run model.h5 data.h5 --policy splitee --offload-cost costs.csv --trace costs.csv
over fleet.yaml run model.h5 data.h5 --fleet fleet.yaml --trace fleet.yaml
over exits.h5 run model.h5 --fleet fleet.yaml --outcomes exits.h5 --trace exits.h5
over model.h5 score model.h5 data.h5 -o model.h5
printf '0 8\n1 2\n' > net.txt
printf 'devices: [{name: a, relative: 1}]\nlinks: {default: {trace: net.txt}}\n' > recorded.yaml
over net.txt run model.h5 data.h5 --fleet recorded.yaml --trace net.txt

# two results in one place, there already or not yet
cp model.h5 copy.h5
refused 2 '*two results would be written to *' calibrate model.h5 data.h5 -o copy.h5 \
  --reliability ./copy.h5
refused 2 '*two results would be written to *' calibrate model.h5 data.h5 -o new.h5 \
  --reliability "$PWD/new.h5"
cmp -s model.h5 copy.h5 || fail "calibrate wrote a file that it refused"
[[ ! -e new.h5 ]] || fail "calibrate made a file that it refused"

# the model may be calibrated where it is
edgeexit calibrate copy.h5 data.h5 -o copy.h5 > out 2> err || fail "calibrate: $(cat err)"

# a place that cannot be written to is told before the table is read, however long that takes
: > empty
nowhere() {
  refused 1 "*$1*" "${@:2}"
}
for place in none/new.h5 empty/new.h5 .; do
  nowhere $place policy missing.h5 --policy final -o $place
  nowhere $place calibrate missing.h5 data.h5 -o $place
  nowhere $place calibrate missing.h5 data.h5 --reliability $place
  nowhere $place profile missing.h5 -o $place
  nowhere $place quantize missing.h5 data.h5 -o $place
  nowhere $place import exits missing.csv --prediction p0,p1 -o $place
  nowhere $place import idx missing missing -o $place
done
echo "refused $n_refused times"
