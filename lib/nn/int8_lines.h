/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "int8_pack.h"

/**
 * @file int8_lines.h
 * What convolutions and products of 8 bits are: lines of pixels by panels of weights.
 */

/** Neighbouring pixels of the result, and where the window of the first one begins. */
typedef struct ee_int8_line {
  const char  *in;
  float       *out;
  const float *residual;  // NULL: none
  int64_t      width;     // pixels
} ee_int8_line;

/** One run of a node. */
typedef struct ee_int8_lines {
  const ee_kernel_call *call;
  ee_int8_pack          pack;
  ee_int8_tile          tile;        // what all tiles share: steps, words, rows and runs
  int64_t               n;           // lines
  int64_t               line_bytes;  // read and written for one
  bool                  full;        // the result has room for whole vectors
  ee_int8_line (*line)(const struct ee_int8_lines *lines, int64_t i);
} ee_int8_lines;

/** Compute all lines, in blocks that stay in the second-level cache while every panel of weights
 *  goes through them, and apply the activation. */
void ee_int8_lines_run(ee_int8_lines *lines);
