/* SPDX-License-Identifier: Apache-2.0 */
/* Is what an importer or a file says a graph at all?  Everything later relies on this. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"

#define SHAPE_TEXT 128  // bytes for one shape in a message

/* How many inputs an operator takes. */
static const struct {
  int least, most;
} arity[EE_OP_COUNT] = {
    [EE_OP_CONV]                = {2, 3},
    [EE_OP_GEMM]                = {2, 3},
    [EE_OP_MATMUL]              = {2, 3},
    [EE_OP_BATCH_NORM]          = {5, 5},
    [EE_OP_ACTIVATION]          = {1, 1},
    [EE_OP_MAX_POOL]            = {1, 1},
    [EE_OP_AVERAGE_POOL]        = {1, 1},
    [EE_OP_GLOBAL_AVERAGE_POOL] = {1, 1},
    [EE_OP_ADD]                 = {2, 2},
    [EE_OP_MUL]                 = {2, 2},
    [EE_OP_SUB]                 = {2, 2},
    [EE_OP_DIV]                 = {2, 2},
    [EE_OP_CONCAT]              = {1, EE_MAX_NODE_INPUTS},
    [EE_OP_RESHAPE]             = {1, 1},
    [EE_OP_TRANSPOSE]           = {1, 1},
    [EE_OP_SOFTMAX]             = {1, 1},
    [EE_OP_LOG_SOFTMAX]         = {1, 1},
    [EE_OP_PAD]                 = {1, 1},
    [EE_OP_REDUCE_MEAN]         = {1, 1},
    [EE_OP_POW]                 = {2, 2},
    [EE_OP_SLICE]               = {1, 1},
    [EE_OP_GATHER]              = {2, 2},
    [EE_OP_LAYER_NORM]          = {2, 3},
    [EE_OP_ATTENTION]           = {3, 4},
};

static bool name_ends(const char name[EE_NAME_BYTES]) {
  return memchr(name, '\0', EE_NAME_BYTES) != NULL;
}

static bool is_value(const ee_model *model, int v) {
  return v >= 0 && v < model->n_values;
}

static ee_status check_counts(const ee_model *model) {
  if (!name_ends(model->name)) return EE_FAIL(EE_ERR_FORMAT, "the model's name is too long");
  if (model->n_values < 1 || model->n_nodes < 0 || model->n_exits < 1 || model->n_classes < 1) {
    return EE_FAIL(EE_ERR_FORMAT,
                   "model '%s' has %d values, %d nodes, %d exits and %d classes; it needs a value, "
                   "an exit and a class",
                   model->name, model->n_values, model->n_nodes, model->n_exits, model->n_classes);
  }
  if (model->value == NULL || model->exit == NULL || (model->n_nodes > 0 && model->node == NULL)) {
    return EE_FAIL(EE_ERR_ARG, "model '%s' lacks its values, nodes or exits", model->name);
  }
  if (!is_value(model, model->input) || model->value[model->input].kind != EE_VALUE_INPUT) {
    return EE_FAIL(EE_ERR_FORMAT, "model '%s': its input is value %d, which is no input",
                   model->name, model->input);
  }
  return EE_OK;
}

static ee_status check_shape(const ee_model *model, const ee_value *value) {
  const ee_shape *shape = &value->shape;
  if (shape->rank < 0 || shape->rank > EE_MAX_RANK) {
    return EE_FAIL(EE_ERR_FORMAT, "value '%s' has %d dimensions, at most %d are possible",
                   value->name, shape->rank, EE_MAX_RANK);
  }
  char text[SHAPE_TEXT];
  bool bad = ee_shape_elements(shape) > EE_MAX_ELEMENTS;
  for (int i = 0; i < shape->rank; i++) bad |= shape->dim[i] < 1;
  if (bad) {
    return EE_FAIL(EE_ERR_FORMAT, "value '%s' has the impossible shape %s", value->name,
                   ee_shape_text(shape, text, sizeof text));
  }
  bool carries_batch = model->batched && value->kind != EE_VALUE_CONSTANT;
  if (carries_batch && (shape->rank < 1 || shape->dim[0] != 1)) {
    return EE_FAIL(EE_ERR_FORMAT, "value '%s' has shape %s, but one sample's begins with 1",
                   value->name, ee_shape_text(shape, text, sizeof text));
  }
  return EE_OK;
}

static ee_status check_values(const ee_model *model) {
  for (int v = 0; v < model->n_values; v++) {
    const ee_value *value = &model->value[v];
    if (!name_ends(value->name)) {
      return EE_FAIL(EE_ERR_FORMAT, "the name of value %d is too long", v);
    }
    if (value->kind != EE_VALUE_INPUT && value->kind != EE_VALUE_CONSTANT &&
        value->kind != EE_VALUE_ACTIVATION) {
      return EE_FAIL(EE_ERR_FORMAT, "value '%s' is of the unknown kind %d", value->name,
                     (int)value->kind);
    }
    if (value->kind == EE_VALUE_INPUT && v != model->input) {
      return EE_FAIL(EE_ERR_FORMAT, "value '%s' is a second input; only one is possible",
                     value->name);
    }
    EE_TRY(check_shape(model, value));
  }
  return EE_OK;
}

