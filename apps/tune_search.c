/* SPDX-License-Identifier: Apache-2.0 */
/* Which methods are faster than the rule: the network with one method wherever it fits, in turn
 * with the network by rule; then the best of all together in turn with it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "costs.h"
#include "duel.h"
#include "ee/log.h"
#include "ee/tuning.h"
#include "random_input.h"
#include "tune.h"

/* A search under way. */
typedef struct search {
  ee_tune *tune;
  ee_whole rule;  // of tune->model, whose nodes go by rule until the end
  float   *input;
  double   seconds;
} search;

/* The model with other methods. */
typedef struct variant {
  ee_model model;  // shares all but the nodes
  ee_whole whole;
  int      n_changed;  // nodes
} variant;

static int n_parts(const ee_model *m) {
  return m->n_layers + m->n_exits;
}

static int part_of(const ee_model *m, const ee_node *node) {
  return node->layer >= 0 ? node->layer : m->n_layers + node->exit;
}

static const char *kernel_of(const ee_whole *whole, int k) {
  const char *kernel;
  return ee_resident_runner(whole->resident, k, whole->batch_limit, &kernel) == &ee_backend_simd
             ? kernel
             : NULL;
}

/* Whether node @p k of the variant would be run by another kernel than by rule. */
static bool differs(const search *s, const variant *v, int k) {
  const ee_node *node = &v->model.node[k];
  const char    *rule = kernel_of(&s->rule, k);
  if (rule == NULL || !ee_method_fits(&v->model, node, node->method)) return false;
  const char *kernel = ee_backend_simd.kernel(&v->model, node, s->tune->batch, NULL);
  return kernel != NULL && strcmp(kernel, rule) != 0;
}

