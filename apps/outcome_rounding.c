/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome_rounding.h"

#include <stdio.h>
#include <string.h>

#include "ee/exits_file.h"

/* How values crossed @p cut when the table was scored. */
static const char *scored_at(const ee_exits_info *info, int cut) {
  for (int i = 0; i < info->n_link_cuts; i++) {
    if (info->link_cuts[i] == cut) return info->link_values;
  }
  return ee_link_values_name(EE_LINK_F32);
}

/* How they cross it in the run; as they are where no link is. */
static const char *sent_at(const ee_run_setup *setup, int cut) {
  for (int s = 1; s < setup->plan->n_stages; s++) {
    if (setup->plan->stage[s].begin != cut) continue;
    return ee_link_values_name(
        ee_link_values_at(setup->model, ee_run_link_values(setup, cut), cut));
  }
  return ee_link_values_name(EE_LINK_F32);
}

static void compare(const ee_exits_info *info, const char *path, const ee_run_setup *setup,
                    char *text, size_t size) {
  for (int cut = 1; cut < setup->model->n_layers; cut++) {
    const char *scored = scored_at(info, cut), *sent = sent_at(setup, cut);
    if (strcmp(scored, sent) == 0) continue;
    snprintf(
        text, size,
        "as in %s, which was scored with %s at cut %d, where this plan has %s; 'edgeexit score "
        "--link-values' with the cuts of a plan makes a table of its answers",
        path, scored, cut, sent);
    return;
  }
}

ee_status ee_outcome_rounding(const char *path, const ee_run_setup *setup, char *text,
                              size_t size) {
  ee_exits_file *file;
  text[0] = '\0';
  EE_TRY(ee_exits_open(path, &file));
  compare(ee_exits_file_info(file), path, setup, text, size);
  ee_exits_close(&file);
  return EE_OK;
}
