/* SPDX-License-Identifier: Apache-2.0 */
#include "holdout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"

ee_status ee_holdout_draw(int64_t n, double share, uint64_t seed, bool **held, int64_t *n_held) {
  *held   = NULL;
  *n_held = llround(share * (double)n);
  if (n < 2) return EE_FAIL(EE_ERR_ARG, "one sample cannot be held out and kept; expected two");
  if (*n_held < 1) *n_held = 1;
  if (*n_held > n - 1) *n_held = n - 1;
  *held = calloc((size_t)n, sizeof **held);
  if (*held == NULL) return EE_FAIL(EE_ERR_NOMEM, "to split %lld samples", (long long)n);
  ee_rng  rng  = ee_rng_at(seed, 0);
  int64_t left = *n_held;
  for (int64_t i = 0; i < n; i++) {
    (*held)[i] = ee_rng_below(&rng, (uint64_t)(n - i)) < (uint64_t)left;
    left -= (*held)[i];
  }
  return EE_OK;
}

/* A row of an array with @p bytes in each; nothing if there is none. */
static void copy_row(void *to, int64_t at, const void *from, int64_t i, size_t bytes) {
  if (from != NULL)
    memcpy((char *)to + (size_t)at * bytes, (const char *)from + (size_t)i * bytes, bytes);
}

static ee_status copy_part(const ee_exit_table *all, const bool *mark, bool wanted, int64_t n,
                           ee_exit_table **part) {
  ee_exit_table_parts parts = {.confidence  = all->confidence != NULL,
                               .probability = all->probability != NULL,
                               .score       = all->score != NULL};
  EE_TRY(ee_exit_table_create(n, all->n_exits, all->n_classes, parts, part));
  ee_exit_table *t  = *part;
  size_t         e  = (size_t)all->n_exits * sizeof(float);
  int64_t        at = 0;
  for (int64_t i = 0; i < all->n; i++) {
    if (mark[i] != wanted) continue;
    copy_row(t->confidence, at, all->confidence, i, e);
    copy_row(t->score, at, all->score, i, e);
    copy_row(t->probability, at, all->probability, i, e * (size_t)all->n_classes);
    copy_row(t->prediction, at, all->prediction, i, (size_t)all->n_exits * sizeof(int32_t));
    t->label[at++] = all->label[i];
  }
  memcpy(t->layers, all->layers, (size_t)all->n_exits * sizeof *t->layers);
  memcpy(t->flops, all->flops, (size_t)all->n_exits * sizeof *t->flops);
  return EE_OK;
}

ee_status ee_holdout_split(const ee_exit_table *all, double share, uint64_t seed,
                           ee_exit_table **rest, ee_exit_table **held) {
  bool   *mark;
  int64_t n_held;
  *rest = *held = NULL;
  EE_TRY(ee_holdout_draw(all->n, share, seed, &mark, &n_held));
  ee_status status = copy_part(all, mark, false, all->n - n_held, rest);
  if (status == EE_OK) status = copy_part(all, mark, true, n_held, held);
  free(mark);
  if (status == EE_OK) return EE_OK;
  ee_exit_table_destroy(rest);
  ee_exit_table_destroy(held);
  return status;
}
