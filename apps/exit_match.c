/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_match.h"

ee_status ee_match_exits(const char *path, int n_exits, int n_classes, const ee_model *model) {
  if (n_exits == model->n_exits && n_classes == model->n_classes) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s has %d exits and %d classes, model %s has %d and %d", path,
                 n_exits, n_classes, model->name, model->n_exits, model->n_classes);
}

ee_status ee_match_exit(const char *path, int exit, int layer, const ee_model *model) {
  if (layer == model->exit[exit].attach) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "%s has exit %d after layer %d, model %s after layer %d; the table is another "
                 "network's, or 'import exits' was not told its --layers",
                 path, exit, layer, model->name, model->exit[exit].attach);
}

ee_status ee_match_table(const char *path, const ee_exit_table *table, const ee_model *model) {
  EE_TRY(ee_match_exits(path, table->n_exits, table->n_classes, model));
  for (int e = 0; e < table->n_exits; e++)
    EE_TRY(ee_match_exit(path, e, table->layers[e] - 1, model));
  return EE_OK;
}
