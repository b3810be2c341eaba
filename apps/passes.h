/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "timing.h"
#include "whole.h"

/**
 * @file passes.h
 * What a whole model and each of its parts take on this core: a batch goes through all layers, over
 * and over, so that each part finds the caches as it would in a stream.
 */

/** How often, and with what. */
typedef struct ee_pass_options {
  bool by_layer;     // also passes with the clock read behind each layer, beside those of the whole
  bool early_heads;  // of all exits; else of the last one only
  bool cpu_time;     // parts in CPU time of this process, less what reading that clock takes
  bool warm;         // the process has just run passes: a single one in front does not count
  int  repeats;      // passes that count; 0: as many as fit into `seconds`, at least
                     // EE_LEAST_PASSES
  double seconds;
} ee_pass_options;

#define EE_LEAST_PASSES 7
#define EE_MOST_PASSES 3000

/** What a batch took. */
typedef struct ee_pass_times {
  int        n_passes;
  ee_timing  whole;
  ee_timing  cpu;        // CPU time of the whole: without what other processes took
  ee_timing *layer;      // shape [n_layers]; 0 if not by layer
  ee_timing *head;       // shape [n_exits]; 0 if not by layer, or where it was left out
  double     cpu_share;  // of the time measured in which this process had a core
} ee_pass_times;

/**
 * Measure.  A few passes that do not count come first.  Nothing else of the process may run.
 * @param[in]  input  shape [batch_limit, elements of a sample]
 * @param[out] times  the caller frees it; nothing to free on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_passes_measure(ee_whole *whole, const float *input, const ee_pass_options *options,
                            ee_pass_times *times);

/** Of ee_warn_of_load() where CPU time is kept. */
#define EE_STORED_UNDER_LOAD \
  "CPU time counts, but it shared caches with that work: measure again on an idle machine"

/** Warn if @p cpu_share is that of a core which had other work: @p what says what came of it. */
void ee_warn_of_load(double cpu_share, const char *what);

void ee_pass_times_free(ee_pass_times *times);
