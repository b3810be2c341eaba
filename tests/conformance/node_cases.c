/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX's operator tests: a folder each, with a model, inputs and the expected output. */
#include "node_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

#define MAX_INPUTS 8

/* Everything that one folder holds. */
typedef struct node_case {
  const char        *folder;
  blob               model, expected, input[MAX_INPUTS];
  Onnx__ModelProto  *proto;
  Onnx__TensorProto *first;  // input 0, NULL if it is none
  float             *x;      // its elements, NULL unless they are float32
  size_t             n_x;
  ee_onnx_binding    binding[MAX_INPUTS];
  int                n_bindings;
} node_case;

static blob read_part(const char *folder, const char *part) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, part);
  return read_blob(path);
}

static void bind_inputs(const char *folder, node_case *c) {
  for (int i = 0; i < MAX_INPUTS && (size_t)i < c->proto->graph->n_input; i++) {
    char part[64];
    snprintf(part, sizeof part, "test_data_set_0/input_%d.pb", i);
    c->input[i] = read_part(folder, part);
    if (i == 0 || c->input[i].bytes == NULL) continue;
    c->binding[c->n_bindings++] =
        (ee_onnx_binding){c->proto->graph->input[i]->name, c->input[i].bytes, c->input[i].n};
  }
}

static bool open_case(const char *folder, node_case *c) {
  *c       = (node_case){.folder   = folder,
                         .model    = read_part(folder, "model.onnx"),
                         .expected = read_part(folder, "test_data_set_0/output_0.pb")};
  c->proto = onnx__model_proto__unpack(NULL, c->model.n, c->model.bytes);
  if (c->proto == NULL || c->proto->graph == NULL || c->expected.bytes == NULL) return false;
  bind_inputs(folder, c);
  if (c->input[0].bytes == NULL) return true;
  c->first = onnx__tensor_proto__unpack(NULL, c->input[0].n, c->input[0].bytes);
  if (c->first != NULL) c->x = tensor_floats(c->first, &c->n_x);
  return true;
}

static void close_case(node_case *c) {
  if (c->proto != NULL) onnx__model_proto__free_unpacked(c->proto, NULL);
  if (c->first != NULL) onnx__tensor_proto__free_unpacked(c->first, NULL);
  for (int i = 0; i < MAX_INPUTS; i++) free(c->input[i].bytes);
  free(c->model.bytes);
  free(c->expected.bytes);
  free(c->x);
}

/* Why a test of our operators cannot pass, by the end of its name. */
static const char *known_limit(const char *name) {
  static const struct {
    const char *part, *reason;
  } limits[] = {
      {"_training_mode", "training"},
      {"_default_mask", "a second output"},
      {"_with_argmax_", "a second output"},
      {"test_reshape_allowzero_reordered", "an array without elements"},
      {"test_split_zero_size_splits", "an array without elements"},
      {"test_slice_start_out_of_bounds", "an array without elements"},
  };
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    if (strstr(name, limits[i].part) != NULL) return limits[i].reason;
  }
  return NULL;
}

/* Why this test is only listed; "" if it must pass. */
static void listing(const char *name, const node_case *c, node_result *result) {
  const Onnx__GraphProto *graph = c->proto->graph;
  for (size_t i = 0; i < graph->n_node; i++) {
    if (operator_is_ours(graph->node[i]->op_type)) continue;
    snprintf(result->reason, sizeof result->reason, "operator not in this list yet");
    snprintf(result->op, sizeof result->op, "%s", graph->node[i]->op_type);
    return;
  }
  const char *limit = known_limit(name);
  if (graph->n_input == 0)
    limit = "no input";
  else if (c->x == NULL)
    limit = "input 0 is not float32";
  snprintf(result->reason, sizeof result->reason, "%s", limit != NULL ? limit : "");
}

/* A listed test must be refused by name: passing by chance or a wrong answer is a failure. */
static void judge(const char *reason, node_result *result) {
  if (reason[0] == '\0' || result->outcome.verdict == REFUSED) return;
  result->outcome.verdict = FAILED;
  snprintf(result->outcome.text, sizeof result->outcome.text, "it was to be refused: %s", reason);
}

/* The one test whose expected output has four digits. */
static double tolerance_of(const char *name) {
  bool rounded = strcmp(name, "test_averagepool_2d_ceil_last_window_starts_on_pad") == 0;
  return rounded ? LOOSE_TOLERANCE : TOLERANCE;
}

/* How many outputs of a test with several are looked at, each as the only one of its model. */
static size_t outputs_alone(const char *name, const Onnx__GraphProto *graph) {
  if (strncmp(name, "test_split_", 11) == 0) return graph->n_output;
  return strncmp(name, "test_layer_normalization_", 25) == 0 ? 1 : 0;  // not mean and deviation
}

/* The case's model with output @p k only. */
static blob model_of_output(node_case *c, size_t k) {
  Onnx__GraphProto     *graph = c->proto->graph;
  Onnx__ValueInfoProto *first = graph->output[0];
  size_t                n     = graph->n_output;
  graph->output[0]            = graph->output[k];
  graph->n_output             = 1;
  blob model                  = {malloc(onnx__model_proto__get_packed_size(c->proto)), 0};
  if (model.bytes != NULL) model.n = onnx__model_proto__pack(c->proto, model.bytes);
  graph->output[0] = first;
  graph->n_output  = n;
  return model;
}

static outcome run_case(node_case *c, const blob *model, const blob *expected, const char *name,
                        const char *backend) {
  static const float none = 0.0f;
  return run_model(model, c->binding, c->n_bindings, c->x != NULL ? c->x : &none, c->n_x, expected,
                   tolerance_of(name), backend);
}

/* Run every output by itself; the first that does not pass counts. */
static outcome run_outputs(node_case *c, size_t n, const char *name, const char *backend) {
  outcome worst = {.verdict = PASSED}, out = worst;
  for (size_t k = 0; k < n && out.verdict == PASSED; k++) {
    char part[64];
    snprintf(part, sizeof part, "test_data_set_0/output_%zu.pb", k);
    blob model = model_of_output(c, k), expected = read_part(c->folder, part);
    out = run_case(c, &model, &expected, name, backend);
    if (out.verdict != PASSED || out.error >= worst.error) worst = out;
    free(model.bytes);
    free(expected.bytes);
  }
  return worst;
}

node_result run_node_case(const char *folder, const char *name, const char *backend) {
  node_result result = {.outcome = {.verdict = FAILED}};
  node_case   c;
  if (!open_case(folder, &c)) {
    snprintf(result.outcome.text, sizeof result.outcome.text, "the test's files cannot be read");
  } else {
    snprintf(result.op, sizeof result.op, "%s", c.proto->graph->node[0]->op_type);
    listing(name, &c, &result);
    size_t n       = outputs_alone(name, c.proto->graph);
    result.outcome = n > 0 ? run_outputs(&c, n, name, backend)
                           : run_case(&c, &c.model, &c.expected, name, backend);
    judge(result.reason, &result);
  }
  close_case(&c);
  return result;
}
