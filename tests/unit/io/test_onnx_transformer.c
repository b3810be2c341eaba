/* SPDX-License-Identifier: Apache-2.0 */
/* What exports of transformers write out becomes a few nodes, and these compute what the many do.
 */
#include <math.h>
#include <stdio.h>

#include "ee/rng.h"
#include "ee_test.h"
#include "onnx_maker.h"

enum { T = 5, D = 6, H = 2 };  // positions, width, heads

static const int64_t sequence[] = {-1, T, D}, matrix[] = {D, D}, row[] = {D};

static const float *random_floats(maker *m, int n, uint64_t seed) {
  float *x   = maker_keep(m, (size_t)n * sizeof *x);
  ee_rng rng = ee_rng_at(seed, 0);
  for (int i = 0; i < n; i++) x[i] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
  return x;
}

static void scalar(maker *m, const char *name, float x) {
  maker_floats(m, name, 0, NULL, &x);
}

static void start(maker *m) {
  maker_start(m, 13, "x", 3, sequence);
}

static void add_node(maker *m, const char *op, const char *in, const char *out) {
  maker_node(m, op, in, out);
}

/* What the importer made of a graph whose output is "y". */
typedef struct made {
  int   n_nodes, of_op[EE_OP_COUNT], of_act[EE_ACT_COUNT];
  bool  batched;
  float y[64];  // of one random sample
} made;

