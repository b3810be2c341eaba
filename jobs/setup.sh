#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says which packages EdgeExit needs and what each is for, and installs those that are missing.
#
#   jobs/setup.sh [--list] [PURPOSE...]
#
# Purposes: build, run, test, sim (simulated fleets), data (tests on real data, with EE_TEST_DATA
# set).  Default: build run.
# Debian and Ubuntu: apt-get, as root or through sudo, and only when something is missing.
# Elsewhere, or with --list, it names the packages; that is an error only if a program is missing.
set -euo pipefail

# Purpose, package on Debian and Ubuntu, a program of it that must be there ("-": none), what for.
packages='
build  cmake                cmake       makes the build, 3.25 or newer
build  ninja-build          ninja       runs the build
build  gcc                  cc          C11 compiler; clang does as well
build  libc6-dev            -           headers of the C library
build  pkg-config           pkg-config  finds HDF5, libyaml, protobuf-c, cJSON and CUnit
build  libopenmpi-dev       mpicc       MPI 3.1, to build with
build  libblis-dev          -           BLIS, matrix kernels
build  libhdf5-dev          -           HDF5, serial: models, data, traces
build  libyaml-dev          -           libyaml: fleet files
build  zlib1g-dev           -           zlib: gzip in IDX files
build  libprotobuf-c-dev    -           protobuf-c: ONNX files
build  protobuf-c-compiler  protoc-c    makes the ONNX reader from onnx.proto
build  libonnx-dev          -           onnx/onnx.proto
build  libcjson-dev         -           cJSON: --json
run    openmpi-bin          mpirun      starts the devices
run    openssh-client       ssh         mpirun reaches other hosts with it
test   libcunit1-dev        -           CUnit
test   hdf5-tools           h5dump      looks into files without our own reader
test   clang-format         -           lint: format; version 14 or it is skipped
test   shellcheck           -           lint: scripts; skipped without it
sim    libsimgrid-dev       -           SimGrid, for simulated fleets; built without it otherwise
data   xz-utils             xz          unpacks CIFAR-10
data   python3-numpy        python3     scripts that compare with PyTorch
data   python3-torch        -           PyTorch
data   python3-onnx         -           PyTorch to ONNX
data   python3-h5py         -           reads our files without our own reader
'

usage() {
  sed -n '/^#   /,/^$/p' "$0" | sed '/^[^#]/,$d; s/^# \{0,3\}//'
}

# Lines of the table for the purposes given.
chosen() {
  local purpose
  for purpose in "$@"; do
    grep -E "^$purpose " <<< "$packages" || {
      echo "setup: $purpose is no purpose; expected build, run, test, sim or data" >&2
      return 2
    }
  done
}

missing_packages() {
  local package
  while read -r _ package _; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2> /dev/null) in
      ii*) ;;
      *) echo "$package" ;;
    esac
  done
}

missing_programs() {
  local program
  while read -r _ _ program _; do
    [ "$program" = - ] || command -v "$program" > /dev/null || echo "$program"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

can_install() {
  command -v apt-get > /dev/null && { [ "$(id -u)" -eq 0 ] || command -v sudo > /dev/null; }
}

install_packages() {
  echo "setup: installing $*" >&2
  as_root apt-get -o DPkg::Lock::Timeout=300 -qq update
  as_root apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq -y \
    --no-install-recommends install "$@" > /dev/null
}

list_packages() {
  local purpose package what
  echo "EdgeExit needs these, by their names on Debian and Ubuntu:"
  while read -r purpose package _ what; do
    printf '  %-6s %-20s %s\n' "$purpose" "$package" "$what"
  done
}

# Nothing can be installed from here: name what is needed, and go on if the programs are there.
make_do() {
  local table=$1 programs
  list_packages <<< "$table" >&2
  programs=$(missing_programs <<< "$table" | tr '\n' ' ')
  if [ -n "$programs" ]; then
    echo "setup: not found: ${programs% }; install the packages above and try again" >&2
    return 1
  fi
  echo "setup: the programs are there; CMake says if a library is missing" >&2
}

main() {
  local list=no table packages_needed=()
  case ${1-} in
    -h | --help) usage && return ;;
    --list) list=yes && shift ;;
  esac
  [ $# -gt 0 ] || set -- build run
  table=$(chosen "$@")
  if [ $list = yes ]; then
    list_packages <<< "$table"
  elif command -v dpkg-query > /dev/null; then
    mapfile -t packages_needed < <(missing_packages <<< "$table")
    [ ${#packages_needed[@]} -gt 0 ] || return 0
    if can_install; then install_packages "${packages_needed[@]}"; else make_do "$table"; fi
  else
    make_do "$table"
  fi
}

main "$@"
