/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/model.h"

#include "ee_test.h"
#include "graph_maker.h"

static int layer_of(const ee_model *m, const char *name) {
  const ee_node *node = maker_find(m, name);
  return node != NULL ? node->layer : -2;
}

/* Whether the values alive across @p cut are exactly those of @p names, ended by NULL. */
static bool cut_is(const ee_model *m, int cut, const char *const *names) {
  int        n, i = 0;
  const int *value = ee_model_cut_values(m, cut, &n);
  while (i < n && names[i] != NULL && strcmp(m->value[value[i]].name, names[i]) == 0) i++;
  return i == n && names[i] == NULL;
}

#define CUT_IS(m, cut, ...) cut_is((m), (cut), (const char *const[]){__VA_ARGS__, NULL})

static void a_chain_has_a_layer_for_each_node_with_weights(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       x = maker_relu(m, "early", m->input);
  x           = maker_relu(m, "after", maker_conv(m, "first", x));
  x           = maker_conv(m, "second", x);
  maker_head(m, "final", x);

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->n_layers, 3);
  CU_ASSERT_STRING_EQUAL(m->layer[0].name, "first");
  CU_ASSERT_STRING_EQUAL(m->layer[1].name, "second");
  CU_ASSERT_STRING_EQUAL(m->layer[2].name, "final");
  CU_ASSERT_EQUAL(layer_of(m, "early"), 0);
  CU_ASSERT_EQUAL(layer_of(m, "after"), 0);
  CU_ASSERT_EQUAL(layer_of(m, "final.flat"), 1);
  CU_ASSERT_TRUE(CUT_IS(m, 0, "input"));
  CU_ASSERT_TRUE(CUT_IS(m, 1, "after"));
  CU_ASSERT_TRUE(CUT_IS(m, 2, "final.flat"));
  int n;
  ee_model_cut_values(m, 3, &n);
  CU_ASSERT_EQUAL(n, 0);
  CU_ASSERT_EQUAL(ee_model_cut_bytes(m, 1), 2 * 4 * 4 * sizeof(float));
  CU_ASSERT_EQUAL(m->exit[0].temperature, 1.0f);
  ee_model_destroy(&m);
  CU_ASSERT_PTR_NULL(m);
}

static void a_skip_stays_alive_across_the_cuts_it_jumps(void) {
  ee_model *m    = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       skip = maker_conv(m, "skip", m->input);
  int       x    = maker_conv(m, "b", maker_conv(m, "a", skip));
  maker_head(m, "final", maker_add(m, "sum", x, skip));

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_TRUE(CUT_IS(m, 1, "skip"));
  CU_ASSERT_TRUE(CUT_IS(m, 2, "skip", "a"));
  CU_ASSERT_TRUE(CUT_IS(m, 3, "final.flat"));
  ee_model_destroy(&m);
}

static void a_head_runs_after_the_last_layer_that_it_reads(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input), b = maker_conv(m, "b", a), c = maker_conv(m, "c", b);
  maker_head(m, "early", maker_add(m, "both", a, b));
  maker_head(m, "final", c);

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->exit[0].attach, 1);
  CU_ASSERT_EQUAL(m->exit[1].attach, 3);
  CU_ASSERT_EQUAL(layer_of(m, "both"), -1);
  CU_ASSERT_EQUAL(maker_find(m, "both")->exit, 0);
  CU_ASSERT_TRUE(CUT_IS(m, 1, "a"));  // for the head: layer b itself reads it too
  CU_ASSERT_TRUE(CUT_IS(m, 2, "b"));
  CU_ASSERT_TRUE(m->head_flops[0] > 0.0 && m->head_flops[1] == 0.0);
  ee_model_destroy(&m);
}

static void a_value_that_only_a_head_reads_stays_alive_until_its_layer(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input), r = maker_relu(m, "r", a);
  int       b = maker_conv(m, "b", a), c = maker_conv(m, "c", b);
  maker_head(m, "early", maker_add(m, "both", m->input, c));
  maker_head(m, "final", maker_add(m, "sum", c, r));

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->exit[0].attach, 2);
  CU_ASSERT_TRUE(CUT_IS(m, 2, "input", "r", "b"));
  CU_ASSERT_TRUE(CUT_IS(m, 3, "final.flat"));
  ee_model_destroy(&m);
}