static ee_status check_node(const ee_model *model, const ee_node *node, int index) {
  if (!name_ends(node->name)) {
    return EE_FAIL(EE_ERR_FORMAT, "the name of node %d is too long", index);
  }
  if ((unsigned)node->op >= EE_OP_COUNT || (unsigned)node->act.kind >= EE_ACT_COUNT) {
    return EE_FAIL(EE_ERR_FORMAT, "node '%s' has the unknown operator %d or activation %d",
                   node->name, (int)node->op, (int)node->act.kind);
  }
  int least = arity[node->op].least, most = arity[node->op].most;
  if (node->n_in < least || node->n_in > most) {
    return EE_FAIL(EE_ERR_FORMAT, "node '%s' (%s) has %d inputs, expected %d to %d", node->name,
                   ee_op_name(node->op), node->n_in, least, most);
  }
  for (int i = 0; i < node->n_in; i++) {
    bool left_out = node->in[i] == -1 && i >= least;
    if (left_out || is_value(model, node->in[i])) continue;
    return EE_FAIL(EE_ERR_FORMAT, "node '%s' (%s): input %d is value %d of %d", node->name,
                   ee_op_name(node->op), i, node->in[i], model->n_values);
  }
  if (is_value(model, node->out) && model->value[node->out].kind == EE_VALUE_ACTIVATION) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_FORMAT, "node '%s' (%s) writes value %d of %d, which is no activation",
                 node->name, ee_op_name(node->op), node->out, model->n_values);
}

/* made[v]: value v is there when the node at hand runs. */
static ee_status check_order(const ee_model *model, const ee_node *node, bool *made) {
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] < 0 || made[node->in[i]]) continue;
    return EE_FAIL(EE_ERR_FORMAT,
                   "node '%s' reads value '%s', which no node before it makes: the graph has a "
                   "cycle or is not in topological order",
                   node->name, model->value[node->in[i]].name);
  }
  if (made[node->out]) {
    return EE_FAIL(EE_ERR_FORMAT, "value '%s' is made twice, the second time by node '%s'",
                   model->value[node->out].name, node->name);
  }
  made[node->out] = true;
  return EE_OK;
}

static ee_status check_exit(const ee_model *model, const ee_exit *e, bool *made) {
  if (!name_ends(e->name)) return EE_FAIL(EE_ERR_FORMAT, "the name of an exit is too long");
  if (!is_value(model, e->logits) || model->value[e->logits].kind == EE_VALUE_CONSTANT) {
    return EE_FAIL(EE_ERR_FORMAT, "the logits of exit '%s' are value %d, which nobody computes",
                   e->name, e->logits);
  }
  const ee_value *logits = &model->value[e->logits];
  if (!made[e->logits]) {
    return EE_FAIL(EE_ERR_FORMAT,
                   "the logits '%s' of exit '%s' are made by no node, or are those "
                   "of another exit too",
                   logits->name, e->name);
  }
  made[e->logits] = false;
  if (ee_shape_elements(&logits->shape) != model->n_classes) {
    char text[SHAPE_TEXT];
    return EE_FAIL(EE_ERR_FORMAT,
                   "the logits '%s' of exit '%s' have shape %s, but there are %d "
                   "classes",
                   logits->name, e->name, ee_shape_text(&logits->shape, text, sizeof text),
                   model->n_classes);
  }
  if (!isfinite(e->temperature) || e->temperature < 0.0f) {
    return EE_FAIL(EE_ERR_FORMAT, "exit '%s' has temperature %g, expected a positive number",
                   e->name, (double)e->temperature);
  }
  return EE_OK;
}

static ee_status check_score(const ee_model *model, int index, bool *made) {
  const ee_exit *e = &model->exit[index];
  if (!e->has_score) return EE_OK;
  if (index == model->n_exits - 1) {
    return EE_FAIL(EE_ERR_FORMAT,
                   "exit '%s' is the last one, where every sample leaves; it can have no score",
                   e->name);
  }
  if (!is_value(model, e->score) || model->value[e->score].kind != EE_VALUE_ACTIVATION) {
    return EE_FAIL(EE_ERR_FORMAT, "the score of exit '%s' is value %d, which nobody computes",
                   e->name, e->score);
  }
  const ee_value *score = &model->value[e->score];
  if (!made[e->score]) {
    return EE_FAIL(EE_ERR_FORMAT,
                   "the score '%s' of exit '%s' is made by no node, or is another output too",
                   score->name, e->name);
  }
  made[e->score] = false;
  if (ee_shape_elements(&score->shape) == 1) return EE_OK;
  char text[SHAPE_TEXT];
  return EE_FAIL(EE_ERR_FORMAT, "the score '%s' of exit '%s' has shape %s, expected one number",
                 score->name, e->name, ee_shape_text(&score->shape, text, sizeof text));
}

