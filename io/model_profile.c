/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading with what a model was profiled. */
#include "model_profile.h"

#include "model_format.h"

ee_status ee_model_write_profile(const ee_h5 *h5, const ee_model *model) {
  const ee_profile *p = &model->profile;
  if (p->backend[0] == '\0') return EE_OK;
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_LAYERS, "profile_backend", p->backend));
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_LAYERS, "profile_cpu", p->cpu));
  return ee_h5_write_text_attribute(h5, EE_MODEL_LAYERS, "profile_vectors", p->vectors);
}

static ee_status read_name(const ee_h5 *h5, const char *name, char *text, size_t size) {
  EE_TRY(ee_h5_read_text_attribute(h5, EE_MODEL_LAYERS, name, text, size));
  if (text[0] != '\0') return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: attribute %s of %s is empty", h5->path, name, EE_MODEL_LAYERS);
}

ee_status ee_model_read_profile(const ee_h5 *h5, ee_model *model) {
  ee_profile *p = &model->profile;
  if (!ee_h5_has_attribute(h5, EE_MODEL_LAYERS, "profile_backend")) return EE_OK;
  EE_TRY(read_name(h5, "profile_backend", p->backend, sizeof p->backend));
  EE_TRY(read_name(h5, "profile_cpu", p->cpu, sizeof p->cpu));
  return read_name(h5, "profile_vectors", p->vectors, sizeof p->vectors);
}
