/* SPDX-License-Identifier: Apache-2.0 */
#include "profiled.h"

#include <stdio.h>
#include <string.h>

#include "ee/log.h"

#define TEXT_BYTES 192

bool ee_is_profiled(const ee_model *model) {
  for (int l = 0; l < model->n_layers; l++) {
    if (model->layer[l].seconds > 0.0) return true;
  }
  return false;
}

ee_profile ee_profile_here(const ee_backend *backend) {
  ee_profile here;
  snprintf(here.backend, sizeof here.backend, "%s", backend->name);
  snprintf(here.cpu, sizeof here.cpu, "%s", ee_cpu_name());
  snprintf(here.vectors, sizeof here.vectors, "%s", ee_cpu_level_name(ee_backend_vectors(backend)));
  return here;
}

bool ee_profiled_alike(const ee_model *model, const ee_backend *backend) {
  const ee_profile *there = &model->profile, here = ee_profile_here(backend);
  return strcmp(there->backend, here.backend) == 0 && strcmp(there->cpu, here.cpu) == 0 &&
         strcmp(there->vectors, here.vectors) == 0;
}

const char *ee_profile_text(const ee_profile *profile, char *text, size_t size) {
  if (profile->backend[0] == '\0') {
    snprintf(text, size, "not recorded");
  } else {
    snprintf(text, size, "backend %s on %s, %s", profile->backend, profile->cpu, profile->vectors);
  }
  return text;
}

void ee_say_profile(const char *path, const ee_model *model, const ee_backend *backend) {
  char             with[TEXT_BYTES], runs[TEXT_BYTES];
  const ee_profile here = ee_profile_here(backend);
  if (!ee_is_profiled(model) || ee_profiled_alike(model, backend)) return;
  if (model->profile.backend[0] == '\0') {
    ee_log(EE_LOG_INFO, "with what %s was profiled is not recorded; 'edgeexit profile %s' tells",
           path, path);
    return;
  }
  ee_log(EE_LOG_WARNING,
         "%s was profiled with %s, but here runs %s: its seconds may not be those of this host; "
         "'edgeexit profile --backend %s %s' measures them",
         path, ee_profile_text(&model->profile, with, sizeof with),
         ee_profile_text(&here, runs, sizeof runs), backend->name, path);
}
