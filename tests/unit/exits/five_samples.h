/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>

#include "ee/replay.h"
#include "ee_test.h"

/**
 * @file five_samples.h
 * Five samples at three exits, few enough to follow every policy by hand.
 */

static const float   five_confidence[5][3] = {{0.9f, 0.6f, 0.95f},
                                              {0.4f, 0.8f, 0.9f},
                                              {0.72f, 0.78f, 0.7f},
                                              {0.95f, 0.7f, 0.8f},
                                              {0.3f, 0.5f, 0.85f}};
static const int32_t five_prediction[5][3] = {
    {1, 0, 0}, {0, 1, 1}, {1, 1, 0}, {0, 0, 0}, {1, 0, 1}};
static const float five_score[5][2] = {
    {0.6f, 0.5f}, {0.5f, 0.9f}, {0.2f, 0.3f}, {0.51f, 0.1f}, {0.4f, 0.5f}};
static const int32_t five_label[5] = {1, 1, 0, 0, 1};

static inline ee_exit_table *five_samples(void) {
  ee_exit_table      *t     = NULL;
  ee_exit_table_parts parts = {.confidence = true, .score = true};
  CU_ASSERT_EQUAL_FATAL(ee_exit_table_create(5, 3, 2, parts, &t), EE_OK);
  for (int k = 0; k < 15; k++) {
    t->confidence[k] = five_confidence[k / 3][k % 3];
    t->prediction[k] = five_prediction[k / 3][k % 3];
    if (k % 3 < 2) t->score[k] = five_score[k / 3][k % 3];
  }
  for (int i = 0; i < 5; i++) t->label[i] = five_label[i];
  return t;
}

/** Replay @p text; what became of each sample goes to @p out, shape [samples of the stream]. */
static inline ee_replay_result replay_into(const ee_exit_table *table, const char *text,
                                           const ee_replay_options *options, ee_replayed *out) {
  ee_replay_options o = *options;
  ee_replay_result  mean, deviation;
  o.replayed       = out;
  ee_status status = ee_replay_seeds(table, text, &o, 1, &mean, &deviation);
  if (status != EE_OK) printf("  %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  ee_replay_clear(&deviation);
  return mean;
}
