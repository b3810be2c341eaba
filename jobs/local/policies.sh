#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays policies on an exit table on this machine, each over a range of one of its numbers.
#
#   jobs/local/policies.sh [CONFIG]
#
# CONFIG: as jobs/policies.env, which it defaults to
set -euo pipefail
config=$(realpath "${1:-$(dirname "${BASH_SOURCE[0]}")/../policies.env}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=../steps.sh
. jobs/steps.sh

read_config "$config"
prepare_exits
for ((i = 0; i < ${#SWEEPS[@]}; i++)); do sweep_policy "$i"; done
