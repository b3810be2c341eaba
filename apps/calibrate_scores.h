/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/calibrate.h"
#include "ee/model.h"

/**
 * @file calibrate_scores.h
 * Logits of every exit and labels, in memory: from an exit table, or by running the model.
 */
typedef struct ee_score_set {
  ee_score_table table;  // its arrays are those below
  float         *logits;
  int32_t       *label;
} ee_score_set;

/** Where scores come from. */
typedef struct ee_score_source {
  const char     *path;        // of a data file or an exit table
  bool            table_only;  // path must be an exit table
  const ee_model *model;       // with constants in memory
  const char     *backend;     // NULL: the best
  int             samples;     // only the first so many; 0: all
} ee_score_source;

/**
 * Read or make the scores of @p source and check them with ee_score_table_check().
 * @param[out] set  to be ended by ee_score_set_free(); zeroed on error
 * @return EE_OK; EE_ERR_ARG if the file is not the model's or no exit table where it must be one,
 * has no labelled samples or logits that are no numbers; EE_ERR_FILE, EE_ERR_FORMAT, EE_ERR_NOMEM
 */
ee_status ee_score_set_read(const ee_score_source *source, ee_score_set *set);

/**
 * Deal the samples of @p all out at random: round(@p share n) of them to @p held, at least one,
 * the rest to @p rest, at least one; each keeps their order.
 * @return EE_OK; EE_ERR_ARG if there are fewer than two; EE_ERR_NOMEM
 */
ee_status ee_score_set_split(const ee_score_set *all, double share, uint64_t seed,
                             ee_score_set *rest, ee_score_set *held);

void ee_score_set_free(ee_score_set *set);
