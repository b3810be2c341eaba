/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of its inputs a node needs, operator by operator. */
#include "band_rows.h"

#include "graph.h"

enum { PICTURE_RANK = 4 };

int64_t ee_value_rows(const ee_model *model, int v) {
  return model->value[v].shape.dim[EE_ROW_AXIS];
}

bool ee_node_has_window(const ee_node *node) {
  return node->op == EE_OP_CONV || node->op == EE_OP_MAX_POOL || node->op == EE_OP_AVERAGE_POOL;
}

/* Whether a constant that is broadcast to pictures is the same in all rows. */
static bool is_same_in_rows(const ee_shape *constant) {
  int axis = constant->rank - (PICTURE_RANK - EE_ROW_AXIS);
  return axis < 0 || constant->dim[axis] == 1;
}

static const char *why_not_elementwise(const ee_model *model, const ee_node *node) {
  for (int i = 0; i < node->n_in; i++) {
    const ee_value *in = &model->value[node->in[i]];
    if (in->kind != EE_VALUE_CONSTANT) continue;
    if (!is_same_in_rows(&in->shape)) return "has a constant that differs from row to row";
  }
  return NULL;
}

static const char *why_not_slice(const ee_node *node) {
  return node->attr.slice.step[EE_ROW_AXIS] < 1 ? "turns the rows around" : NULL;
}

static const char *why_not_pad(const ee_node *node) {
  int before = node->attr.pad.before[EE_ROW_AXIS], after = node->attr.pad.after[EE_ROW_AXIS];
  return before != 0 || after != 0 ? "adds or takes away rows" : NULL;
}

static const char *why_not_along(const ee_node *node) {
  if (node->op != EE_OP_CONCAT && node->attr.along.flatten) return "mixes all rows";
  return node->attr.along.axis == EE_ROW_AXIS ? "works along the rows" : NULL;
}

static const char *why_not_operator(const ee_model *model, const ee_node *node) {
  switch (node->op) {
    case EE_OP_CONV:
      return model->value[node->in[1]].kind == EE_VALUE_CONSTANT ? NULL : "computes its weights";
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
    case EE_OP_BATCH_NORM:
    case EE_OP_ACTIVATION:
      return NULL;
    case EE_OP_ADD:
    case EE_OP_SUB:
    case EE_OP_MUL:
    case EE_OP_DIV:
    case EE_OP_POW:
      return why_not_elementwise(model, node);
    case EE_OP_CONCAT:
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
      return why_not_along(node);
    case EE_OP_SLICE:
      return why_not_slice(node);
    case EE_OP_PAD:
      return why_not_pad(node);
    default:
      return "mixes all rows";
  }
}

const char *ee_node_mixes_rows(const ee_model *model, const ee_node *node) {
  const char *why = why_not_operator(model, node);
  if (why != NULL) return why;
  bool pictures = model->value[node->out].shape.rank == PICTURE_RANK;
  for (int i = 0; i < node->n_in && pictures; i++) {
    if (!ee_node_reads_activation(model, node, i)) continue;
    pictures = model->value[node->in[i]].shape.rank == PICTURE_RANK;
  }
  return pictures ? NULL : "does not work on pictures of shape [1, C, H, W]";
}

/* From position @p first to @p last of @p height rows; one row at least, where all is padding. */
static ee_rows clip(int64_t first, int64_t last, int64_t height) {
  int64_t begin = first < 0 ? 0 : first < height ? first : height - 1;
  int64_t end   = last < height ? last + 1 : height;
  return (ee_rows){begin, end > begin ? end : begin + 1};
}

/* Steps of @p step that it takes to go @p way at least. */
static int64_t steps_of(int64_t way, int64_t step) {
  return way > 0 ? (way + step - 1) / step : 0;
}

/* The first row of the input that a tap of rows @p out meets: those of the first of them, unless
 * its taps lie in the padding. */
static int64_t first_met(const ee_window *w, ee_rows out, int64_t height) {
  int64_t first = height;
  for (int64_t o = out.begin; o < out.end; o++) {
    int64_t top = o * w->stride[0] - w->pad_before[0];
    int64_t tap = steps_of(-top, w->dilation[0]), row = top + tap * w->dilation[0];
    if (tap < w->kernel[0] && row < first) first = row;
    if (top >= 0) break;
  }
  return first;
}

static int64_t last_met(const ee_window *w, ee_rows out, int64_t height) {
  int64_t last = -1;
  for (int64_t o = out.end - 1; o >= out.begin; o--) {
    int64_t bottom =
        o * w->stride[0] - w->pad_before[0] + (int64_t)w->dilation[0] * (w->kernel[0] - 1);
    int64_t tap = steps_of(bottom - height + 1, w->dilation[0]);
    int64_t row = bottom - tap * w->dilation[0];
    if (tap < w->kernel[0] && row > last) last = row;
    if (bottom < height) break;
  }
  return last;
}

static ee_rows window_rows(const ee_window *w, ee_rows out, int64_t height) {
  int64_t first = first_met(w, out, height), last = last_met(w, out, height);
  if (first > last) first = last = out.begin * w->stride[0] - w->pad_before[0];
  return clip(first, last, height);
}

ee_rows ee_node_rows(const ee_model *model, const ee_node *node, int i, ee_rows out) {
  int64_t height = ee_value_rows(model, node->in[i]);
  if (ee_node_has_window(node)) return window_rows(&node->attr.window, out, height);
  if (node->op == EE_OP_SLICE) {
    int64_t start = node->attr.slice.start[EE_ROW_AXIS], step = node->attr.slice.step[EE_ROW_AXIS];
    return clip(start + step * out.begin, start + step * (out.end - 1), height);
  }
  bool stretched = height != ee_value_rows(model, node->out);  // one row for all
  return stretched ? (ee_rows){0, height} : out;
}
