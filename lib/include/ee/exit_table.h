/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/status.h"

/**
 * @file exit_table.h
 * What every exit said of every sample, in memory: what policies are replayed on.
 *
 * Data only; io reads and writes it.  Samples are rows, exits are columns, both counted from 0 in
 * messages.  Nothing here is collective.
 */

/** All arrays belong to the table and may be written by its owner. */
typedef struct ee_exit_table {
  int64_t  n;  // samples
  int      n_exits, n_classes;
  float   *confidence;   // shape [n, n_exits], probability of the prediction; NULL: not known
  int32_t *prediction;   // shape [n, n_exits], in [0, n_classes)
  int32_t *label;        // shape [n], in [0, n_classes), or -1: not known
  float   *probability;  // shape [n, n_exits, n_classes], calibrated; NULL: not known
  float   *score;   // shape [n, n_exits], learned, in [0, 1]; NaN: the exit has none; NULL: none
  int     *layers;  // shape [n_exits], layers run until the exit; >= 1, not decreasing
  double  *flops;   // shape [n_exits], for layers and heads until the exit [FLOP]
} ee_exit_table;

/** Which of the arrays that may be left out a table has. */
typedef struct ee_exit_table_parts {
  bool confidence, probability, score;
} ee_exit_table_parts;

/**
 * Create with predictions 0, labels -1, scores NaN, exit e after layer e + 1 layers of 1 FLOP each.
 * @param[out] table  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG if a size is impossible; EE_ERR_NOMEM
 */
ee_status ee_exit_table_create(int64_t n, int n_exits, int n_classes, ee_exit_table_parts parts,
                               ee_exit_table **table);

/**
 * Fill row @p i from logits: p = softmax(z / T), the prediction is the lowest most probable class,
 * the confidence its probability.  What the table has no room for is left out.
 * @param logits       shape [n_exits, n_classes]
 * @param temperature  shape [n_exits], > 0
 */
void ee_exit_table_set_logits(ee_exit_table *table, int64_t i, const float *logits,
                              const float *temperature);

/**
 * EE_OK, or EE_ERR_ARG naming the first row and exit with a confidence or probability that is no
 * number in [0, 1], a score that is neither that nor NaN, probabilities that do not add up to one
 * (within 1e-3), or a prediction or label that is no class; or an exit whose layers or FLOP are
 * below those of the exit before.
 */
ee_status ee_exit_table_check(const ee_exit_table *table);

/** Destroy and set to NULL.  *table may be NULL. */
void ee_exit_table_destroy(ee_exit_table **table);
