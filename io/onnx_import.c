/* SPDX-License-Identifier: Apache-2.0 */
/* Import of ONNX models: the order of the steps, and the file around them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ee/log.h"
#include "onnx_graph.h"
#include "regular_file.h"

#define MAX_FILE 0x7fffffffL  // protobuf's own limit for a message [byte]

static ee_status convert_graph(onnx_graph *g, const ee_onnx_options *options) {
  EE_TRY(ee_onnx_walk(g));
  EE_TRY(ee_onnx_find_scores(g, options->scores));
  EE_TRY(ee_onnx_prune(g));
  if (!options->keep_unfused) EE_TRY(ee_onnx_fuse(g));
  ee_onnx_check_batch(g);
  if (!g->batched) ee_log(EE_LOG_DEBUG, "one sample at a time: %s", g->reason);
  return EE_OK;
}

static ee_status import_message(const Onnx__ModelProto *proto, const ee_onnx_options *options,
                                const ee_onnx_binding *binding, int n_bindings, ee_model **model) {
  onnx_graph g;
  ee_status  status = ee_onnx_graph_open(&g, proto, binding, n_bindings);
  if (status == EE_OK) status = convert_graph(&g, options);
  if (status == EE_OK) status = ee_onnx_make_model(&g, model);
  if (status == EE_OK) status = ee_onnx_apply_metadata(proto, options, *model);
  ee_onnx_graph_close(&g);
  if (status == EE_OK) (*model)->no_winograd = options->no_winograd;
  if (status == EE_OK) status = ee_model_finish(*model);
  if (status != EE_OK) ee_model_destroy(model);
  return status;
}

ee_status ee_import_onnx_bytes(const void *bytes, size_t n, const ee_onnx_options *options,
                               const ee_onnx_binding *binding, int n_bindings, ee_model **model) {
  static const ee_onnx_options as_the_file_says = {0};
  Onnx__ModelProto            *proto;
  *model = NULL;
  EE_TRY(ee_onnx_unpack_model(bytes, n, &proto));
  ee_status status = import_message(proto, options != NULL ? options : &as_the_file_says, binding,
                                    n_bindings, model);
  onnx__model_proto__free_unpacked(proto, NULL);
  return status;
}

/* All bytes of an open file; *bytes is the caller's, also on error. */
static ee_status read_stream(FILE *file, const char *path, void **bytes, size_t *n) {
  long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
    return EE_FAIL(EE_ERR_FILE, "%s: %s", path, strerror(errno));
  if (size > MAX_FILE) return EE_FAIL(EE_ERR_FORMAT, "%s: larger than a message can be", path);
  *n     = (size_t)size;
  *bytes = malloc(*n + 1);
  if (*bytes == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of %s", *n, path);
  if (fread(*bytes, 1, *n, file) != *n) return EE_FAIL(EE_ERR_FILE, "%s: cannot be read", path);
  return EE_OK;
}

static ee_status read_file(const char *path, void **bytes, size_t *n) {
  int fd;
  *bytes = NULL;
  EE_TRY(ee_regular_file_open(path, &fd));
  FILE *file = fdopen(fd, "rb");
  if (file == NULL) {
    close(fd);
    return EE_FAIL(EE_ERR_NOMEM, "to read %s", path);
  }
  ee_status status = read_stream(file, path, bytes, n);
  fclose(file);
  return status;
}

/* A model is called by its file, without folder and ending. */
static void name_after_file(ee_model *model, const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  size_t      n   = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
  snprintf(model->name, sizeof model->name, "%.*s", (int)(n < EE_NAME_BYTES ? n : EE_NAME_BYTES),
           name);
}

/* An array of one row for each sample of a fixed batch; a row alone has a dimension at least. */
static bool has_rows(const ee_model *model, int v, int64_t n) {
  const ee_shape *shape = &model->value[v].shape;
  return shape->rank >= 2 && shape->dim[0] == n && n > 1;
}

/* A file whose input and outputs all have n > 1 rows is no model of one sample with n times as
 * many classes. */
static ee_status refuse_fixed_batch(const ee_model *model) {
  long long n = (long long)model->value[model->input].shape.dim[0];
  if (!has_rows(model, model->input, n)) return EE_OK;
  for (int e = 0; e < model->n_exits; e++) {
    if (!has_rows(model, model->exit[e].logits, n)) return EE_OK;
  }
  return EE_FAIL(EE_ERR_UNSUPPORTED,
                 "the model is exported for batches of %lld; export it with batch 1 or a symbolic "
                 "first dimension",
                 n);
}

ee_status ee_import_onnx(const char *path, const ee_onnx_options *options, ee_model **model) {
  void  *bytes;
  size_t n          = 0;
  *model            = NULL;
  ee_status status  = read_file(path, &bytes, &n);
  bool      is_read = status == EE_OK;
  if (is_read) status = ee_import_onnx_bytes(bytes, n, options, NULL, 0, model);
  free(bytes);
  if (status == EE_OK) status = refuse_fixed_batch(*model);
  if (status != EE_OK) ee_model_destroy(model);
  if (status == EE_OK) name_after_file(*model, path);
  if (status == EE_OK || !is_read) return status;
  char why[EE_MESSAGE_BYTES];
  snprintf(why, sizeof why, "%s", ee_status_message());
  return EE_FAIL(status, "%s: %s", path, why);
}
