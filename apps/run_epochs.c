/* SPDX-License-Identifier: Apache-2.0 */
#include "run_epochs.h"

#include <stdlib.h>
#include <string.h>

static void *copy_of(const void *from, size_t bytes) {
  void *to = malloc(bytes > 0 ? bytes : 1);
  if (to != NULL) memcpy(to, from, bytes);
  return to;
}

/* Plans and arrays of @p to become copies; on failure the caller frees what there is. */
static ee_status copy_arrays(const ee_epoch_record *from, ee_epoch_record *to) {
  size_t   exits  = (size_t)from->n_exits * sizeof *from->left;
  ee_plan *before = NULL, *after = NULL;
  to->left    = copy_of(from->left, exits);
  to->reached = copy_of(from->reached, exits);
  to->busy    = copy_of(from->busy, (size_t)from->n_devices * sizeof *from->busy);
  to->before = to->after = NULL;
  if (to->left == NULL || to->reached == NULL || to->busy == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the record of epoch %d", from->epoch);
  }
  EE_TRY(ee_plan_copy(from->before, &before));
  to->before = before;
  if (from->after != NULL) EE_TRY(ee_plan_copy(from->after, &after));
  to->after = after;
  return EE_OK;
}

static ee_status reserve(ee_run_epochs *e) {
  if (e->n < e->room) return EE_OK;
  int              room   = e->room > 0 ? 2 * e->room : 64;
  ee_epoch_record *record = realloc(e->record, (size_t)room * sizeof *record);
  if (record == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d epochs", room);
  e->record = record;
  e->room   = room;
  return EE_OK;
}

void ee_run_epochs_keep(ee_run_epochs *e, const ee_epoch_record *record) {
  if (e->status == EE_OK) e->status = reserve(e);
  if (e->status != EE_OK) return;
  e->record[e->n] = *record;
  e->status       = copy_arrays(record, &e->record[e->n]);
  e->n++;  // also when only a part was copied: it is freed with the rest
}

/* The copies are ours, though the record's type says const. */
static void free_record(const ee_epoch_record *r) {
  ee_plan *before = (ee_plan *)(uintptr_t)r->before, *after = (ee_plan *)(uintptr_t)r->after;
  free((void *)(uintptr_t)r->left);
  free((void *)(uintptr_t)r->reached);
  free((void *)(uintptr_t)r->busy);
  ee_plan_destroy(&before);
  ee_plan_destroy(&after);
}

void ee_run_epochs_free(ee_run_epochs *e) {
  for (int i = 0; i < e->n; i++) free_record(&e->record[i]);
  free(e->record);
  *e = (ee_run_epochs){0};
}