static made import(maker *m, bool keep_unfused) {
  ee_onnx_options options = {.keep_unfused = keep_unfused};
  ee_model       *model;
  made            a = {0};
  if (maker_import(m, &options, &model) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  a.batched = model->batched;
  a.n_nodes = model->n_nodes;
  for (int i = 0; i < model->n_nodes; i++) {
    a.of_op[model->node[i].op]++;
    a.of_act[model->node[i].act.kind]++;
  }
  int n = (int)ee_model_value_elements(model, model->input);
  CU_ASSERT_EQUAL(maker_run(model, 0, random_floats(m, n, 77), 1, a.y, 64), EE_OK);
  ee_model_destroy(&model);
  return a;
}

/* Fuse, and compare with the graph as it was written; @p n numbers of the result. */
static made fused(maker *m, int n) {
  maker_output(m, "y");
  made   a = import(m, false), b = import(m, true);
  double largest = 0.0;
  for (int i = 0; i < n; i++) largest = fmax(largest, fabs((double)b.y[i]));
  for (int i = 0; i < n; i++) CU_ASSERT_DOUBLE_EQUAL(a.y[i], b.y[i], 2e-6 * largest);
  CU_ASSERT_TRUE(largest > 0.0 && a.batched && b.batched);
  maker_end(m);
  return a;
}

static void last_axis(maker *m) {
  maker_list(m, m->node[m->graph.n_node - 1], "axes", 1, (int64_t[]){-1});
}

/* x - mean over the square root of the variance and epsilon. */
static void add_quotient(maker *m, const char *square, const char *square_in) {
  scalar(m, "two", 2.0f);
  scalar(m, "epsilon", 1e-3f);
  add_node(m, "ReduceMean", "x", "mean");
  last_axis(m);
  add_node(m, "Sub", "x mean", "d");
  add_node(m, square, square_in, "dd");
  add_node(m, "ReduceMean", "dd", "variance");
  last_axis(m);
  add_node(m, "Add", "variance epsilon", "sum");
  add_node(m, "Sqrt", "sum", "root");
  add_node(m, "Div", "d root", "quotient");
}

static void a_layer_normalisation_becomes_one_node(void) {
  for (int form = 0; form < 4; form++) {
    maker m;
    start(&m);
    maker_floats(&m, "scale", 1, row, random_floats(&m, D, 1));
    maker_floats(&m, "bias", 1, row, random_floats(&m, D, 2));
    add_quotient(&m, form % 2 == 0 ? "Pow" : "Mul", form % 2 == 0 ? "d two" : "d d");
    add_node(&m, "Mul", form < 2 ? "quotient scale" : "scale quotient", "scaled");
    add_node(&m, "Add", form < 2 ? "scaled bias" : "bias scaled", "y");
    made a = fused(&m, T * D);
    CU_ASSERT_TRUE(a.n_nodes == 1 && a.of_op[EE_OP_LAYER_NORM] == 1);
  }
}

static void a_normalisation_without_scale_and_bias_becomes_one_too(void) {
  maker m;
  start(&m);
  add_quotient(&m, "Mul", "d d");
  add_node(&m, "Identity", "quotient", "y");
  made a = fused(&m, T * D);
  CU_ASSERT_TRUE(a.n_nodes == 1 && a.of_op[EE_OP_LAYER_NORM] == 1);
}

/* A scale for each position is none of a row; the square may be of something else. */
static void what_only_resembles_a_normalisation_is_left(void) {
  maker m;
  start(&m);
  maker_floats(&m, "positions", 2, (int64_t[]){T, 1}, random_floats(&m, T, 1));
  add_quotient(&m, "Mul", "d d");
  add_node(&m, "Mul", "quotient positions", "y");
  made a = fused(&m, T * D);
  CU_ASSERT_TRUE(a.n_nodes == 2 && a.of_op[EE_OP_LAYER_NORM] == 1 && a.of_op[EE_OP_MUL] == 1);

  const char *const others[] = {"x x", "d x"};
  for (int i = 0; i < 2; i++) {
    start(&m);
    add_quotient(&m, "Mul", others[i]);
    scalar(&m, "far", 10.0f);
    m.node[4]->input = maker_words(&m, "variance far", &m.node[4]->n_input);
    add_node(&m, "Identity", "quotient", "y");
    CU_ASSERT_EQUAL(fused(&m, T * D).of_op[EE_OP_LAYER_NORM], 0);
  }
}

/* x/2 (1 + erf(x / sqrt 2)), whose products stand in the order of @p first and @p second. */
static void add_gelu(maker *m, const char *first, const char *second, float root) {
  scalar(m, "half", 0.5f);
  scalar(m, "one", 1.0f);
  scalar(m, "root", root);
  add_node(m, "Div", "x root", "u");
  add_node(m, "Erf", "u", "erf");
  add_node(m, "Add", "erf one", "gate");
  add_node(m, "Mul", first, "product");
  add_node(m, "Mul", second, "y");
}

static void an_exact_gelu_becomes_one_activation(void) {
  static const char *const order[][2] = {{"x gate", "product half"},
                                         {"gate x", "half product"},
                                         {"x half", "product gate"},
                                         {"half gate", "x product"}};
  for (int i = 0; i < 4; i++) {
    maker m;
    start(&m);
    add_gelu(&m, order[i][0], order[i][1], 1.41421356f);
    made a = fused(&m, T * D);
    CU_ASSERT_TRUE(a.n_nodes == 1 && a.of_act[EE_ACT_GELU] == 1);
  }
}

static void what_only_resembles_a_gelu_is_left(void) {
  maker m;
  start(&m);
  add_gelu(&m, "x gate", "product half", 1.5f);
  CU_ASSERT_EQUAL(fused(&m, T * D).of_act[EE_ACT_GELU], 0);
  start(&m);
  add_gelu(&m, "u gate", "product half", 1.41421356f);
  CU_ASSERT_EQUAL(fused(&m, T * D).of_act[EE_ACT_GELU], 0);
}

/* With the cube as a power or as products. */
static void a_gelu_by_tanh_becomes_one_activation(void) {
  for (int power = 0; power < 2; power++) {
    maker m;
    start(&m);
    scalar(&m, "half", 0.5f);
    scalar(&m, "one", 1.0f);
    scalar(&m, "three", 3.0f);
    scalar(&m, "cubic", 0.044715f);
    scalar(&m, "root", 0.79788456f);
    add_node(&m, "Mul", "x x", "square");
    add_node(&m, power ? "Pow" : "Mul", power ? "x three" : "x square", "cube");
    add_node(&m, "Mul", "cube cubic", "more");
    add_node(&m, "Add", "x more", "sum");
    add_node(&m, "Mul", "root sum", "inner");
    add_node(&m, "Tanh", "inner", "tanh");
    add_node(&m, "Add", "one tanh", "gate");
    add_node(&m, "Mul", "x half", "product");
    add_node(&m, "Mul", "product gate", "y");
    made a = fused(&m, T * D);
    CU_ASSERT_TRUE(a.n_nodes == 1 && a.of_act[EE_ACT_GELU_TANH] == 1);
  }
}

static void the_bias_of_a_linear_layer_joins_its_product(void) {
  const int64_t shape[][3] = {{D}, {1, 1, D}, {T, 1}};
  const int     rank[]     = {1, 3, 2};
  for (int i = 0; i < 3; i++) {
    maker m;
    start(&m);
    maker_floats(&m, "w", 2, matrix, random_floats(&m, D * D, 1));
    maker_floats(&m, "b", rank[i], shape[i], random_floats(&m, D, 2));
    add_node(&m, "MatMul", "x w", "product");
    add_node(&m, "Add", "b product", "sum");
    add_node(&m, "Relu", "sum", "y");
    made a = fused(&m, T * D);
    CU_ASSERT_EQUAL(a.n_nodes, i < 2 ? 1 : 2);
    CU_ASSERT_EQUAL(a.of_act[EE_ACT_RELU], 1);
  }
}

/* How an export may write attention down. */
typedef struct form {
  const char *scale_in, *scale_op;  // value that is scaled: "scores", "q3", "k3" or none
  bool        mask, keys_at_once;
} form;

static void add_transpose(maker *m, const char *in, const char *out, const int64_t perm[4]) {
  maker_list(m, maker_node(m, "Transpose", in, out), "perm", 4, perm);
}

/* A value called @p in goes on as @p out, scaled if the form says so. */
static void pass_on(maker *m, const form *f, const char *in, const char *out) {
  char list[64];
  bool scaled = f->scale_in != NULL && strcmp(f->scale_in, in) == 0;
  snprintf(list, sizeof list, scaled ? "%s factor" : "%s", in);
  add_node(m, scaled ? f->scale_op : "Identity", list, out);
}

/* Queries, keys and values from x by matrices of their own, in heads. */
static void add_operand(maker *m, const form *f, const char *letter, const int64_t perm[4],
                        uint64_t seed) {
  char w[8], in[16], flat[8], split[8], turned[8], last[8];
  snprintf(w, sizeof w, "w%s", letter);
  snprintf(in, sizeof in, "x w%s", letter);
  snprintf(flat, sizeof flat, "%s1", letter);
  snprintf(split, sizeof split, "%s2", letter);
  snprintf(turned, sizeof turned, "%s3", letter);
  snprintf(last, sizeof last, "%s4", letter);
  maker_floats(m, w, 2, matrix, random_floats(m, D * D, seed));
  add_node(m, "MatMul", in, flat);
  snprintf(in, sizeof in, "%s heads", flat);
  add_node(m, "Reshape", in, split);
  add_transpose(m, split, turned, perm);
  pass_on(m, f, turned, last);
}

static void add_attention(maker *m, const form *f) {
  static const int64_t forth[] = {0, 2, 1, 3}, keys[] = {0, 2, 3, 1}, turn[] = {0, 1, 3, 2};
  maker_ints(m, "heads", 4, (int64_t[]){0, 0, H, D / H});
  maker_ints(m, "together", 3, (int64_t[]){0, 0, D});
  scalar(m, "factor", 0.6f);
  maker_floats(m, "mask", 2, (int64_t[]){T, T}, random_floats(m, T * T, 9));
  add_operand(m, f, "q", forth, 1);
  add_operand(m, f, "k", f->keys_at_once ? keys : forth, 2);
  add_operand(m, f, "v", forth, 3);
  if (!f->keys_at_once) add_transpose(m, "k4", "k5", turn);
  add_node(m, "MatMul", f->keys_at_once ? "q4 k4" : "q4 k5", "scores");
  pass_on(m, f, "scores", "scaled");
  add_node(m, f->mask ? "Add" : "Identity", f->mask ? "mask scaled" : "scaled", "masked");
  maker_int(m, maker_node(m, "Softmax", "masked", "p"), "axis", -1);
  add_node(m, "MatMul", "p v4", "mix");
  add_transpose(m, "mix", "back", forth);
  add_node(m, "Reshape", "back together", "y");
}

static void attention_becomes_one_node_however_it_is_scaled_and_masked(void) {
  static const form forms[] = {
      {NULL, NULL, false, false},     {"scores", "Div", false, true},
      {"scores", "Mul", true, false}, {"q3", "Mul", true, true},
      {"k3", "Div", false, false},    {"k3", "Mul", true, true},
      {"scores", "Div", true, false},
  };
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    maker m;
    start(&m);
    add_attention(&m, &forms[i]);
    made a = fused(&m, T * D);
    CU_ASSERT_TRUE(a.n_nodes == 4 && a.of_op[EE_OP_ATTENTION] == 1 && a.of_op[EE_OP_MATMUL] == 3);
  }
}

