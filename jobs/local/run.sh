#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One run on this machine, and its report.
#
#   jobs/local/run.sh [CONFIG]        CONFIG: as jobs/config.env, which it defaults to
set -euo pipefail
config=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=../steps.sh
. jobs/steps.sh

read_config "$config"
prepare
run_stream run
edgeexit report "$RESULTS/run.h5"
echo "trace: $RESULTS/run.h5"
