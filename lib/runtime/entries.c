/* SPDX-License-Identifier: Apache-2.0 */
#include "entries.h"

#include <stdlib.h>

#include "sample_state.h"

/* Whether samples may be offloaded into stage @p s at @p cut, before the plan's cut. */
static bool comes_in(const ee_run_setup *setup, const ee_plan *plan, int s, int cut) {
  if (!setup->offload || s == 0 || cut >= plan->stage[s].begin) return false;
  const ee_model *model = setup->model;
  for (int e = 0; e < model->n_exits; e++) {
    int attach = model->exit[e].attach;
    if (attach + 1 == cut && attach >= plan->stage[s - 1].begin) return true;
  }
  return false;
}

ee_status ee_entries_open(const ee_run_setup *setup, const ee_plan *plan, int plan_epoch, int stage,
                          ee_entries *entries) {
  size_t state    = ee_sample_state_bytes(setup->policy);
  *entries        = (ee_entries){0};
  entries->layout = malloc(((size_t)setup->model->n_exits + 1) * sizeof *entries->layout);
  if (entries->layout == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the cuts of stage %d", stage);
  for (int cut = 0; cut <= plan->stage[stage].begin; cut++) {
    if (cut < plan->stage[stage].begin && !comes_in(setup, plan, stage, cut)) continue;
    entries->layout[entries->n++] = ee_message_layout_for(setup, plan_epoch, cut, state);
  }
  return EE_OK;
}

int ee_entries_first_layer(const ee_run_setup *setup, const ee_plan *plan, int stage) {
  int cut = 0;
  while (cut < plan->stage[stage].begin && !comes_in(setup, plan, stage, cut)) cut++;
  return cut;
}

int ee_entries_at(const ee_entries *entries, int cut) {
  int i = 0;
  while (i + 1 < entries->n && entries->layout[i].cut != cut) i++;
  return i;
}

size_t ee_entries_bytes(const ee_entries *entries, int n) {
  size_t most = 0;
  for (int i = 0; i < entries->n; i++) {
    size_t bytes = ee_message_bytes(&entries->layout[i], n);
    if (bytes > most) most = bytes;
  }
  return most;
}

void ee_entries_close(ee_entries *entries) {
  free(entries->layout);
  *entries = (ee_entries){0};
}
