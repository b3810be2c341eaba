/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exit_table.h"

/**
 * @file exit_quality.h
 * How good the answers of a table's exits are, each alone and from exit to exit.  Nothing here is
 * collective.
 */

/** One exit.  NaN: cannot be told. */
typedef struct ee_exit_quality {
  double accuracy;    // share of right answers among labelled samples
  double confidence;  // mean over all samples
  double ece;         // of labelled samples, over EE_ECE_BINS bins; see measures.h
} ee_exit_quality;

/** Labelled samples by where they are right.  Strong dominance (UEE-UCB), once right and always
 *  right, holds for all but the bad ones. */
typedef struct ee_answer_kinds {
  int64_t labelled;     // the sum of the following
  int64_t all_correct;  // right at every exit
  int64_t good;         // wrong at first, right from some exit on
  int64_t all_wrong;    // wrong at every exit
  int64_t bad;          // right at some exit and wrong at a later one
} ee_answer_kinds;

/**
 * Judge a table that ee_exit_table_check() accepts.
 * @param[out] quality  shape [n_exits]
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_exit_table_judge(const ee_exit_table *table, ee_exit_quality *quality,
                              ee_answer_kinds *kinds);
