/* SPDX-License-Identifier: Apache-2.0 */
#include "exit_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ee/exits_file.h"
#include "ee/log.h"
#include "ee/model_file.h"
#include "ee/model_identity.h"

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

/* A network by name and identity. */
typedef struct network {
  char     name[EE_NAME_BYTES];
  uint64_t identity;  // 0: not known
} network;

static ee_status network_of_table(const char *path, network *n) {
  ee_exits_file *file;
  EE_TRY(ee_exits_open(path, &file));
  const ee_exits_info *info = ee_exits_file_info(file);
  snprintf(n->name, sizeof n->name, "%s", info->network);
  n->identity = info->identity;
  ee_exits_close(&file);
  return EE_OK;
}

static ee_status network_of_model(const char *path, network *n) {
  ee_model *model = NULL;
  EE_TRY(ee_model_load(path, &model));
  snprintf(n->name, sizeof n->name, "%s", model->name);
  n->identity = ee_model_identity(model);
  ee_model_destroy(&model);
  return EE_OK;
}

ee_status ee_match_network(const char *path, const char *model_path) {
  network table, model;
  EE_TRY(network_of_table(path, &table));
  if (table.identity == 0) {
    ee_log(EE_LOG_INFO,
           "%s does not tell of which network its answers are; they are taken for %s's", path,
           model_path);
    return EE_OK;
  }
  EE_TRY(network_of_model(model_path, &model));
  if (table.identity == model.identity) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "%s has the answers of network %s (%016" PRIx64 "), and %s is %s (%016" PRIx64
                 "); 'edgeexit score %s DATA.h5 -o EXITS.h5' makes its own",
                 path, table.name, table.identity, model_path, model.name, model.identity,
                 model_path);
}

const char *ee_backend_of_answers(const ee_backend *backend, const ee_model *model) {
  for (int k = 0; k < model->n_nodes; k++) {
    if (ee_backend_for(backend, model, &model->node[k]) == backend) return backend->name;
  }
  return model->n_nodes > 0 ? ee_backend_for(backend, model, &model->node[0])->name : backend->name;
}

ee_status ee_say_other_backend(const char *path, const ee_model *model, const ee_backend *backend) {
  ee_exits_file *file;
  const char    *here = ee_backend_of_answers(backend, model);
  EE_TRY(ee_exits_open(path, &file));
  const char *there = ee_exits_file_info(file)->backend;
  if (there[0] != '\0' && strcmp(there, here) != 0) {
    ee_log(EE_LOG_INFO, "%s has the answers of backend %s, and %s is what runs here", path, there,
           here);
  }
  ee_exits_close(&file);
  return EE_OK;
}

ee_status ee_match_networks(const char *path, const char *other) {
  network one, two;
  EE_TRY(network_of_table(path, &one));
  EE_TRY(network_of_table(other, &two));
  if (one.identity == two.identity || one.identity == 0 || two.identity == 0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "%s has the answers of network %s (%016" PRIx64
                 "), and %s those of %s (%016" PRIx64 ")",
                 path, one.name, one.identity, other, two.name, two.identity);
}