static ee_status check_wiring(const ee_model *model, bool *made) {
  for (int v = 0; v < model->n_values; v++) made[v] = model->value[v].kind != EE_VALUE_ACTIVATION;
  for (int i = 0; i < model->n_nodes; i++) {
    EE_TRY(check_node(model, &model->node[i], i));
    EE_TRY(check_order(model, &model->node[i], made));
  }
  for (int e = 0; e < model->n_exits; e++) EE_TRY(check_exit(model, &model->exit[e], made));
  for (int e = 0; e < model->n_exits; e++) EE_TRY(check_score(model, e, made));
  return EE_OK;
}

static ee_status fail_shapes(const ee_model *model, const ee_node *node, const char *why) {
  char in[2 * SHAPE_TEXT] = "", out[SHAPE_TEXT];
  for (int i = 0; i < node->n_in; i++) {
    size_t used = strlen(in);
    if (node->in[i] < 0 || used + 1 >= sizeof in) continue;
    in[used] = ' ';
    ee_shape_text(&model->value[node->in[i]].shape, in + used + 1, sizeof in - used - 1);
  }
  return EE_FAIL(EE_ERR_FORMAT, "node '%s' (%s): %s:%s -> %s", node->name, ee_op_name(node->op),
                 why, in, ee_shape_text(&model->value[node->out].shape, out, sizeof out));
}

/* Whether the shapes of @p node still fit when the batch is @p n instead of 1. */
static bool fits_batch(const ee_model *model, const ee_node *node, int64_t n) {
  ee_shape        in[EE_MAX_NODE_INPUTS], out = model->value[node->out].shape;
  const ee_shape *list[EE_MAX_NODE_INPUTS] = {NULL};
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] < 0) continue;
    in[i]   = model->value[node->in[i]].shape;
    list[i] = &in[i];
    if (n > 1 && ee_node_reads_activation(model, node, i)) in[i].dim[0] = n;
  }
  if (n > 1) out.dim[0] = n;
  return ee_node_shapes_fit(node, list, &out);
}

/* A batch size that no dimension of the node can equal by accident. */
static int64_t odd_batch(const ee_model *model, const ee_node *node) {
  int64_t largest = 1;
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] < 0) continue;
    const ee_shape *shape = &model->value[node->in[i]].shape;
    for (int d = 0; d < shape->rank; d++) {
      if (largest < shape->dim[d]) largest = shape->dim[d];
    }
  }
  return largest + 1;
}

/* What would mix samples although the shapes do not show it. */
static bool mixes_samples(const ee_model *model, const ee_node *node) {
  switch (node->op) {
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
      return node->attr.along.axis == 0;
    case EE_OP_LAYER_NORM:
      return node->attr.layer_norm.axis == 0;
    case EE_OP_GATHER:
      return node->attr.gather.axis == 0 && ee_node_reads_activation(model, node, 0);
    case EE_OP_ATTENTION:
      return model->value[node->out].shape.rank < 3;
    default:
      return false;
  }
}

static ee_status check_node_shapes(const ee_model *model, const ee_node *node) {
  if (!fits_batch(model, node, 1)) {
    return fail_shapes(model, node, "shapes or attributes do not fit together");
  }
  if (!model->batched) return EE_OK;
  if (mixes_samples(model, node) || !fits_batch(model, node, odd_batch(model, node))) {
    return fail_shapes(model, node, "samples of a batch would not stay apart");
  }
  return EE_OK;
}

static ee_status check_preprocess(const ee_model *model) {
  const ee_preprocess *p     = &model->preprocess;
  const ee_shape      *shape = &model->value[model->input].shape;
  if (!isfinite(p->scale)) {
    return EE_FAIL(EE_ERR_FORMAT, "the scale of the preprocessing is %g", (double)p->scale);
  }
  if (p->n_channels == 0) return EE_OK;
  int64_t channels = shape->rank > 1 ? shape->dim[1] : 0;
  if (p->n_channels != channels || p->mean == NULL || p->std == NULL) {
    return EE_FAIL(EE_ERR_FORMAT, "preprocessing is for %d channels, the input has %lld",
                   p->n_channels, (long long)channels);
  }
  for (int c = 0; c < p->n_channels; c++) {
    if (isfinite(p->mean[c]) && isfinite(p->std[c]) && p->std[c] > 0.0f) continue;
    return EE_FAIL(EE_ERR_FORMAT,
                   "preprocessing of channel %d has mean %g and deviation %g, expected numbers and "
                   "a deviation above 0",
                   c, (double)p->mean[c], (double)p->std[c]);
  }
  return EE_OK;
}

ee_status ee_graph_check(const ee_model *model) {
  EE_TRY(check_counts(model));
  EE_TRY(check_values(model));
  EE_TRY(check_preprocess(model));
  bool *made = calloc((size_t)model->n_values, sizeof *made);
  if (made == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d values", model->n_values);
  ee_status status = check_wiring(model, made);
  free(made);
  for (int i = 0; status == EE_OK && i < model->n_nodes; i++) {
    status = check_node_shapes(model, &model->node[i]);
  }
  return status;
}
