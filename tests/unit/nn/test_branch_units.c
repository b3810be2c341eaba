/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of branches taken apart: what lies side by side is found from the graph alone, and the
 * units together are, bit by bit, the whole. */
#include <math.h>

#include "branch_maker.h"
#include "ee/exec.h"
#include "ee/units.h"
#include "ee_test.h"
#include "unit_walk.h"

enum { MOST_EXITS = 5, CLASSES = 3, INPUT = 2 * 4 * 4 };

static ee_model *finished(ee_model *m) {
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static void random_input(int turn, float *input) {
  ee_rng rng = ee_rng_at(3, (uint64_t)turn);
  for (int i = 0; i < INPUT; i++) input[i] = (float)(ee_rng_uniform(&rng) - 0.5);
}

/* Logits and scores of all exits by the whole model. */
static void run_whole(const ee_model *m, const float *input, float *logits, float *score) {
  ee_resident *res  = NULL;
  ee_exec     *exec = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &ee_backend_ref, &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, m->n_layers, 1, &exec), EE_OK);
  memcpy(ee_exec_input(exec, m->input), input, INPUT * sizeof *input);
  for (int e = 0, at = 0; e < m->n_exits; e++) {
    const float *z;
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, at, m->exit[e].attach + 1, 1), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, e, 1, &z), EE_OK);
    memcpy(logits + e * CLASSES, z, CLASSES * sizeof *z);
    const float *s = ee_exec_score(exec, e);
    score[e]       = s != NULL ? *s : -1.0f;
    at             = m->exit[e].attach + 1;
  }
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
}

static void check_same(const ee_model *m, ee_units *units) {
  float input[INPUT], logits[2][MOST_EXITS * CLASSES], score[2][MOST_EXITS];
  walk  w;
  CU_ASSERT_EQUAL(ee_units_check(units, 1), EE_OK);
  walk_begin(units, &ee_backend_ref, &w);
  for (int turn = 0; turn < 3; turn++) {
    random_input(turn, input);
    run_whole(m, input, logits[0], score[0]);
    walk_sample(&w, input, logits[1], score[1]);
    CU_ASSERT_EQUAL(memcmp(logits[0], logits[1], (size_t)(m->n_exits * CLASSES) * 4), 0);
    CU_ASSERT_EQUAL(memcmp(score[0], score[1], (size_t)m->n_exits * 4), 0);
  }
  walk_end(&w);
}

/* Every branch and stage is a unit, every exit has one, and together they are the whole. */
static void units_of_branches_together_are_the_whole_bit_by_bit(void) {
  for (int lanes = 2; lanes <= 5; lanes++) {
    for (int stages = 1; stages <= 4; stages++) {
      for (int join = MAKER_MEAN; join <= MAKER_CROOKED; join++) {
        ee_model *m     = finished(maker_branches(lanes, stages, (maker_join)join));
        ee_units *units = NULL;
        CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(m, &units), EE_OK);
        CU_ASSERT_EQUAL(units->n_lanes, lanes);
        CU_ASSERT_EQUAL(units->n, stages * (lanes + 1));
        check_same(m, units);
        ee_units_destroy(&units);
        ee_model_destroy(&m);
      }
    }
  }
}

static void a_unit_belongs_to_the_branch_and_stage_of_its_nodes(void) {
  ee_model *m     = finished(maker_branches(3, 3, MAKER_MEAN));
  ee_units *units = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(m, &units), EE_OK);
  double flops = 0.0, whole = 0.0;
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    flops += unit->flops;
    for (int k = 0; k < unit->model->n_nodes && unit->lane >= 0; k++) {
      int lane, stage;
      CU_ASSERT_EQUAL(sscanf(unit->model->node[k].name, "b%d.%*[sp]%d", &lane, &stage), 2);
      CU_ASSERT_EQUAL(lane, unit->lane);
      CU_ASSERT_EQUAL(stage, unit->stage);
    }
    CU_ASSERT_EQUAL(unit->exit, unit->lane < 0 ? unit->stage : -1);
  }
  for (int l = 0; l < m->n_layers; l++) whole += m->layer[l].flops;
  for (int e = 0; e < m->n_exits; e++) whole += m->head_flops[e];
  CU_ASSERT_DOUBLE_EQUAL(flops, whole, 1e-9 * whole);
  ee_units_destroy(&units);
  ee_model_destroy(&m);
}

/* Sums and concatenations can do without a branch; what bends a partial sum cannot. */
static void only_linear_joins_can_do_without_a_branch(void) {
  for (int join = MAKER_MEAN; join <= MAKER_CROOKED; join++) {
    ee_model *m     = finished(maker_branches(3, 2, (maker_join)join));
    ee_units *units = NULL;
    CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(m, &units), EE_OK);
    for (int e = 0; e < 2; e++) {
      CU_ASSERT_EQUAL(units->unit[ee_units_of_exit(units, e)].joins, join != MAKER_CROOKED);
    }
    CU_ASSERT_FALSE(units->unit[0].joins);
    ee_units_destroy(&units);
    ee_model_destroy(&m);
  }
}

