/* SPDX-License-Identifier: Apache-2.0 */
/* Attention as exporters write it becomes one node, which computes what the many do. */
#include <math.h>
#include <stdio.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

enum { T = 5, H = 2, C = 4, D = H * C };  // positions, heads, features of one and of all

typedef struct made {
  int   n_nodes, of_op[EE_OP_COUNT];
  bool  batched;
  float y[2 * T * D];  // of two random samples
} made;

static const float *random_floats(maker *m, int n, uint64_t seed) {
  float *x   = maker_keep(m, (size_t)n * sizeof *x);
  ee_rng rng = ee_rng_at(seed, 0);
  for (int i = 0; i < n; i++) x[i] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
  return x;
}

static made import(maker *m, bool keep_unfused) {
  ee_onnx_options options = {.keep_unfused = keep_unfused};
  ee_model       *model;
  made            a = {0};
  const float    *x = random_floats(m, 2 * T * D, 77);
  if (maker_import(m, &options, &model) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  a.batched = model->batched;
  a.n_nodes = model->n_nodes;
  for (int i = 0; i < model->n_nodes; i++) a.of_op[model->node[i].op]++;
  for (int i = 0; i < 2; i++)
    CU_ASSERT_EQUAL(maker_run(model, 0, x + i * T * D, 1, a.y + i * T * D, T * D), EE_OK);
  float both[2 * T * D];
  if (a.batched) {
    CU_ASSERT_EQUAL(maker_run(model, 0, x, 2, both, 2 * T * D), EE_OK);
    CU_ASSERT_EQUAL(memcmp(both, a.y, sizeof both), 0);
  }
  ee_model_destroy(&model);
  return a;
}

/* Fuse, and compare with the graph as it was written. */
static made fused(maker *m) {
  maker_output(m, "y");
  made   a = import(m, false), b = import(m, true);
  double largest = 0.0;
  for (int i = 0; i < 2 * T * D; i++) largest = fmax(largest, fabs((double)b.y[i]));
  for (int i = 0; i < 2 * T * D; i++) CU_ASSERT_DOUBLE_EQUAL(a.y[i], b.y[i], 2e-6 * largest);
  CU_ASSERT_TRUE(largest > 0.0);
  maker_end(m);
  return a;
}

static void start(maker *m) {
  float factor = 0.6f;
  maker_start(m, 13, "x", 3, (int64_t[]){-1, T, D});
  maker_floats(m, "factor", 0, NULL, &factor);
}

static void turn(maker *m, const char *in, const char *out, int n, const int64_t *perm) {
  maker_list(m, maker_node(m, "Transpose", in, out), "perm", n, perm);
}

static void truths(maker *m, const char *name, int rank, const int64_t *dim, const float *x) {
  Onnx__TensorProto *tensor = maker_tensor(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, rank, dim);
  tensor->n_int32_data      = maker_elements(tensor);
  tensor->int32_data        = maker_keep(m, tensor->n_int32_data * sizeof *tensor->int32_data);
  for (size_t i = 0; i < tensor->n_int32_data; i++) tensor->int32_data[i] = x[i] != 0.0f;
  m->tensor[m->graph.n_initializer++] = tensor;
}

static void reshape(maker *m, const char *in, const char *out, int n, const int64_t *to) {
  char name[32], list[64];
  snprintf(name, sizeof name, "shape of %s", out);
  for (char *p = name; *p != '\0'; p++) *p = *p == ' ' ? '_' : *p;
  snprintf(list, sizeof list, "%s %s", in, name);
  maker_ints(m, name, n, to);
  maker_node(m, "Reshape", list, out);
}

/* x times a matrix for queries, keys and values at once, with a bias. */
static void add_packed(maker *m, const char *x, const char *out) {
  char list[64];
  maker_floats(m, "w", 2, (int64_t[]){D, 3 * D}, random_floats(m, D * 3 * D, 1));
  maker_floats(m, "b", 1, (int64_t[]){3 * D}, random_floats(m, 3 * D, 2));
  snprintf(list, sizeof list, "%s w", x);
  maker_node(m, "MatMul", list, "product");
  maker_node(m, "Add", "b product", out);
}

static void split(maker *m, const char *in, const char *out, int64_t axis) {
  maker_int(m, maker_node(m, "Split", in, out), "axis", axis);
}

/* y from heads q, k, v of shape [n, H, T, C]; scores become "masked" by what is added between. */
static void add_scores(maker *m) {
  turn(m, "k", "keys", 4, (int64_t[]){0, 1, 3, 2});
  maker_node(m, "MatMul", "q keys", "scores");
  maker_node(m, "Mul", "scores factor", "scaled");
}

static void add_mix(maker *m, const char *masked) {
  maker_int(m, maker_node(m, "Softmax", masked, "p"), "axis", -1);
  maker_node(m, "MatMul", "p v", "mix");
  turn(m, "mix", "back", 4, (int64_t[]){0, 2, 1, 3});
  reshape(m, "back", "y", 3, (int64_t[]){0, T, D});
}

/* One array of queries, keys and values, [.., 3, H, C] or [.., H, 3, C] of every position. */
static void add_unbound(maker *m, bool heads_first, bool by_gather) {
  static const int64_t first[] = {2, 0, 3, 1, 4}, second[] = {3, 0, 2, 1, 4};
  add_packed(m, "x", "qkv");
  reshape(m, "qkv", "five", 5,
          heads_first ? (int64_t[]){0, T, H, 3, C} : (int64_t[]){0, T, 3, H, C});
  turn(m, "five", "turned", 5, heads_first ? second : first);
  if (by_gather) {
    for (int64_t i = 0; i < 3; i++) {
      char name[8], list[32];
      snprintf(name, sizeof name, "at%d", (int)i);
      snprintf(list, sizeof list, "turned %s", name);
      maker_ints(m, name, 1, &i)->n_dims = 0;
      maker_node(m, "Gather", list, (const char *[]){"q", "k", "v"}[i]);
    }
    return;
  }
  split(m, "turned", "q1 k1 v1", 0);
  maker_ints(m, "zero", 1, (int64_t[]){0});
  maker_node(m, "Squeeze", "q1 zero", "q");
  maker_node(m, "Squeeze", "k1 zero", "k");
  maker_node(m, "Squeeze", "v1 zero", "v");
}

static bool is_three_layers(const made *a) {
  return a->n_nodes == 4 && a->of_op[EE_OP_ATTENTION] == 1 && a->of_op[EE_OP_MATMUL] == 3 &&
         a->batched;
}

static void one_array_of_queries_keys_and_values_becomes_three_layers(void) {
  for (int i = 0; i < 4; i++) {
    maker m;
    start(&m);
    add_unbound(&m, i % 2 == 1, i / 2 == 1);
    add_scores(&m);
    add_mix(&m, "scaled");
    made a = fused(&m);
    CU_ASSERT_TRUE(is_three_layers(&a));
  }
}

/* As GPT-2 has it: rows of all samples in one matrix, columns split, a number where not seen. */
static void add_text(maker *m, const float *seen, float fill) {
  static const int64_t forth[] = {0, 2, 1, 3}, heads[] = {0, T, H, C};
  reshape(m, "x", "rows", 2, (int64_t[]){-1, D});
  maker_floats(m, "w", 2, (int64_t[]){D, 3 * D}, random_floats(m, D * 3 * D, 1));
  maker_floats(m, "b", 1, (int64_t[]){3 * D}, random_floats(m, 3 * D, 2));
  maker_node(m, "Gemm", "rows w b", "product");
  reshape(m, "product", "qkv", 3, (int64_t[]){-1, T, 3 * D});
  split(m, "qkv", "q1 k1 v1", 2);
  for (int i = 0; i < 3; i++) {
    static const char *const from[] = {"q1", "k1", "v1"}, *const by[] = {"q2", "k2", "v2"},
                             *const to[] = {"q", "k", "v"};
    reshape(m, from[i], by[i], 4, heads);
    turn(m, by[i], to[i], 4, forth);
  }
  add_scores(m);
  truths(m, "seen", 4, (int64_t[]){1, 1, T, T}, seen);
  maker_floats(m, "fill", 0, NULL, &fill);
  maker_node(m, "Where", "seen scaled fill", "masked");
  add_mix(m, "masked");
}

static void positions_that_are_not_seen_are_a_mask(void) {
  static const float fill[] = {-1e4f, -3.4e38f};
  float              seen[T * T];
  for (int i = 0; i < T * T; i++) seen[i] = i % T <= i / T ? 1.0f : 0.0f;
  for (int i = 0; i < 2; i++) {
    maker m;
    start(&m);
    add_text(&m, seen, fill[i]);
    made a = fused(&m);
    CU_ASSERT_TRUE(is_three_layers(&a));
  }
}

/* A number that is no mask, and a row of which nothing is seen, whose shares are equal only if the
 * number swallows the scores. */
static void a_choice_that_is_no_mask_is_left(void) {
  float seen[T * T];
  for (int i = 0; i < T * T; i++) seen[i] = i % T <= i / T ? 1.0f : 0.0f;
  maker m;
  start(&m);
  add_text(&m, seen, -3.0f);
  CU_ASSERT_EQUAL(fused(&m).of_op[EE_OP_ATTENTION], 0);

  for (int s = 0; s < T; s++) seen[2 * T + s] = 0.0f;
  start(&m);
  add_text(&m, seen, -1e4f);
  CU_ASSERT_EQUAL(fused(&m).of_op[EE_OP_ATTENTION], 0);
  start(&m);
  add_text(&m, seen, -3.4e38f);
  CU_ASSERT_EQUAL(fused(&m).of_op[EE_OP_ATTENTION], 1);
}

/* As torch.nn.MultiheadAttention has it: positions first, samples and heads one dimension, queries
 * scaled, one linear layer on rows of all positions and samples, and the way back. */
static void positions_in_front_of_samples_are_turned_back(void) {
  static const int64_t swap[] = {1, 0, 2};
  maker                m;
  start(&m);
  turn(&m, "x", "xt", 3, swap);
  add_packed(&m, "xt", "qkv");
  for (int i = 0; i < 3; i++) {
    static const char *const part[] = {"q1", "k1", "v1"}, *const split_part[] = {"q2", "k2", "v2"},
                             *const head[] = {"q3", "k3", "v"};
    char                            name[8], list[64];
    for (int e = 0; e < 2; e++) {
      snprintf(name, sizeof name, "%s%d", e == 0 ? "from" : "to", i);
      maker_ints(&m, name, 1, (int64_t[]){(i + e) * D});
    }
    if (i == 0) maker_ints(&m, "last", 1, (int64_t[]){2});
    snprintf(list, sizeof list, "qkv from%d to%d last", i, i);
    maker_node(&m, "Slice", list, part[i]);
    reshape(&m, part[i], split_part[i], 3, (int64_t[]){T, -1, C});
    turn(&m, split_part[i], head[i], 3, swap);
  }
  maker_node(&m, "Div", "q3 factor", "q");
  turn(&m, "k3", "keys", 3, (int64_t[]){0, 2, 1});
  maker_node(&m, "MatMul", "q keys", "scores");
  maker_int(&m, maker_node(&m, "Softmax", "scores", "p"), "axis", -1);
  maker_node(&m, "MatMul", "p v", "mix");
  turn(&m, "mix", "back", 3, swap);
  reshape(&m, "back", "rows", 2, (int64_t[]){-1, D});
  maker_floats(&m, "wo", 2, (int64_t[]){D, D}, random_floats(&m, D * D, 3));
  maker_int(&m, maker_node(&m, "Gemm", "rows wo", "out"), "transB", 1);
  reshape(&m, "out", "three", 3, (int64_t[]){T, -1, D});
  turn(&m, "three", "turned", 3, swap);
  maker_node(&m, "Add", "turned x", "y");
  made a = fused(&m);
  CU_ASSERT_TRUE(a.batched && a.n_nodes == 6);
  CU_ASSERT_TRUE(a.of_op[EE_OP_ATTENTION] == 1 && a.of_op[EE_OP_MATMUL] == 4);
}

/* Nobody's weights: parts of x itself are operands. */
static void operands_that_are_columns_of_an_array_are_slices(void) {
  static const int64_t forth[] = {0, 2, 1, 3}, heads[] = {0, T, H, C / 2};
  maker                m;
  start(&m);
  maker_node(&m, "Relu", "x", "z");
  split(&m, "z", "q1 k1", 2);
  reshape(&m, "q1", "q2", 4, heads);
  reshape(&m, "k1", "k2", 4, heads);
  reshape(&m, "x", "v2", 4, (int64_t[]){0, T, H, C});
  turn(&m, "q2", "q", 4, forth);
  turn(&m, "k2", "k", 4, forth);
  turn(&m, "v2", "v", 4, forth);
  add_scores(&m);
  add_mix(&m, "scaled");
  made a = fused(&m);
  CU_ASSERT_TRUE(a.of_op[EE_OP_ATTENTION] == 1 && a.of_op[EE_OP_SLICE] == 2 && a.n_nodes == 4);
}

/* A single head that nobody reshapes. */
static void one_head_needs_no_reshapes(void) {
  maker m;
  start(&m);
  turn(&m, "x", "keys", 3, (int64_t[]){0, 2, 1});
  maker_node(&m, "MatMul", "x keys", "scores");
  maker_int(&m, maker_node(&m, "Softmax", "scores", "p"), "axis", -1);
  maker_node(&m, "MatMul", "p x", "y");
  made a = fused(&m);
  CU_ASSERT_TRUE(a.n_nodes == 1 && a.of_op[EE_OP_ATTENTION] == 1 && a.batched);
}

/* Heads that the result puts in another order than features have, and keys that are no transposed
 * rows, are what they are. */
static void heads_in_the_wrong_place_are_left(void) {
  maker m;
  start(&m);
  add_unbound(&m, false, false);
  add_scores(&m);
  maker_int(&m, maker_node(&m, "Softmax", "scaled", "p"), "axis", -1);
  maker_node(&m, "MatMul", "p v", "mix");
  reshape(&m, "mix", "y", 3, (int64_t[]){0, T, D});
  made a = fused(&m);
  CU_ASSERT_EQUAL(a.of_op[EE_OP_ATTENTION], 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(one_array_of_queries_keys_and_values_becomes_three_layers),
    EE_FACT(positions_that_are_not_seen_are_a_mask),
    EE_FACT(a_choice_that_is_no_mask_is_left),
    EE_FACT(positions_in_front_of_samples_are_turned_back),
    EE_FACT(operands_that_are_columns_of_an_array_are_slices),
    EE_FACT(one_head_needs_no_reshapes),
    EE_FACT(heads_in_the_wrong_place_are_left),
    {NULL, NULL},
};
