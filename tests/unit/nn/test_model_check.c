/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged and hostile graphs: each is refused, and the sentence names the node or value. */
#include <limits.h>
#include <math.h>

#include "ee/model.h"
#include "ee_test.h"
#include "graph_maker.h"

/* input -> a (Conv) -> r (Relu) -> s (Add of r and a) -> early; -> b (Conv) -> final */
static ee_model *sound(void) {
  ee_model *m = maker_begin(3, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input);
  int       s = maker_add(m, "s", maker_relu(m, "r", a), a);
  maker_head(m, "early", s);
  maker_head(m, "final", maker_conv(m, "b", s));
  return m;
}

static ee_node *node_of(ee_model *m, const char *name) {
  return (ee_node *)(uintptr_t)maker_find(m, name);
}

static ee_value *made_by(ee_model *m, const char *name) {
  return &m->value[node_of(m, name)->out];
}

/* Finish and destroy @p m: it must be refused with every one of @p words in the message. */
static void refused(ee_model *m, const char *word, const char *another) {
  CU_ASSERT_EQUAL(ee_model_finish(m), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), word));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), another));
  ee_model_destroy(&m);
}

static void a_sound_graph_is_accepted(void) {
  ee_model *m = sound();
  CU_ASSERT_EQUAL(ee_model_finish(m), EE_OK);
  ee_model_destroy(&m);
}

static void a_cycle_is_refused(void) {
  ee_model *m            = sound();
  node_of(m, "r")->in[0] = node_of(m, "s")->out;
  refused(m, "'r'", "'s'");
  m                      = sound();
  node_of(m, "r")->in[0] = node_of(m, "r")->out;
  refused(m, "'r'", "cycle");
}

static void nodes_out_of_order_are_refused(void) {
  ee_model *m    = sound();
  ee_node   swap = m->node[0];
  m->node[0]     = m->node[1];
  m->node[1]     = swap;
  refused(m, "'r'", "'a'");
}

static void an_index_outside_the_values_is_refused(void) {
  const int bad[] = {-2, -1, 1000000, INT_MAX, INT_MIN};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ee_model *m            = sound();
    node_of(m, "s")->in[1] = bad[i];
    refused(m, "'s'", "input 1");
    m                    = sound();
    node_of(m, "s")->out = bad[i];
    refused(m, "'s'", "writes");
    m                 = sound();
    m->exit[0].logits = bad[i];
    refused(m, "'early'", "logits");
    m        = sound();
    m->input = bad[i];
    refused(m, "'net'", "input");
  }
}

static void a_value_made_twice_is_refused(void) {
  ee_model *m          = sound();
  node_of(m, "r")->out = node_of(m, "a")->out;
  refused(m, "'a'", "'r'");
}

static void a_node_that_writes_the_input_or_a_constant_is_refused(void) {
  ee_model *m          = sound();
  node_of(m, "r")->out = m->input;
  refused(m, "'r'", "writes");
  m                    = sound();
  node_of(m, "r")->out = node_of(m, "a")->in[1];
  refused(m, "'r'", "writes");
}

static void a_node_that_no_exit_needs_is_refused(void) {
  ee_model *m = sound();
  maker_relu(m, "idle", node_of(m, "a")->out);
  refused(m, "'idle'", "no exit");
}

static void an_input_that_no_exit_needs_is_refused(void) {
  ee_model *m            = sound();
  m->batched             = false;
  node_of(m, "a")->in[0] = maker_constant(m, "fixed", SHAPE(1, 2, 4, 4));
  refused(m, "'input'", "no exit");
}

static void an_exit_before_one_it_is_computed_from_is_refused(void) {
  ee_model *m   = maker_begin(3, SHAPE(1, 3));
  int       one = maker_gemm(m, "one", m->input, 3);
  maker_exit(m, "deep", maker_gemm(m, "two", one, 3));
  maker_exit(m, "shallow", one);
  refused(m, "'deep'", "'shallow'");
}

static void two_exits_with_the_same_logits_are_refused(void) {
  ee_model *m       = sound();
  m->exit[0].logits = m->exit[1].logits;
  refused(m, "'final'", "another exit");
}

/* The sound graph with a score of "early" on s. */
static ee_model *scored(void) {
  ee_model *m = sound();
  m->n_exits  = 1;  // so that it is the newest
  maker_score(m, node_of(m, "s")->out);
  m->n_exits = 2;
  return m;
}

static void a_score_is_one_number_that_one_early_exit_computes(void) {
  const int bad[] = {-1, INT_MIN, INT_MAX};
  ee_model *m     = scored();
  CU_ASSERT_EQUAL(ee_model_finish(m), EE_OK);
  ee_model_destroy(&m);
  for (int k = 0; k < 3; k++) {
    m                = scored();
    m->exit[0].score = bad[k];
    refused(m, "score of exit 'early' is value", "nobody computes");
  }
  m                = scored();
  m->exit[0].score = m->input;
  refused(m, "'early'", "nobody computes");
  m                = scored();
  m->exit[0].score = m->exit[0].logits;
  refused(m, "'early'", "another output too");
  m                = scored();
  m->exit[0].score = node_of(m, "s")->out;
  refused(m, "the score 's' of exit 'early' has shape [1, 2, 4, 4]", "one number");
  m                    = scored();
  m->exit[1].has_score = true;
  m->exit[1].score     = m->exit[0].score;
  m->exit[0].has_score = false;
  refused(m, "'final' is the last one", "no score");
  m     = maker_begin(3, SHAPE(1, 4));
  int a = maker_gemm(m, "a", m->input, 4);
  maker_head(m, "early", a);
  maker_score(m, a);
  maker_head(m, "twin", a);
  m->exit[1].has_score = true;
  m->exit[1].score     = m->exit[0].score;
  maker_head(m, "final", maker_gemm(m, "b", a, 4));
  refused(m, "'early.score' of exit 'twin'", "another output too");
}

