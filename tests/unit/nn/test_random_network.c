/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of known shape: what is published of them, and weights that can be run. */
#include <math.h>
#include <string.h>

#include "ee/exec.h"
#include "ee/random_network.h"
#include "ee_test.h"

static ee_model *make(const char *name, int blocks, const int *after, int n_early, uint64_t seed) {
  ee_random_network network = {
      .name = name, .blocks = blocks, .after = after, .n_early = n_early, .seed = seed};
  ee_model *m = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_random_network_make(&network, &m), EE_OK);
  return m;
}

static void resnet50_has_its_published_weights_and_multiplications(void) {
  ee_model *m       = make("resnet50", 0, NULL, 0, 1);
  int64_t   weights = 0, biases = 0;
  double    flops = 0.0;
  for (int i = 0; i < m->n_nodes; i++) {
    for (int k = 1; k < m->node[i].n_in && m->node[i].op != EE_OP_ADD; k++) {
      int64_t n = ee_shape_elements(&m->value[m->node[i].in[k]].shape);
      *(k == 1 ? &weights : &biases) += n;
    }
  }
  for (int l = 0; l < m->n_layers; l++) flops += m->layer[l].flops;
  // 25,557,032 parameters, of which 2 * 26,560 scale and shift; here 26,560 shifts are biases
  CU_ASSERT_EQUAL(weights + biases, 25557032 - 26560);
  CU_ASSERT_EQUAL(biases, 26560 + 1000);
  CU_ASSERT_TRUE(fabs(flops / 2.0 - 4.089e9) < 0.01 * 4.089e9);
  CU_ASSERT_EQUAL(m->n_layers, 54);
  ee_model_destroy(&m);
}

static void vgg16_has_its_published_weights_and_multiplications(void) {
  static const int after[] = {4, 10};
  ee_model        *m       = make("vgg16", 0, after, 2, 1);
  int64_t          weights = 0;
  double           flops   = 0.0;
  for (int l = 0; l < m->n_layers; l++) {
    weights += (int64_t)(m->layer[l].weight_bytes / sizeof(float));
    flops += m->layer[l].flops;
  }
  CU_ASSERT_EQUAL(weights, 138357544 + (128 + 1) * 1000 + (512 + 1) * 1000);
  CU_ASSERT_TRUE(fabs(flops / 2.0 - 15.47e9) < 0.01 * 15.47e9);
  CU_ASSERT_EQUAL(m->n_layers, 16);
  CU_ASSERT_EQUAL(m->exit[0].attach, 3);
  CU_ASSERT_EQUAL(m->exit[1].attach, 9);
  ee_model_destroy(&m);
}

/* 109,482,240 with 512 positions and 2 kinds of text, without a classifier. */
static void bert_has_its_published_weights_and_multiplications(void) {
  ee_model *m       = make("bert", 0, NULL, 0, 1);
  int64_t   weights = 0;
  double    flops   = 0.0;
  for (int v = 0; v < m->n_values; v++) {
    if (m->value[v].kind == EE_VALUE_CONSTANT && m->value[v].shape.rank > 0)
      weights += ee_shape_elements(&m->value[v].shape);
  }
  for (int l = 0; l < m->n_layers; l++) flops += m->layer[l].flops;
  CU_ASSERT_EQUAL(weights, 109482240 - (512 - 128) * 768 - 2 * 768 + 768 * 2 + 2);
  CU_ASSERT_TRUE(fabs(flops / 2.0 - 11.17e9) < 0.01 * 11.17e9);
  CU_ASSERT_EQUAL(m->n_layers, 1 + 12 * 6 + 2);
  CU_ASSERT_EQUAL(ee_model_ids(m), 30522);
  ee_model_destroy(&m);
}