/* Scaled values, a softmax over the wrong axis, and scores that are an output too. */
static void what_only_resembles_attention_is_left(void) {
  const form values = {"v3", "Mul", false, true}, plain = {NULL, NULL, false, true};
  maker      m;
  start(&m);
  add_attention(&m, &values);
  CU_ASSERT_EQUAL(fused(&m, T * D).of_op[EE_OP_ATTENTION], 0);
  start(&m);
  add_attention(&m, &plain);
  for (size_t i = 0; i < m.graph.n_node; i++) {
    if (strcmp(m.node[i]->op_type, "Softmax") == 0) m.node[i]->attribute[0]->i = 2;
  }
  CU_ASSERT_EQUAL(fused(&m, T * D).of_op[EE_OP_ATTENTION], 0);
}

/* Softmax of known scores, by loops of its own: x itself is query, key and value of one head. */
static void attention_is_its_definition(void) {
  maker     m;
  ee_model *model;
  float     y[T * D];
  start(&m);
  maker_ints(&m, "heads", 4, (int64_t[]){0, 0, 1, D});
  maker_ints(&m, "together", 3, (int64_t[]){0, 0, D});
  add_node(&m, "Reshape", "x heads", "split");
  add_transpose(&m, "split", "q", (int64_t[]){0, 2, 1, 3});
  add_transpose(&m, "split", "k", (int64_t[]){0, 2, 3, 1});
  add_node(&m, "MatMul", "q k", "scores");
  add_node(&m, "Softmax", "scores", "p");
  add_node(&m, "MatMul", "p q", "mix");
  add_transpose(&m, "mix", "back", (int64_t[]){0, 2, 1, 3});
  add_node(&m, "Reshape", "back together", "y");
  maker_output(&m, "y");
  const float *x = random_floats(&m, T * D, 4);
  CU_ASSERT_EQUAL_FATAL(maker_import(&m, NULL, &model), EE_OK);
  CU_ASSERT_EQUAL(model->n_nodes, 1);
  CU_ASSERT_EQUAL(maker_run(model, 0, x, 1, y, T * D), EE_OK);
  for (int t = 0; t < T; t++) {
    double weight[T] = {0}, total = 0.0;
    for (int s = 0; s < T; s++) {
      double score = 0.0;
      for (int i = 0; i < D; i++) score += (double)x[t * D + i] * (double)x[s * D + i];
      total += weight[s] = exp(score);
    }
    for (int i = 0; i < D; i++) {
      double sum = 0.0;
      for (int s = 0; s < T; s++) sum += weight[s] / total * (double)x[s * D + i];
      CU_ASSERT_DOUBLE_EQUAL(y[t * D + i], sum, 1e-6);
    }
  }
  ee_model_destroy(&model);
  maker_end(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_layer_normalisation_becomes_one_node),
    EE_FACT(a_normalisation_without_scale_and_bias_becomes_one_too),
    EE_FACT(what_only_resembles_a_normalisation_is_left),
    EE_FACT(an_exact_gelu_becomes_one_activation),
    EE_FACT(what_only_resembles_a_gelu_is_left),
    EE_FACT(a_gelu_by_tanh_becomes_one_activation),
    EE_FACT(the_bias_of_a_linear_layer_joins_its_product),
    EE_FACT(attention_becomes_one_node_however_it_is_scaled_and_masked),
    EE_FACT(what_only_resembles_attention_is_left),
    EE_FACT(attention_is_its_definition),
    {NULL, NULL},
};
