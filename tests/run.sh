#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds and passes all tests: first the unit tests with sanitizers, then
# everything.  Ends with ctest's summary; fails if anything failed.
#
#   tests/run.sh
#
# BUILD: where to build, default build; the sanitizers' build stands beside it.
# EE_TEST_DATA: folder of real data; tests that need it are skipped by name without it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}

# configure PRESET FOLDER [OPTION...]
configure() {
  local preset=$1 folder=$2
  shift 2
  cmake --preset "$preset" -B "$folder" -DEE_BUILD_TESTS=ON "$@"
}

# Warnings are errors in the other build only: sanitizers lead gcc to warn of what cannot happen.
test_sanitized() {
  configure sanitize "$build-sanitize" &&
    cmake --build "$build-sanitize" --parallel "$jobs" --target unit_tests &&
    ASAN_OPTIONS=detect_leaks=1 ctest --test-dir "$build-sanitize" --output-on-failure -j "$jobs" \
      -L unit --timeout 600
}

test_all() {
  configure release "$build" -DEE_WERROR=ON && cmake --build "$build" --parallel "$jobs" &&
    ctest --test-dir "$build" --output-on-failure -j 2
}

jobs/setup.sh build run test sim ${EE_TEST_DATA:+data}
sanitized=passed
echo "== unit tests with sanitizers"
test_sanitized || sanitized=failed
echo "== all tests (unit tests with sanitizers: $sanitized)"
test_all
[ $sanitized = passed ]