static void logits_of_another_number_of_classes_are_refused(void) {
  ee_model *m  = sound();
  m->n_classes = 4;
  refused(m, "'early'", "4 classes");
}

static void impossible_shapes_are_refused(void) {
  const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX, INT64_C(1) << 40};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ee_model *m                   = sound();
    made_by(m, "r")->shape.dim[2] = bad[i];
    refused(m, "'r'", "impossible shape");
  }
  const int rank[] = {-1, EE_MAX_RANK + 1, INT_MAX};
  for (size_t i = 0; i < sizeof rank / sizeof rank[0]; i++) {
    ee_model *m                 = sound();
    made_by(m, "r")->shape.rank = rank[i];
    refused(m, "'r'", "dimensions");
  }
}

static void a_batched_value_must_be_of_one_sample(void) {
  ee_model *m                   = sound();
  made_by(m, "r")->shape.dim[0] = 2;
  refused(m, "'r'", "begins with 1");
}

static void unknown_kinds_and_operators_are_refused(void) {
  ee_model *m           = sound();
  made_by(m, "r")->kind = (ee_value_kind)7;
  refused(m, "'r'", "kind 7");
  m                   = sound();
  node_of(m, "r")->op = EE_OP_COUNT;
  refused(m, "'r'", "unknown operator");
  m                         = sound();
  node_of(m, "r")->act.kind = (ee_act)-3;
  refused(m, "'r'", "activation -3");
  m                     = sound();
  made_by(m, "r")->kind = EE_VALUE_INPUT;
  refused(m, "'r'", "second input");
}

static void a_wrong_number_of_inputs_is_refused(void) {
  const int bad[] = {-1, 0, 1, 3, EE_MAX_NODE_INPUTS + 1, INT_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ee_model *m           = sound();
    node_of(m, "s")->n_in = bad[i];
    refused(m, "'s'", "inputs");
  }
}

static void names_without_an_end_are_refused(void) {
  ee_model *m = sound();
  memset(made_by(m, "r")->name, 'x', EE_NAME_BYTES);
  refused(m, "name", "too long");
  m = sound();
  memset(node_of(m, "r")->name, 'x', EE_NAME_BYTES);
  refused(m, "name", "too long");
  m = sound();
  memset(m->exit[0].name, 'x', EE_NAME_BYTES);
  refused(m, "name", "too long");
  m = sound();
  memset(m->name, 'x', EE_NAME_BYTES);
  refused(m, "name", "too long");
}

static void wrong_numbers_are_refused(void) {
  ee_model *m            = sound();
  m->exit[1].temperature = NAN;
  refused(m, "'final'", "temperature");
  m                      = sound();
  m->exit[1].temperature = -1.0f;
  refused(m, "'final'", "temperature");
  m                   = sound();
  m->preprocess.scale = INFINITY;
  refused(m, "scale", "preprocessing");
}

static ee_model *with_preprocessing(int n_channels, float std) {
  ee_model *m              = sound();
  m->preprocess.n_channels = n_channels;
  m->preprocess.mean       = calloc(8, sizeof(float));
  m->preprocess.std        = calloc(8, sizeof(float));
  for (int c = 0; c < 8; c++) m->preprocess.std[c] = c == 1 ? std : 1.0f;
  return m;
}

static void preprocessing_must_fit_the_input(void) {
  refused(with_preprocessing(3, 1.0f), "3 channels", "has 2");
  refused(with_preprocessing(-1, 1.0f), "-1 channels", "has 2");
  refused(with_preprocessing(2, 0.0f), "channel 1", "deviation");
  refused(with_preprocessing(2, NAN), "channel 1", "deviation");
  ee_model *m = with_preprocessing(2, 0.5f);
  CU_ASSERT_EQUAL(ee_model_finish(m), EE_OK);
  ee_model_destroy(&m);
}

static void a_graph_of_nothing_is_refused(void) {
  ee_model *m = sound();
  m->n_exits  = 0;
  refused(m, "'net'", "0 exits");
  m          = sound();
  m->n_nodes = -1;
  refused(m, "'net'", "-1 nodes");
  m            = sound();
  m->n_classes = 0;
  refused(m, "'net'", "0 classes");
}

const ee_fact ee_facts[] = {
    EE_FACT(a_sound_graph_is_accepted),
    EE_FACT(a_cycle_is_refused),
    EE_FACT(nodes_out_of_order_are_refused),
    EE_FACT(an_index_outside_the_values_is_refused),
    EE_FACT(a_value_made_twice_is_refused),
    EE_FACT(a_node_that_writes_the_input_or_a_constant_is_refused),
    EE_FACT(a_node_that_no_exit_needs_is_refused),
    EE_FACT(an_input_that_no_exit_needs_is_refused),
    EE_FACT(an_exit_before_one_it_is_computed_from_is_refused),
    EE_FACT(two_exits_with_the_same_logits_are_refused),
    EE_FACT(a_score_is_one_number_that_one_early_exit_computes),
    EE_FACT(logits_of_another_number_of_classes_are_refused),
    EE_FACT(impossible_shapes_are_refused),
    EE_FACT(a_batched_value_must_be_of_one_sample),
    EE_FACT(unknown_kinds_and_operators_are_refused),
    EE_FACT(a_wrong_number_of_inputs_is_refused),
    EE_FACT(names_without_an_end_are_refused),
    EE_FACT(wrong_numbers_are_refused),
    EE_FACT(preprocessing_must_fit_the_input),
    EE_FACT(a_graph_of_nothing_is_refused),
    {NULL, NULL},
};
