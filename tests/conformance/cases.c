/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one imported model once and compares its answer with the expected one. */
#include "cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/exec.h"

bool operator_is_ours(const char *name) {
  static const char *const ours[] = {"Add",
                                     "AveragePool",
                                     "BatchNormalization",
                                     "Cast",
                                     "Clip",
                                     "Concat",
                                     "Constant",
                                     "Conv",
                                     "ConstantOfShape",
                                     "Div",
                                     "Dropout",
                                     "Equal",
                                     "Erf",
                                     "Expand",
                                     "Flatten",
                                     "Gather",
                                     "Gelu",
                                     "Gemm",
                                     "GlobalAveragePool",
                                     "HardSwish",
                                     "HardSigmoid",
                                     "Identity",
                                     "LayerNormalization",
                                     "LeakyRelu",
                                     "LogSoftmax",
                                     "MatMul",
                                     "MaxPool",
                                     "Mul",
                                     "Neg",
                                     "Pad",
                                     "Pow",
                                     "Range",
                                     "Reciprocal",
                                     "ReduceMean",
                                     "Relu",
                                     "Reshape",
                                     "Shape",
                                     "Sigmoid",
                                     "Size",
                                     "Slice",
                                     "Softmax",
                                     "Split",
                                     "Sqrt",
                                     "Squeeze",
                                     "Sub",
                                     "Sum",
                                     "Tanh",
                                     "Transpose",
                                     "Unsqueeze",
                                     "Where"};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
    if (strcmp(ours[i], name) == 0) return true;
  }
  return false;
}

blob read_blob(const char *path) {
  FILE *file   = fopen(path, "rb");
  blob  result = {NULL, 0};
  if (file == NULL) return result;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  result.bytes = malloc((size_t)size + 1);
  result.n     = result.bytes != NULL ? fread(result.bytes, 1, (size_t)size, file) : 0;
  fclose(file);
  return result;
}

/* Read here by rules of its own, not by the importer's code: little-endian hosts only. */
float *tensor_floats(const Onnx__TensorProto *tensor, size_t *n) {
  *n = 1;
  for (size_t i = 0; i < tensor->n_dims; i++) *n *= (size_t)tensor->dims[i];
  bool   raw  = tensor->has_raw_data;
  size_t have = raw ? tensor->raw_data.len / sizeof(float) : tensor->n_float_data;
  if (tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || have != *n) return NULL;
  float *x = calloc(*n + 1, sizeof *x);
  if (x != NULL && *n > 0)
    memcpy(x, raw ? (const void *)tensor->raw_data.data : tensor->float_data, *n * sizeof *x);
  return x;
}

static bool shape_differs(const ee_shape *shape, const Onnx__TensorProto *tensor) {
  bool differs = (size_t)shape->rank != tensor->n_dims;
  for (int i = 0; i < shape->rank && !differs; i++) differs = shape->dim[i] != tensor->dims[i];
  return differs;
}

static void compare(const float *y, const ee_shape *shape, const blob *expected, double tolerance,
                    outcome *out) {
  Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, expected->n, expected->bytes);
  size_t             n      = 0;
  float             *want   = tensor != NULL ? tensor_floats(tensor, &n) : NULL;
  out->verdict              = FAILED;
  if (want == NULL || shape_differs(shape, tensor)) {
    snprintf(out->text, sizeof out->text, "the result has another shape or type");
  } else {
    for (size_t i = 0; i < n; i++) {
      double error = fabs((double)y[i] - (double)want[i]) / (FLOOR + fabs((double)want[i]));
      if (!(error <= out->error)) out->error = error;
    }
    out->verdict = out->error <= tolerance ? PASSED : FAILED;
    snprintf(out->text, sizeof out->text, "relative error %.3g", out->error);
  }
  free(want);
  if (tensor != NULL) onnx__tensor_proto__free_unpacked(tensor, NULL);
}

static ee_status load_layers(const ee_model *model, ee_resident *resident) {
  for (int l = 0; l < model->n_layers; l++) EE_TRY(ee_resident_add(resident, l, NULL));
  return EE_OK;
}

/* All layers, then the last exit's head. */
static ee_status run_through(const ee_model *model, ee_resident *resident, const float *x,
                             size_t n_x, const blob *expected, double tolerance, outcome *out) {
  ee_exec     *exec = NULL;
  const float *y    = NULL;
  EE_TRY(load_layers(model, resident));
  EE_TRY(ee_exec_create(resident, 0, model->n_layers, 1, &exec));
  ee_status status = EE_OK;
  if ((size_t)ee_model_value_elements(model, model->input) != n_x)
    status = EE_FAIL(EE_ERR_ARG, "the input has %zu elements", n_x);
  if (status == EE_OK) memcpy(ee_exec_input(exec, model->input), x, n_x * sizeof *x);
  if (status == EE_OK) status = ee_exec_run_layers(exec, 0, model->n_layers, 1);
  if (status == EE_OK) status = ee_exec_run_head(exec, model->n_exits - 1, 1, &y);
  if (status == EE_OK)
    compare(y, &model->value[model->exit[model->n_exits - 1].logits].shape, expected, tolerance,
            out);
  ee_exec_destroy(&exec);
  return status;
}

outcome run_model(const blob *bytes, const ee_onnx_binding *binding, int n_bindings, const float *x,
                  size_t n_x, const blob *expected, double tolerance, const char *backend) {
  outcome      out      = {.verdict = REFUSED};
  ee_model    *model    = NULL;
  ee_resident *resident = NULL;
  ee_status    status =
      ee_import_onnx_bytes(bytes->bytes, bytes->n, NULL, binding, n_bindings, &model);
  if (status == EE_OK) {
    out.verdict = FAILED;
    status      = ee_resident_create(model, ee_backend_by_name(backend), &resident);
    if (status == EE_OK) status = run_through(model, resident, x, n_x, expected, tolerance, &out);
  }
  if (status != EE_OK) snprintf(out.text, sizeof out.text, "%.500s", ee_status_message());
  ee_resident_destroy(&resident);
  ee_model_destroy(&model);
  return out;
}