/* The mean of those present: a network of just these branches, which reads the same weights. */
static void without_a_branch_a_mean_is_that_of_the_others(void) {
  ee_model *m     = finished(maker_branches(3, 3, MAKER_MEAN));
  ee_units *units = NULL;
  float     input[INPUT], logits[MOST_EXITS * CLASSES], score[MOST_EXITS];
  walk      w;
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(m, &units), EE_OK);
  walk_begin(units, &ee_backend_ref, &w);
  w.absent = 1u << 1;
  random_input(0, input);
  walk_sample(&w, input, logits, score);
  for (int e = 0; e < 3; e++) {
    int u = ee_units_of_exit(units, e);
    // head: logits = W F + b, with F the mean of the features of branches 0 and 2
    const ee_node *head = maker_find(m, e == 0 ? "exit0" : e == 1 ? "exit1" : "exit2");
    const float   *W = m->value[head->in[1]].data, *b = m->value[head->in[2]].data;
    const float   *f[2] = {NULL, NULL};
    for (int i = 0; i < units->unit[u].n_inputs; i++) {
      const ee_unit_input *in   = &units->unit[u].input[i];
      int                  lane = in->from >= 0 ? units->unit[in->from].lane : -1;
      if (lane == 0 || lane == 2) f[lane / 2] = ee_exec_value(w.of[in->from].exec, in->value);
    }
    for (int c = 0; c < CLASSES; c++) {
      double z = b[c];
      for (int k = 0; k < MAKER_FEATURES; k++) {
        z += 0.5 * ((double)f[0][k] + (double)f[1][k]) * (double)W[k * CLASSES + c];
      }
      CU_ASSERT_DOUBLE_EQUAL(z, (double)logits[e * CLASSES + c], 1e-5 * (1.0 + fabs(z)));
    }
  }
  walk_end(&w);
  ee_units_destroy(&units);
  ee_model_destroy(&m);
}

static void a_shortcut_beside_a_block_is_no_branch(void) {
  ee_model *m = maker_begin(CLASSES, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input);
  int       b = maker_conv(m, "c", maker_conv(m, "b", a));
  maker_head(m, "exit", maker_conv(m, "d", maker_add(m, "sum", b, maker_conv(m, "shortcut", a))));
  ee_units *units = NULL;
  finished(m);
  CU_ASSERT_EQUAL(ee_units_of_branches(m, &units), EE_OK);  // b, c and shortcut: more than half
  CU_ASSERT_EQUAL(units->n_lanes, 2);
  ee_units_destroy(&units);
  ee_model_destroy(&m);

  m = maker_begin(CLASSES, SHAPE(1, 2, 4, 4));
  a = m->input;
  for (int i = 0; i < 6; i++) a = maker_conv(m, i == 0 ? "a0" : "a", a);
  maker_head(m, "exit", maker_add(m, "sum", maker_conv(m, "b", a), maker_conv(m, "shortcut", a)));
  finished(m);
  CU_ASSERT_EQUAL(ee_units_of_branches(m, &units), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(units);
  ee_model_destroy(&m);
}

/* A blob of the whole layer gives a unit what its own layer would. */
static void a_unit_takes_its_weights_out_of_those_of_the_whole(void) {
  ee_model *m         = finished(maker_branches(2, 3, MAKER_MEAN));
  ee_units *units     = NULL;
  int       n_checked = 0;
  CU_ASSERT_EQUAL_FATAL(ee_units_of_branches(m, &units), EE_OK);
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    for (int l = 0; l < m->n_layers; l++) {
      int   *list, n;
      float *whole = malloc(m->layer[l].weight_bytes + 1), *blob, *at = whole;
      CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(m, l, &list, &n), EE_OK);
      for (int i = 0; i < n; i++) {
        size_t count = (size_t)ee_model_value_elements(m, list[i]);
        memcpy(at, m->value[list[i]].data, count * sizeof *at);
        at += count;
      }
      free(list);
      CU_ASSERT_EQUAL_FATAL(ee_unit_blob(m, unit, l, whole, &blob), EE_OK);
      CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(unit->model, l, &list, &n), EE_OK);
      CU_ASSERT_EQUAL(blob == NULL, n == 0);
      at = blob;
      for (int i = 0; i < n; i++) {
        size_t count = (size_t)ee_model_value_elements(m, list[i]);
        CU_ASSERT_EQUAL(memcmp(at, m->value[list[i]].data, count * sizeof *at), 0);
        at += count;
        n_checked++;
      }
      free(list);
      free(whole);
      free(blob);
    }
  }
  CU_ASSERT_TRUE(n_checked > 20);
  ee_units_destroy(&units);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {EE_FACT(units_of_branches_together_are_the_whole_bit_by_bit),
                            EE_FACT(a_unit_belongs_to_the_branch_and_stage_of_its_nodes),
                            EE_FACT(only_linear_joins_can_do_without_a_branch),
                            EE_FACT(without_a_branch_a_mean_is_that_of_the_others),
                            EE_FACT(a_shortcut_beside_a_block_is_no_branch),
                            EE_FACT(a_unit_takes_its_weights_out_of_those_of_the_whole),
                            {NULL, NULL}};