/* The model with @p method, or, if that is EE_METHOD_COUNT, with the best of each node. */
static ee_status make_variant(const search *s, ee_method method, variant *v) {
  const ee_model *m = s->tune->model;
  *v                = (variant){.model = *m};
  v->model.node     = calloc((size_t)m->n_nodes, sizeof *v->model.node);
  if (v->model.node == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d nodes", m->n_nodes);
  memcpy(v->model.node, m->node, (size_t)m->n_nodes * sizeof *m->node);
  for (int k = 0; k < m->n_nodes; k++) {
    ee_node *node = &v->model.node[k];
    node->method  = method == EE_METHOD_COUNT ? s->tune->method[k] : method;
    if (!differs(s, v, k)) node->method = EE_METHOD_BY_RULE;
    v->n_changed += node->method != EE_METHOD_BY_RULE;
  }
  return EE_OK;
}

static ee_status fight(search *s, variant *v, ee_duel *duel) {
  EE_TRY(ee_whole_open(&v->model, ee_backend_simd.name, s->tune->batch, &v->whole));
  EE_TRY(ee_duel_fight(&s->rule, &v->whole, s->input, s->seconds, duel));
  if (duel->cpu_share < s->tune->cpu_share) s->tune->cpu_share = duel->cpu_share;
  return EE_OK;
}

static void end_variant(variant *v) {
  ee_whole_close(&v->whole);
  free(v->model.node);
}

/* Whether part @p p has nodes that change, and each does what it was meant to. */
static bool has_changed(const variant *v, int p, int *first) {
  const ee_model *m = &v->model;
  *first            = -1;
  for (int k = 0; k < m->n_nodes; k++) {
    const ee_node *node = &m->node[k];
    if (part_of(m, node) != p || node->method == EE_METHOD_BY_RULE) continue;
    const char *meant = ee_backend_simd.kernel(m, node, v->whole.batch_limit, NULL);
    if (strcmp(kernel_of(&v->whole, k), meant) != 0) return false;
    if (*first < 0) *first = k;
  }
  return *first >= 0;
}

static void take_over(search *s, const variant *v, int p, int first, double ratio) {
  ee_tuned_part *part = &s->tune->part[p];
  part->ratio         = ratio;
  part->tuned         = kernel_of(&v->whole, first);
  for (int k = 0; k < v->model.n_nodes; k++) {
    if (part_of(&v->model, &v->model.node[k]) == p) s->tune->method[k] = v->model.node[k].method;
  }
}

static void note_ratio(search *s, ee_method method, int p, int node, double ratio) {
  s->tune->part[p].node                             = node;
  s->tune->part[p].by_rule                          = kernel_of(&s->rule, node);
  s->tune->ratio[p * EE_METHOD_COUNT + (int)method] = ratio;
}

static void note_gains(search *s, ee_method method, const variant *v, const ee_duel *duel) {
  for (int p = 0; p < n_parts(&v->model); p++) {
    int first;
    if (!has_changed(v, p, &first) || isnan(duel->part[p].median)) continue;
    note_ratio(s, method, p, first, duel->part[p].median);
    ee_log(EE_LOG_DEBUG, "%s %d: %s takes %.3f of the time of %s",
           p < v->model.n_layers ? "layer" : "head",
           p < v->model.n_layers ? p : p - v->model.n_layers, kernel_of(&v->whole, first),
           duel->part[p].median, kernel_of(&s->rule, first));
    if (!ee_duel_is_won(duel->part[p], EE_TUNE_LEAST_GAIN)) continue;
    if (duel->part[p].median < s->tune->part[p].ratio) {
      take_over(s, v, p, first, duel->part[p].median);
    }
  }
}

static ee_status try_method(search *s, ee_method method) {
  variant v;
  ee_duel duel = {0};
  EE_TRY(make_variant(s, method, &v));
  ee_status status = v.n_changed > 0 ? fight(s, &v, &duel) : EE_OK;
  if (status == EE_OK && v.n_changed > 0) note_gains(s, method, &v, &duel);
  ee_duel_free(&duel);
  end_variant(&v);
  return status;
}

/* All gains together; what they come to decides.  Costs are those of the winner. */
static ee_status decide(search *s) {
  variant   v;
  ee_duel   duel  = {0};
  ee_model *m     = s->tune->model;
  double    share = 1.0;
  EE_TRY(make_variant(s, EE_METHOD_COUNT, &v));
  ee_status status     = v.n_changed > 0 ? fight(s, &v, &duel) : EE_OK;
  s->tune->whole       = v.n_changed > 0 ? duel.whole.median : 1.0;
  s->tune->whole_upper = v.n_changed > 0 ? duel.whole.upper : 1.0;
  s->tune->kept =
      status == EE_OK && v.n_changed > 0 && ee_duel_is_won(duel.whole, EE_TUNE_WHOLE_GAIN);
  if (status == EE_OK) {
    status = ee_costs_measure(s->tune->kept ? &v.whole : &s->rule, 0, s->seconds, m, &share);
  }
  if (share < s->tune->cpu_share) s->tune->cpu_share = share;
  for (int k = 0; s->tune->kept && k < m->n_nodes; k++) m->node[k].method = v.model.node[k].method;
  ee_duel_free(&duel);
  end_variant(&v);
  return status;
}

static ee_status search_all(search *s) {
  ee_model *m = s->tune->model;
  EE_TRY(ee_random_input(m, s->tune->batch, &s->input));
  for (int method = EE_METHOD_BY_RULE + 1; method < EE_METHOD_COUNT; method++) {
    EE_TRY(try_method(s, (ee_method)method));
  }
  return decide(s);
}

static ee_status reserve(ee_tune *t) {
  t->method = calloc((size_t)t->model->n_nodes, sizeof *t->method);
  t->part   = calloc((size_t)n_parts(t->model), sizeof *t->part);
  t->ratio  = calloc((size_t)n_parts(t->model), EE_METHOD_COUNT * sizeof *t->ratio);
  if (t->method == NULL || t->part == NULL || t->ratio == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the methods of %d nodes", t->model->n_nodes);
  }
  for (int p = 0; p < n_parts(t->model); p++) {
    t->part[p] = (ee_tuned_part){.ratio = 1.0, .node = -1};
    for (int w = 0; w < EE_METHOD_COUNT; w++) t->ratio[p * EE_METHOD_COUNT + w] = NAN;
  }
  return EE_OK;
}

ee_status ee_tune_model(ee_model *model, int batch, double seconds, ee_tune *tune) {
  search            s = {.tune = tune, .seconds = seconds};
  const ee_backend *backend;
  *tune = (ee_tune){.model = model, .batch = model->batched ? batch : 1, .cpu_share = 1.0};
  EE_TRY(reserve(tune));
  const char *wanted = getenv("EE_BACKEND");
  if (wanted != NULL && strcmp(wanted, ee_backend_simd.name) != 0) {
    ee_log(EE_LOG_INFO, "EE_BACKEND is %s, but only kernels of %s are tuned", wanted,
           ee_backend_simd.name);
  }
  EE_TRY(ee_choose_backend(ee_backend_simd.name, &backend));  // vectors as the environment says
  ee_tuning_begin(model, tune->batch);
  EE_TRY(ee_whole_open(model, backend->name, tune->batch, &s.rule));
  ee_status status = search_all(&s);
  free(s.input);
  ee_whole_close(&s.rule);
  return status;
}

void ee_tune_free(ee_tune *tune) {
  free(tune->method);
  free(tune->part);
  free(tune->ratio);
  *tune = (ee_tune){0};
}