static void a_small_bert_leaves_after_its_first_block(void) {
  static const int after[] = {1};
  ee_model        *m       = make("bert_tiny", 0, after, 1, 1);
  ee_resident     *res     = NULL;
  ee_exec         *exec    = NULL;
  const float     *early, *last;
  float            ids[128];
  for (int i = 0; i < 128; i++) ids[i] = (float)(i * 237);
  CU_ASSERT_EQUAL(ee_model_check_ids(m, ids, 1), EE_OK);
  CU_ASSERT_EQUAL(m->exit[0].attach, 6);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, ee_backend_by_name("ref"), &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, m->n_layers, 1, &exec), EE_OK);
  memcpy(ee_exec_input(exec, m->input), ids, sizeof ids);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, 7, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 0, 1, &early), EE_OK);
  CU_ASSERT_TRUE(isfinite(early[0]) && fabsf(early[0] - early[1]) > 1e-4f);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 7, m->n_layers, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 1, 1, &last), EE_OK);
  CU_ASSERT_TRUE(isfinite(last[0]) && fabsf(last[0] - last[1]) > 1e-4f);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

static void exits_stand_after_their_blocks(void) {
  static const int after[] = {4, 8};
  ee_model        *m       = make("resnet50", 0, after, 2, 1);
  CU_ASSERT_EQUAL(m->n_exits, 3);
  for (int e = 0; e < 2; e++) {
    char last[32];
    snprintf(last, sizeof last, "block%d", after[e]);
    int deepest = -1;
    for (int i = 0; i < m->n_nodes; i++) {
      if (strcmp(m->node[i].name, last) == 0) deepest = m->node[i].layer;
    }
    CU_ASSERT_EQUAL(m->exit[e].attach, deepest);
  }
  CU_ASSERT_EQUAL(m->exit[2].attach, m->n_layers - 1);
  ee_model_destroy(&m);
}

static float run_final(const ee_model *m, float *spread) {
  ee_resident *res  = NULL;
  ee_exec     *exec = NULL;
  const float *z;
  float        in[16 * 64];
  for (int i = 0; i < 16 * 64; i++) in[i] = sinf((float)i);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, ee_backend_by_name("ref"), &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, m->n_layers, 1, &exec), EE_OK);
  memcpy(ee_exec_input(exec, m->input), in, sizeof in);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, m->n_layers, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, m->n_exits - 1, 1, &z), EE_OK);
  *spread     = fabsf(z[0] - z[1]);
  float first = z[0];
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
  return first;
}

static void forty_layers_keep_activations_in_range(void) {
  float     spread;
  ee_model *m = make("plain", 40, NULL, 0, 3);
  float     z = run_final(m, &spread);
  CU_ASSERT_TRUE(isfinite(z) && spread > 1e-4f && spread < 1e3f);
  ee_model_destroy(&m);
}

static void seeds_make_the_weights(void) {
  float     spread;
  ee_model *a = make("plain", 3, NULL, 0, 1), *b = make("plain", 3, NULL, 0, 1);
  ee_model *c = make("plain", 3, NULL, 0, 2);
  CU_ASSERT_EQUAL(run_final(a, &spread), run_final(b, &spread));
  CU_ASSERT_NOT_EQUAL(run_final(a, &spread), run_final(c, &spread));
  ee_model_destroy(&a);
  ee_model_destroy(&b);
  ee_model_destroy(&c);
}

static void what_cannot_be_made_is_refused(void) {
  static const int falling[] = {3, 2}, last[] = {4};
  const struct {
    ee_random_network network;
    const char       *says;
  } refused[] = {{{.name = "vgg99"}, "there are: resnet50, vgg16, plain, "},
                 {{.name = "plain", .blocks = 0}, "0 blocks"},
                 {{.name = "plain", .blocks = 4, .after = falling, .n_early = 2}, "after block 2"},
                 {{.name = "plain", .blocks = 4, .after = last, .n_early = 1}, "from 1 to 3"}};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    ee_model *m = NULL;
    CU_ASSERT_EQUAL(ee_random_network_make(&refused[i].network, &m), EE_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), refused[i].says));
    CU_ASSERT_PTR_NULL(m);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(resnet50_has_its_published_weights_and_multiplications),
    EE_FACT(vgg16_has_its_published_weights_and_multiplications),
    EE_FACT(bert_has_its_published_weights_and_multiplications),
    EE_FACT(a_small_bert_leaves_after_its_first_block),
    EE_FACT(exits_stand_after_their_blocks),
    EE_FACT(forty_layers_keep_activations_in_range),
    EE_FACT(seeds_make_the_weights),
    EE_FACT(what_cannot_be_made_is_refused),
    {NULL, NULL},
};
