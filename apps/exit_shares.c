/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_shares.h"

#include <string.h>

#include "ee/exits_file.h"
#include "ee/replay.h"

static ee_status replay_shares(const ee_exit_table *table, const char *policy, double *share) {
  ee_replay_options options = ee_replay_defaults();
  ee_replay_result  mean, deviation;
  EE_TRY(ee_replay_seeds(table, policy, &options, 1, &mean, &deviation));
  memcpy(share, mean.exit_share, (size_t)table->n_exits * sizeof *share);
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  return EE_OK;
}

ee_status ee_exit_shares(const char *exits, const char *policy, int n_exits, double *share) {
  ee_exit_table *table = NULL;
  EE_TRY(ee_exits_load(exits, &table));
  ee_status status;
  if (table->n_exits != n_exits || table->n == 0) {
    status = EE_FAIL(EE_ERR_ARG, "%s has %lld samples of %d exits; expected some of %d", exits,
                     (long long)table->n, table->n_exits, n_exits);
  } else {
    status = replay_shares(table, policy, share);
  }
  ee_exit_table_destroy(&table);
  return status;
}
