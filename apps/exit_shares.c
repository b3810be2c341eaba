/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_shares.h"

#include <stdio.h>
#include <string.h>

#include "ee/exits_file.h"
#include "ee/replay.h"
#include "exit_match.h"

static ee_status replay_shares(const char *path, const ee_exit_table *table, const char *policy,
                               double *share) {
  ee_replay_options options = ee_replay_defaults();
  ee_replay_result  mean, deviation;
  EE_TRY(ee_replay_seeds(table, policy, &options, 1, &mean, &deviation));
  bool feasible = mean.feasible;
  memcpy(share, mean.exit_share, (size_t)table->n_exits * sizeof *share);
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  if (feasible) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "policy %.300s: what it asks for cannot be had on %.300s; 'edgeexit policy' "
                 "tells the best that can be had",
                 policy, path);
}

static ee_status check(const char *path, const ee_exit_table *table, const ee_model *model) {
  EE_TRY(ee_match_table(path, table, model));
  return table->n > 0 ? EE_OK : EE_FAIL(EE_ERR_ARG, "%s has no samples", path);
}

ee_status ee_exit_shares(const char *exits, const char *policy, const ee_model *model,
                         double *share) {
  ee_exit_table *table = NULL;
  EE_TRY(ee_exits_load(exits, &table));
  ee_status status = check(exits, table, model);
  if (status == EE_OK) status = replay_shares(exits, table, policy, share);
  ee_exit_table_destroy(&table);
  return status;
}

ee_status ee_hint_at_shares(ee_status status, const double *share) {
  char why[EE_MESSAGE_BYTES];
  if (status != EE_ERR_ARG || share != NULL) return status;
  snprintf(why, sizeof why, "%s", ee_status_message());
  if (strstr(why, "no plan has a period") == NULL) return status;
  return EE_FAIL(EE_ERR_ARG,
                 "%.700s; every sample was taken to run all layers: --shares Q0/Q1/..., or --exits "
                 "EXITS.h5 with the policy, tell how many leave early",
                 why);
}
