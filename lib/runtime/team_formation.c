/* SPDX-License-Identifier: Apache-2.0 */
/* Who computes what: a rank's units, where they read from, and its links. */
#include <stdlib.h>
#include <string.h>

#include "team_state.h"

team_formation *ee_team_formation_at(const ee_team *t, int i) {
  team_formation *all[] = {t->now, t->next, t->old};
  for (int k = 0; k < 3; k++) {
    if (all[k] != NULL && i-- == 0) return all[k];
  }
  return NULL;
}

static ee_status find_reads(const ee_team *t, team_formation *f, int u) {
  const ee_unit *unit  = &t->units->unit[u];
  team_reads    *reads = &f->reads[u];
  reads->edge          = calloc((size_t)unit->n_inputs + 1, sizeof *reads->edge);
  reads->piece         = calloc((size_t)unit->n_inputs + 1, sizeof *reads->piece);
  if (reads->edge == NULL || reads->piece == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %d inputs of unit '%s'", unit->n_inputs, unit->name);
  }
  for (int i = 0; i < unit->n_inputs; i++) {
    ee_team_find_input(t, f, u, i, &reads->edge[i], &reads->piece[i]);
  }
  return EE_OK;
}

static ee_status open_parts(ee_team *t, const int *device, team_formation *f) {
  size_t n  = (size_t)t->units->n + 1;
  f->device = calloc(n, sizeof *f->device);
  f->reads  = calloc(n, sizeof *f->reads);
  if (f->device == NULL || f->reads == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %d units", t->units->n);
  }
  memcpy(f->device, device, (n - 1) * sizeof *device);
  EE_TRY(ee_team_edges_find(t, f));
  for (int u = 0; u < t->units->n; u++) {
    if (device[u] == t->wire.rank) EE_TRY(find_reads(t, f, u));
  }
  return ee_team_edges_open(t, f);
}

ee_status ee_team_formation_open(ee_team *t, int number, const int *device,
                                 team_formation **formation) {
  team_formation *f = calloc(1, sizeof *f);
  *formation        = NULL;
  if (f == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a formation");
  f->number        = number;
  ee_status status = open_parts(t, device, f);
  if (status != EE_OK) ee_team_formation_close(t, &f);
  *formation = f;
  return status;
}

void ee_team_formation_close(ee_team *t, team_formation **formation) {
  team_formation *f = *formation;
  if (f == NULL) return;
  ee_team_edges_close(f);
  for (int u = 0; f->reads != NULL && u < t->units->n; u++) {
    free(f->reads[u].edge);
    free(f->reads[u].piece);
  }
  free(f->reads);
  free(f->device);
  free(f);
  *formation = NULL;
}