/* Early reads layer a, its score layer b: the head runs after b, and costs both. */
static void a_score_belongs_to_the_head_of_its_exit(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 4));
  int       a = maker_gemm(m, "a", m->input, 4), b = maker_gemm(m, "b", a, 4);
  maker_head(m, "early", a);
  CU_ASSERT_FALSE(ee_model_has_scores(m));
  maker_score(m, b);
  maker_head(m, "final", maker_gemm(m, "c", b, 4));

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_TRUE(ee_model_has_scores(m));
  CU_ASSERT_EQUAL(m->exit[0].attach, 1);
  CU_ASSERT_EQUAL(layer_of(m, "early.score"), -1);
  CU_ASSERT_EQUAL(maker_find(m, "early.score")->exit, 0);
  CU_ASSERT_TRUE(CUT_IS(m, 1, "a"));
  CU_ASSERT_TRUE(CUT_IS(m, 2, "b"));
  CU_ASSERT_EQUAL(m->head_flops[0], 2.0 * 4 * 3 + 2.0 * 4 * 1);
  size_t own = 4 * 4 + 4, heads = (4 * 3 + 3) + (4 * 1 + 1);
  CU_ASSERT_EQUAL(m->layer[1].weight_bytes, (own + heads) * sizeof(float));
  ee_model_destroy(&m);
}

/* Layer 0 makes the score of an exit that stands after layer 2, and only layer 1 reads it too. */
static void a_score_stays_alive_until_its_exit(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 4));
  int       g = maker_gemm(m, "g", m->input, 1);
  int       b = maker_gemm(m, "b", g, 4), c = maker_gemm(m, "c", b, 4);
  maker_head(m, "early", c);
  m->exit[0].has_score = true;
  m->exit[0].score     = g;
  maker_head(m, "final", maker_gemm(m, "d", c, 4));

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(layer_of(m, "g"), 0);
  CU_ASSERT_EQUAL(m->exit[0].attach, 2);
  CU_ASSERT_TRUE(CUT_IS(m, 2, "g", "b"));
  CU_ASSERT_TRUE(CUT_IS(m, 3, "c"));
  ee_model_destroy(&m);
}

static void an_exit_with_an_empty_head_stands_where_its_logits_are_made(void) {
  ee_model *m     = maker_begin(3, SHAPE(1, 3));
  int       early = maker_gemm(m, "early", m->input, 3), b = maker_gemm(m, "b", early, 4);
  maker_exit(m, "early", early);
  maker_exit(m, "final", maker_gemm(m, "final", b, 3));

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->n_layers, 3);
  CU_ASSERT_EQUAL(m->exit[0].attach, 0);
  CU_ASSERT_EQUAL(layer_of(m, "early"), 0);
  CU_ASSERT_EQUAL(m->head_flops[0], 0.0);
  ee_model_destroy(&m);
}

static void a_node_that_two_early_exits_share_belongs_to_a_layer(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 4));
  int       a = maker_gemm(m, "a", m->input, 4), b = maker_gemm(m, "b", a, 4);
  int       shared = maker_gemm(m, "shared", b, 4);
  maker_head(m, "one", shared);
  maker_head(m, "two", shared);
  maker_head(m, "final", b);

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(layer_of(m, "shared"), 2);
  CU_ASSERT_EQUAL(m->exit[0].attach, 2);
  CU_ASSERT_EQUAL(m->exit[1].attach, 2);
  CU_ASSERT_EQUAL(m->exit[2].attach, 3);
  ee_model_destroy(&m);
}

static void a_model_without_weights_has_one_layer(void) {
  ee_model *m = maker_begin(4, SHAPE(1, 4));
  maker_exit(m, "final", maker_relu(m, "b", maker_relu(m, "a", m->input)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->n_layers, 1);
  CU_ASSERT_EQUAL(m->layer[0].weight_bytes, 0);
  CU_ASSERT_STRING_EQUAL(m->layer[0].name, "net");
  CU_ASSERT_TRUE(CUT_IS(m, 0, "input"));
  ee_model_destroy(&m);

  m = maker_begin(4, SHAPE(1, 4));
  maker_exit(m, "final", m->input);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->n_layers, 1);
  CU_ASSERT_TRUE(CUT_IS(m, 0, "input"));
  ee_model_destroy(&m);
}

static void a_tied_constant_is_in_the_blob_of_every_layer_that_reads_it_once(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       w = maker_constant(m, "w", SHAPE(2, 2, 3, 3));
  int       x = maker_conv_with(m, "b", maker_conv_with(m, "a", m->input, w), w);
  int       y = maker_relu(m, "r", x);
  maker_head(m, "early", maker_conv_with(m, "inhead", y, w));
  maker_head(m, "final", y);

  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  size_t bytes = 2 * 2 * 3 * 3 * sizeof(float), head = (32 * 3 + 3) * sizeof(float);
  CU_ASSERT_EQUAL(m->layer[0].weight_bytes, bytes);
  CU_ASSERT_EQUAL(m->layer[1].weight_bytes, bytes + head);  // not twice for the head
  int *list, n;
  CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(m, 1, &list, &n), EE_OK);
  CU_ASSERT_EQUAL_FATAL(n, 3);
  CU_ASSERT_EQUAL(list[0], w);
  CU_ASSERT_STRING_EQUAL(m->value[list[1]].name, "early.w");
  CU_ASSERT_STRING_EQUAL(m->value[list[2]].name, "early.b");
  free(list);
  ee_model_destroy(&m);
}

