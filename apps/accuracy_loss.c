/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy_loss.h"

#include <math.h>
#include <string.h>

#include "ee/exits_file.h"

/* That both tell of the same samples. */
static ee_status check(const ee_exit_table *a, const char *first, const ee_exit_table *b,
                       const char *second) {
  if (a->n_exits != b->n_exits || a->n_classes != b->n_classes || a->n != b->n) {
    return EE_FAIL(EE_ERR_ARG,
                   "%.300s has %lld samples, %d exits and %d classes, %.300s %lld, %d and %d: they "
                   "cannot be compared",
                   second, (long long)b->n, b->n_exits, b->n_classes, first, (long long)a->n,
                   a->n_exits, a->n_classes);
  }
  if (memcmp(a->label, b->label, (size_t)a->n * sizeof *a->label) != 0) {
    return EE_FAIL(EE_ERR_ARG, "%.300s has other labels than %.300s: it is of other samples",
                   second, first);
  }
  return EE_OK;
}

ee_status ee_accuracy_of(const ee_exit_table *table, const char *path, const char *policy,
                         const ee_replay_options *options, int seeds, double *accuracy) {
  ee_replay_result mean, deviation;
  EE_TRY(ee_replay_seeds(table, policy, options, seeds, &mean, &deviation));
  *accuracy = mean.figure[EE_FIGURE_ACCURACY];
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  if (!isnan(*accuracy)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%.300s has no labels, which tell what rounding loses", path);
}

ee_status ee_accuracy_of_other(const ee_exit_table *table, const char *path, const char *other,
                               const char *policy, const ee_replay_options *options, int seeds,
                               double *accuracy) {
  ee_exit_table *second = NULL;
  EE_TRY(ee_exits_load(other, &second));
  ee_status status = check(table, path, second, other);
  if (status == EE_OK) status = ee_accuracy_of(second, other, policy, options, seeds, accuracy);
  ee_exit_table_destroy(&second);
  return status;
}
