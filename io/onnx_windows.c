/* SPDX-License-Identifier: Apache-2.0 */
/* Converters of operators with a sliding window: Conv, MaxPool, AveragePool, GlobalAveragePool. */
#include <string.h>

#include "onnx_operator.h"

#define LARGEST 65535  // window size, stride, dilation or padding

ee_status ee_onnx_check_window(const onnx_call *call) {
  static const char *const known[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
  char                     mode[32];
  ee_onnx_string(call, "auto_pad", "NOTSET", mode, sizeof mode);
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcmp(mode, known[i]) == 0) return EE_OK;
  }
  return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: auto_pad '%s'", call->label, mode);
}

/* A list attribute of @p n integers in [least, LARGEST] to @p out; left alone if it is absent. */
static ee_status read_list(const onnx_call *call, const char *name, int n, int least, int *out) {
  const Onnx__AttributeProto *a = ee_onnx_attribute(call, name);
  if (a == NULL) return EE_OK;
  if (a->n_ints != (size_t)n)
    return EE_FAIL(EE_ERR_FORMAT, "%s: '%s' has %zu entries, %d are needed", call->label, name,
                   a->n_ints, n);
  for (int i = 0; i < n; i++) {
    if (a->ints[i] < least || a->ints[i] > LARGEST)
      return EE_FAIL(EE_ERR_FORMAT, "%s: '%s' has an entry %lld", call->label, name,
                     (long long)a->ints[i]);
    out[i] = (int)a->ints[i];
  }
  return EE_OK;
}

/* SAME: ceil(size / stride) places; the odd element of padding goes after or before. */
static void pad_same(ee_window *w, const ee_shape *x, bool upper) {
  for (int i = 0; i < w->n_spatial; i++) {
    int64_t size = x->dim[2 + i], places = (size + w->stride[i] - 1) / w->stride[i];
    int64_t reach    = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
    int64_t missing  = (places - 1) * w->stride[i] + reach - size;
    int     total    = missing > 0 ? (int)missing : 0;
    int     less     = total / 2;
    w->pad_before[i] = upper ? less : total - less;
    w->pad_after[i]  = total - w->pad_before[i];
  }
}

static ee_status read_pads(const onnx_call *call, const ee_shape *x, ee_window *w) {
  char mode[32];
  int  pads[2 * EE_MAX_SPATIAL] = {0};
  ee_onnx_string(call, "auto_pad", "NOTSET", mode, sizeof mode);
  if (strncmp(mode, "SAME", 4) == 0)
    pad_same(w, x, strcmp(mode, "SAME_UPPER") == 0);
  else if (strcmp(mode, "NOTSET") == 0)
    EE_TRY(read_list(call, "pads", 2 * w->n_spatial, 0, pads));
  for (int i = 0; i < w->n_spatial && strncmp(mode, "SAME", 4) != 0; i++) {
    w->pad_before[i] = pads[i];
    w->pad_after[i]  = pads[w->n_spatial + i];
  }
  return EE_OK;
}

/* The window over @p x; @p weight gives the size of a convolution's, and is NULL for pooling. */
static ee_status read_window(const onnx_call *call, const ee_shape *x, const ee_shape *weight,
                             ee_window *w) {
  *w = (ee_window){.n_spatial = x->rank - 2, .groups = 1};
  if (w->n_spatial < 1 || w->n_spatial > EE_MAX_SPATIAL)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its input has %d dimensions, 3 to 5 are supported",
                   call->label, x->rank);
  if (weight != NULL && weight->rank != x->rank)
    return EE_FAIL(EE_ERR_FORMAT, "%s: its weights have %d dimensions, its input %d", call->label,
                   weight->rank, x->rank);
  for (int i = 0; i < w->n_spatial; i++) {
    w->stride[i] = w->dilation[i] = 1;
    if (weight != NULL && weight->dim[2 + i] <= LARGEST) w->kernel[i] = (int)weight->dim[2 + i];
  }
  EE_TRY(read_list(call, "kernel_shape", w->n_spatial, 1, w->kernel));
  EE_TRY(read_list(call, "strides", w->n_spatial, 1, w->stride));
  EE_TRY(read_list(call, "dilations", w->n_spatial, 1, w->dilation));
  for (int i = 0; i < w->n_spatial; i++) {
    if (w->kernel[i] < 1) return EE_FAIL(EE_ERR_FORMAT, "%s: kernel_shape is missing", call->label);
    if ((int64_t)w->kernel[i] * w->dilation[i] > INT32_MAX / 4)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: a dilated window is too wide", call->label);
  }
  return read_pads(call, x, w);
}

static ee_status need_constant_weights(const onnx_graph *g, const onnx_call *call) {
  for (int k = 1; k < call->n_in; k++) {
    if (call->in[k] >= 0 && g->value[call->in[k]].kind != EE_VALUE_CONSTANT)
      return EE_FAIL(EE_ERR_UNSUPPORTED, "%s: its weights '%s' are not constant", call->label,
                     g->value[call->in[k]].name);
  }
  return EE_OK;
}

ee_status ee_onnx_conv(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_CONV, 3);
  EE_TRY(need_constant_weights(g, call));
  for (int k = 0; k < call->n_in; k++) {
    if (ee_onnx_has(call, k)) EE_TRY(ee_onnx_need_float(g, call, k));
  }
  EE_TRY(read_window(call, &g->value[node.in[0]].at[0], &g->value[node.in[1]].at[0],
                     &node.attr.window));
  int64_t groups = ee_onnx_int(call, "group", 1);
  if (groups < 1 || groups > INT32_MAX)
    return EE_FAIL(EE_ERR_FORMAT, "%s: group is %lld", call->label, (long long)groups);
  node.attr.window.groups = (int)groups;
  return ee_onnx_emit_result(g, call, &node, NULL);
}

/* A window that lies in the padding alone has no maximum and no mean. */
static ee_status check_pool_pads(const onnx_call *call, const ee_window *w) {
  for (int i = 0; i < w->n_spatial; i++) {
    int reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
    if (w->pad_before[i] >= reach || w->pad_after[i] >= reach)
      return EE_FAIL(EE_ERR_FORMAT, "%s: padding of %d and %d around a window of %d", call->label,
                     w->pad_before[i], w->pad_after[i], reach);
  }
  return EE_OK;
}

ee_status ee_onnx_pool(onnx_graph *g, const onnx_call *call) {
  ee_node    node = ee_onnx_node(call, (ee_op)call->op->which, 1);
  ee_window *w    = &node.attr.window;
  EE_TRY(ee_onnx_need_float(g, call, 0));
  EE_TRY(read_window(call, &g->value[node.in[0]].at[0], NULL, w));
  EE_TRY(check_pool_pads(call, w));
  w->ceil_mode         = ee_onnx_int(call, "ceil_mode", 0) != 0;
  w->count_include_pad = ee_onnx_int(call, "count_include_pad", 0) != 0;
  return ee_onnx_emit_result(g, call, &node, NULL);
}

ee_status ee_onnx_global_pool(onnx_graph *g, const onnx_call *call) {
  ee_node node = ee_onnx_node(call, EE_OP_GLOBAL_AVERAGE_POOL, 1);
  EE_TRY(ee_onnx_need_float(g, call, 0));
  return ee_onnx_emit_result(g, call, &node, NULL);
}