/* The same structure from a file whose weights were not read. */
static void constants_need_no_data(void) {
  ee_model *m = maker_random(1), *bare = maker_random(1);
  for (int v = 0; v < bare->n_values; v++) {
    free(bare->value[v].data);
    bare->value[v].data = NULL;
  }
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(bare), EE_OK);
  CU_ASSERT_EQUAL(m->n_layers, bare->n_layers);
  CU_ASSERT_EQUAL(memcmp(m->node, bare->node, (size_t)m->n_nodes * sizeof *m->node), 0);
  CU_ASSERT_EQUAL(memcmp(m->exit, bare->exit, (size_t)m->n_exits * sizeof *m->exit), 0);
  CU_ASSERT_EQUAL(memcmp(m->layer, bare->layer, (size_t)m->n_layers * sizeof *m->layer), 0);
  ee_model_destroy(&m);
  ee_model_destroy(&bare);
}

static void finishing_again_changes_nothing_and_keeps_profiled_seconds(void) {
  ee_model *m = maker_random(2);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  m->layer[1].seconds = 0.25;
  m->head_seconds[0]  = 0.5;
  int      n_layers   = m->n_layers;
  ee_layer layer      = m->layer[1];
  ee_node  node[MAKER_ROOM];
  memcpy(node, m->node, (size_t)m->n_nodes * sizeof *node);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL_FATAL(m->n_layers, n_layers);
  CU_ASSERT_EQUAL(memcmp(&layer, &m->layer[1], sizeof layer), 0);
  CU_ASSERT_EQUAL(m->head_seconds[0], 0.5);
  CU_ASSERT_EQUAL(memcmp(node, m->node, (size_t)m->n_nodes * sizeof *node), 0);
  ee_model_destroy(&m);
}

static void early_exits_are_sorted_by_the_layer_they_stand_after(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 4));
  int       a = maker_gemm(m, "a", m->input, 4), b = maker_gemm(m, "b", a, 4);
  maker_head(m, "deep", b);
  maker_head(m, "shallow", a);
  maker_head(m, "final", maker_gemm(m, "c", b, 4));
  m->head_seconds    = calloc(3, sizeof *m->head_seconds);
  m->head_seconds[0] = 2.0;
  m->head_seconds[1] = 1.0;
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_STRING_EQUAL(m->exit[0].name, "shallow");
  CU_ASSERT_STRING_EQUAL(m->exit[1].name, "deep");
  CU_ASSERT_EQUAL(maker_find(m, "shallow")->exit, 0);
  CU_ASSERT_EQUAL(maker_find(m, "deep")->exit, 1);
  CU_ASSERT_EQUAL(m->head_seconds[0], 1.0);
  CU_ASSERT_EQUAL(m->head_seconds[1], 2.0);
  ee_model_destroy(&m);
}

static void operators_are_found_by_name(void) {
  for (int op = 0; op < EE_OP_COUNT; op++) {
    CU_ASSERT_EQUAL(ee_op_by_name(ee_op_name((ee_op)op)), (ee_op)op);
  }
  for (int act = 0; act < EE_ACT_COUNT; act++) {
    CU_ASSERT_EQUAL(ee_act_by_name(ee_act_name((ee_act)act)), (ee_act)act);
  }
  CU_ASSERT_STRING_EQUAL(ee_op_name(EE_OP_MAX_POOL), "MaxPool");
  CU_ASSERT_EQUAL(ee_op_by_name("Maxpool"), EE_OP_COUNT);
  CU_ASSERT_EQUAL(ee_act_by_name(""), EE_ACT_COUNT);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_chain_has_a_layer_for_each_node_with_weights),
    EE_FACT(a_skip_stays_alive_across_the_cuts_it_jumps),
    EE_FACT(a_head_runs_after_the_last_layer_that_it_reads),
    EE_FACT(a_value_that_only_a_head_reads_stays_alive_until_its_layer),
    EE_FACT(a_score_belongs_to_the_head_of_its_exit),
    EE_FACT(a_score_stays_alive_until_its_exit),
    EE_FACT(an_exit_with_an_empty_head_stands_where_its_logits_are_made),
    EE_FACT(a_node_that_two_early_exits_share_belongs_to_a_layer),
    EE_FACT(a_model_without_weights_has_one_layer),
    EE_FACT(a_tied_constant_is_in_the_blob_of_every_layer_that_reads_it_once),
    EE_FACT(constants_need_no_data),
    EE_FACT(finishing_again_changes_nothing_and_keeps_profiled_seconds),
    EE_FACT(early_exits_are_sorted_by_the_layer_they_stand_after),
    EE_FACT(operators_are_found_by_name),
    {NULL, NULL},
};
