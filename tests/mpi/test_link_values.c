/* SPDX-License-Identifier: Apache-2.0 */
/* Streams whose links carry bytes, against one process that rounds at the same cuts with loops of
 * its own. */
#include <math.h>

#include "ee/confidence.h"
#include "ee/exec.h"
#include "toy_stream.h"

/* The stages of a plan in one process. */
typedef struct row {
  const ee_model *model;
  const ee_plan  *plan;
  const bool     *rounded;  // shape [n_layers + 1]; NULL: at every cut
  ee_resident    *resident;
  ee_exec        *exec[8];
} row;

static row open_row(const toy_run *t) {
  row r = {.model = t->model, .plan = t->plan, .rounded = t->setup.int8_at};
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(r.model, &ee_backend_ref, &r.resident), EE_OK);
  for (int l = 0; l < r.model->n_layers; l++) {
    CU_ASSERT_EQUAL(ee_resident_add(r.resident, l, NULL), EE_OK);
  }
  for (int s = 0; s < r.plan->n_stages; s++) {
    const ee_stage *stage = &r.plan->stage[s];
    CU_ASSERT_EQUAL_FATAL(ee_exec_create(r.resident, stage->begin, stage->end, 1, &r.exec[s]),
                          EE_OK);
  }
  return r;
}

static void close_row(row *r) {
  for (int s = 0; s < r->plan->n_stages; s++) ee_exec_destroy(&r->exec[s]);
  ee_resident_destroy(&r->resident);
}

/* A channel of the toy has 6 x 6 numbers; what is flattened has groups of 64. */
static void cross(const row *r, int v, const float *from, bool rounded, float *to) {
  const ee_shape *shape = &r->model->value[v].shape;
  size_t          n     = (size_t)ee_shape_elements(shape);
  size_t          group = shape->rank == 4 ? TOY_SIDE * TOY_SIDE : 64;
  for (size_t i = 0; i < n; i++) {
    double most = 0.0;
    for (size_t k = i / group * group; k < (i / group + 1) * group && k < n; k++) {
      most = fmax(most, fabs((double)from[k]));
    }
    float s = (float)(most / 127.0);
    float q = s > 0.0f ? rintf(from[i] / s) + 0.0f : 0.0f;
    to[i]   = rounded ? q * s : from[i];
  }
}

static void enter(const row *r, int s, int64_t id) {
  int        n, cut = r->plan->stage[s].begin;
  const int *value = ee_model_cut_values(r->model, cut, &n);
  if (s == 0) toy_input(id, 1, ee_exec_input(r->exec[0], r->model->input));
  for (int i = 0; i < n && s > 0; i++) {
    cross(r, value[i], ee_exec_value(r->exec[s - 1], value[i]),
          r->rounded == NULL || r->rounded[cut], ee_exec_input(r->exec[s], value[i]));
  }
}

/* Whether the sample leaves at an exit of stage s, and its logits there. */
static bool pass_stage(const row *r, int s, int *exit, float *logits) {
  const ee_model *m  = r->model;
  int             at = r->plan->stage[s].begin, end = r->plan->stage[s].end;
  for (int e = 0; e < m->n_exits; e++) {
    const float *z;
    float        p[TOY_CLASSES];
    int          behind = m->exit[e].attach + 1;
    if (behind <= at || behind > end) continue;
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(r->exec[s], at, behind, 1), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(r->exec[s], e, 1, &z), EE_OK);
    at = behind;
    memcpy(logits, z, TOY_CLASSES * sizeof *z);
    ee_softmax(z, TOY_CLASSES, m->exit[e].temperature, p);
    *exit = e;
    if (e + 1 == m->n_exits || p[ee_argmax(z, TOY_CLASSES)] >= 0.5f) return true;
  }
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(r->exec[s], at, end, 1), EE_OK);
  return false;
}

/* Rank 0 only; how many answers have other bits than those of one device without links. */
static int check_answers(const toy_run *t) {
  row  r           = open_row(t);
  bool nowhere[16] = {false};
  int  changed     = 0;
  CU_ASSERT_EQUAL(t->outcome->n, TOY_SAMPLES);
  for (int64_t id = 0; id < TOY_SAMPLES; id++) {
    float logits[2][TOY_CLASSES];
    int   exit[2] = {-1, -1};
    for (int exact = 0; exact < 2; exact++) {
      r.rounded = exact ? nowhere : t->setup.int8_at;
      for (int s = 0; s < r.plan->n_stages; s++) {
        enter(&r, s, id);
        if (pass_stage(&r, s, &exit[exact], logits[exact])) break;
      }
    }
    CU_ASSERT_EQUAL(t->outcome->answer[id].exit, exit[0]);
    CU_ASSERT_EQUAL(memcmp(t->outcome->logits[id], logits[0], sizeof logits[0]), 0);
    changed += memcmp(logits[0], logits[1], sizeof logits[0]) != 0;
  }
  close_row(&r);
  return changed;
}

static void run_and_check(int batch_limit, const bool *int8_at, bool changes) {
  toy_run t;
  int     size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_open(&t, TOY_SAMPLES);
  t.setup.batch_limit = batch_limit;
  t.setup.link_values = int8_at == NULL ? EE_LINK_I8 : EE_LINK_F32;
  t.setup.int8_at     = int8_at;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), EE_OK);
  if (t.setup.sink != NULL) CU_ASSERT_EQUAL(check_answers(&t) > 0, changes && size > 1);
  toy_close(&t);
}

static void answers_are_those_of_one_process_that_rounds_at_the_same_cuts(void) {
  const int batches[] = {1, 4, 17};
  for (int b = 0; b < 3; b++) run_and_check(batches[b], NULL, true);
}

/* Layers of the plan's second and later stages: a cut there is some stage's. */
static void only_the_cuts_that_are_named_round(void) {
  bool int8_at[16] = {false};
  run_and_check(4, int8_at, false);
  toy_run t;
  toy_open(&t, TOY_SAMPLES);
  if (t.plan->n_stages > 1) int8_at[t.plan->stage[t.plan->n_stages - 1].begin] = true;
  toy_close(&t);
  run_and_check(4, int8_at, true);
}

static void ranks_that_ask_for_different_values_are_told(void) {
  bool    int8_at[16] = {false};
  int     rank, size;
  toy_run t;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  toy_open(&t, TOY_SAMPLES);
  int8_at[3]      = rank == 0;
  t.setup.int8_at = int8_at;
  CU_ASSERT_EQUAL(toy_go(&t, NULL), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(answers_are_those_of_one_process_that_rounds_at_the_same_cuts),
    EE_FACT(only_the_cuts_that_are_named_round),
    EE_FACT(ranks_that_ask_for_different_values_are_told),
    {NULL, NULL},
};
