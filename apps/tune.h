/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "whole.h"

/** @file tune.h  What `edgeexit tune` finds out, and how it is told. */

/** A layer or a head whose nodes go another way than by rule. */
typedef struct ee_tuned_part {
  double      ratio;            // of the time by rule; 1: goes by rule
  const char *by_rule, *tuned;  // kernels of its first node that changes; NULL: it goes by rule
  int         node;             // its first node that has several methods; -1: none has
} ee_tuned_part;

typedef struct ee_tune {
  ee_model      *model;
  int            batch;
  ee_method     *method;  // shape [n_nodes], the best so far
  ee_tuned_part *part;    // shape [n_layers + n_exits]: layers, then heads
  double        *ratio;   // shape [n_layers + n_exits, EE_METHOD_COUNT], of the time by rule; NAN:
                          // not tried
  double whole;           // time of the whole with all of them in units of that by rule
  double whole_upper;     // third quartile of the same; nothing is kept unless it is below 1
  double cpu_share;       // of the time of the comparison that had least of a core
  bool   kept;            // they are stored; otherwise nothing is worth it
} ee_tune;

#define EE_TUNE_LEAST_GAIN 0.03   // of a layer or head that leaves the rule
#define EE_TUNE_WHOLE_GAIN 0.005  // of the whole model, or all goes by rule

/**
 * Find the fastest method of each layer and head of @p model, whose constants are in memory, and
 * store methods and costs in it.
 * @param seconds  for each comparison [s]
 * @param[out] tune  the caller frees it, also on error
 * @return EE_OK; EE_ERR_USAGE from the environment; EE_ERR_NOMEM
 */
ee_status ee_tune_model(ee_model *model, int batch, double seconds, ee_tune *tune);
void      ee_tune_free(ee_tune *tune);

/** One line: what the whole takes, and what became of it. */
#define EE_TUNE_VERDICT_BYTES 160
void ee_tune_verdict(const ee_tune *tune, char *text, size_t size);

void      ee_tune_print_text(const ee_tune *tune);
ee_status ee_tune_print_json(const ee_tune *tune);

/** A table of all methods that were tried, a line for each layer and head that has several. */
void ee_tune_print_table(const ee_tune *tune);

/** Name of layer or head @p part in [0, n_layers + n_exits).  Borrowed. */
const char *ee_tune_part_name(const ee_tune *tune, int part);
