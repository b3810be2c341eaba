/* SPDX-License-Identifier: Apache-2.0 */
#include "setup.h"

#include <limits.h>
#include <math.h>

#include "answer_layout.h"
#include "ee/clock.h"
#include "segment.h"

#define MOST_SLOTS 65536   // of a link; more than any memory
#define MOST_DELAY 100000  // epochs; each costs a place in the counters

static ee_status check_numbers(const ee_run_setup *s) {
  if (s->batch_limit < 1 || s->slots < 1 || s->slots > MOST_SLOTS || s->epoch_samples < 1 ||
      s->control_delay < 0 || s->control_delay > MOST_DELAY) {
    return EE_FAIL(EE_ERR_ARG,
                   "batch %d and epoch %d must be at least 1, slots %d in 1 to %d, control delay "
                   "%d in 0 to %d",
                   s->batch_limit, s->epoch_samples, s->slots, MOST_SLOTS, s->control_delay,
                   MOST_DELAY);
  }
  if (!(s->merge_wait >= 0.0) || !(s->rate >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "merge wait %g s and rate %g 1/s must be at least 0", s->merge_wait,
                   s->rate);
  }
  if (!(s->latency_limit >= 0.0)) {
    return EE_FAIL(EE_ERR_ARG, "a latency limit of %g s, expected at least 0", s->latency_limit);
  }
  if (s->latency_limit > 0.0 && s->policy->ops->learning != NULL) {
    return EE_FAIL(EE_ERR_ARG,
                   "policy %s learns from where samples leave, which a latency limit changes; give "
                   "one of them",
                   s->policy->ops->name);
  }
  if (s->offload && s->model->n_exits >= EE_BATCH_PARTS) {
    return EE_FAIL(EE_ERR_ARG, "the model has %d exits; offloading takes fewer than %d",
                   s->model->n_exits, EE_BATCH_PARTS);
  }
  if (s->offload && s->slots <= s->model->n_exits) {
    return EE_FAIL(EE_ERR_ARG, "%d slots are too few to offload: a batch may part into %d messages",
                   s->slots, s->model->n_exits);
  }
  if (s->n_samples > INT64_MAX) {
    return EE_FAIL(EE_ERR_ARG, "%llu samples are too many", (unsigned long long)s->n_samples);
  }
  return EE_OK;
}

static ee_status check_model(const ee_run_setup *s) {
  if (s->batch_limit > 1 && !s->model->batched) {
    return EE_FAIL(EE_ERR_ARG, "model %s takes one sample at a time, but the batch limit is %d",
                   s->model->name, s->batch_limit);
  }
  size_t bytes = ee_answer_bytes(s->batch_limit, s->model->n_classes, s->with_logits);
  if (bytes <= INT_MAX) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "the answers of %d samples make %zu bytes; the most is %d",
                 s->batch_limit, bytes, INT_MAX);
}

/* That the table of outcomes can stand for the model. */
static ee_status check_outcomes(const ee_run_setup *s) {
  const ee_exit_table *t = s->outcomes;
  if (t == NULL) return EE_OK;
  if (t->n_exits != s->model->n_exits || t->n_classes != s->model->n_classes) {
    return EE_FAIL(EE_ERR_ARG, "the outcomes have %d exits and %d classes, model %s has %d and %d",
                   t->n_exits, t->n_classes, s->model->name, s->model->n_exits,
                   s->model->n_classes);
  }
  for (int e = 0; e < t->n_exits; e++) {
    if (t->layers[e] == s->model->exit[e].attach + 1) continue;
    return EE_FAIL(EE_ERR_ARG, "the outcomes have exit %d after layer %d, model %s after layer %d",
                   e, t->layers[e] - 1, s->model->name, s->model->exit[e].attach);
  }
  if ((uint64_t)t->n < s->n_samples) {
    return EE_FAIL(EE_ERR_ARG, "the outcomes are those of %lld samples, the stream has %llu",
                   (long long)t->n, (unsigned long long)s->n_samples);
  }
  if (s->fleet == NULL) {
    return EE_FAIL(EE_ERR_ARG, "with outcomes nothing is computed, so a fleet must say how long");
  }
  if (s->with_logits) return EE_FAIL(EE_ERR_ARG, "outcomes have no logits to answer with");
  return EE_OK;
}

/* That there are scores for a policy that decides by them. */
static ee_status check_scores(const ee_run_setup *s) {
  bool scored = s->outcomes != NULL ? s->outcomes->score != NULL : ee_model_has_scores(s->model);
  if (scored || !(s->policy->ops->needs & EE_NEEDS_SCORE)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "policy %s needs learned scores, and no exit of model %s has one",
                 s->policy->ops->name, s->model->name);
}

static bool always_positive(const ee_schedule *schedule) {
  for (int i = 0; i < schedule->n; i++) {
    if (!(schedule->change[i].value > 0.0)) return false;
  }
  return true;
}

/* That device d of the fleet can run the stage's layers from the beginning to the end. */
static ee_status check_device(const ee_run_setup *s, const ee_stage *stage, int d) {
  const ee_fleet *fleet = s->fleet;
  double          speed = ee_fleet_speed(fleet, d, -1.0, s->host_flops);
  if (ee_fleet_away(fleet, d, 0.0)) {
    return EE_FAIL(EE_ERR_ARG,
                   "device %d owns layers %d to %d but the fleet has it away when the run begins",
                   d, stage->begin, stage->end - 1);
  }
  if (speed > 0.0 && isfinite(speed) && always_positive(&fleet->device[d].speed)) return EE_OK;
  return EE_FAIL(EE_ERR_ARG,
                 "device %d owns layers %d to %d but has a speed of %g FLOP/s, or of 0 later", d,
                 stage->begin, stage->end - 1, speed);
}

static ee_status check_fleet(const ee_run_setup *s, int size) {
  const ee_fleet *fleet = s->fleet;
  if (fleet == NULL) return EE_OK;
  if (fleet->n_devices != size) {
    return EE_FAIL(EE_ERR_ARG, "the fleet has %d devices, the run has %d ranks", fleet->n_devices,
                   size);
  }
  for (int i = 0; i < s->plan->n_stages; i++) {
    for (int k = 0; k < ee_plan_width(s->plan, i); k++) {
      EE_TRY(check_device(s, &s->plan->stage[i], ee_plan_device(s->plan, i, k)));
    }
  }
  return EE_OK;
}

ee_status ee_setup_check(const ee_run_setup *s, int size) {
  EE_TRY(check_numbers(s));
  EE_TRY(check_model(s));
  EE_TRY(check_outcomes(s));
  EE_TRY(check_scores(s));
  if (s->plan->n_devices != size || s->plan->n_layers != s->model->n_layers) {
    return EE_FAIL(EE_ERR_ARG, "the plan is for %d layers on %d devices, the run has %d and %d",
                   s->plan->n_layers, s->plan->n_devices, s->model->n_layers, size);
  }
  EE_TRY(ee_plan_check(s->plan));
  if (s->offload && s->plan->n_replicas > 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "stage %d of the plan has several devices; with offloading each has one",
                   s->plan->replica[0].stage);
  }
  return check_fleet(s, size);
}

/* FNV-1a over the bytes of a number. */
static uint64_t mix(uint64_t hash, uint64_t number) {
  for (int i = 0; i < 64; i += 8) hash = (hash ^ ((number >> i) & 0xff)) * 0x100000001b3u;
  return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text) {
  for (const char *c = text; *c != '\0'; c++) hash = mix(hash, (uint64_t)*c);
  return hash;
}

static uint64_t mix_double(uint64_t hash, double number) {
  union {
    double   number;
    uint64_t bits;
  } u = {.number = number};
  return mix(hash, u.bits);
}

static uint64_t mix_fleet(uint64_t hash, const ee_fleet *fleet) {
  if (fleet == NULL) return mix(hash, 0);
  for (int d = 0; d < fleet->n_devices; d++) {
    hash = mix_double(hash, fleet->device[d].flops);
    hash = mix_double(hash, fleet->device[d].relative);
    hash = mix_double(hash, fleet->device[d].memory);
  }
  for (int i = 0; i < fleet->n_devices * fleet->n_devices; i++) {
    hash = mix_double(hash, fleet->link[i].bandwidth);
    hash = mix_double(hash, fleet->link[i].latency);
  }
  return mix_double(hash, (double)fleet->n_devices);
}

ee_link_values ee_run_link_values(const ee_run_setup *setup, int cut) {
  return setup->int8_at != NULL && setup->int8_at[cut] ? EE_LINK_I8 : setup->link_values;
}

double ee_layer_work(const ee_run_setup *setup, int layer) {
  const ee_layer *l = &setup->model->layer[layer];
  return setup->by_seconds ? l->seconds * setup->host_flops : l->flops;
}

double ee_head_work(const ee_run_setup *setup, int exit) {
  const ee_model *m = setup->model;
  return setup->by_seconds ? m->head_seconds[exit] * setup->host_flops : m->head_flops[exit];
}

double ee_copy_work(const ee_run_setup *setup, int cut) {
  const ee_model *m = setup->model;
  if (!setup->by_seconds || cut <= 0 || cut >= m->n_layers) return 0.0;
  size_t bytes = ee_link_cut_bytes(m, cut, ee_run_link_values(setup, cut));
  return m->copy_seconds * (double)bytes * setup->host_flops;
}

int ee_setup_key(const ee_run_setup *s) {
  uint64_t hash = mix(0xcbf29ce484222325u, s->plan != NULL ? ee_plan_hash(s->plan) : 0);
  hash          = mix(hash, s->n_samples);
  hash          = mix(hash, (uint64_t)s->batch_limit);
  hash          = mix(hash, (uint64_t)s->slots);
  hash          = mix(hash, (uint64_t)s->epoch_samples);
  hash          = mix(hash, (uint64_t)s->control_delay);
  hash          = mix(hash, s->with_logits);
  hash          = mix(hash, s->offload);
  for (int c = 0; c <= s->model->n_layers; c++) hash = mix(hash, ee_run_link_values(s, c));
  hash = mix(hash, s->outcomes != NULL);
  hash = mix_double(hash, s->latency_limit);
  hash = mix_double(hash, s->rate);
  hash = mix_text(hash, s->policy->ops->name);
  hash = mix(hash, s->policy->key);
  hash = mix_text(hash, s->backend->name);
  hash = mix(hash, ee_policy_state_bytes(s->policy));
  hash = mix(hash, (uint64_t)s->model->n_classes);
  for (int e = 0; e < s->model->n_exits; e++) {
    hash = mix(hash, (uint64_t)s->model->exit[e].attach);
    hash = mix(hash, s->model->exit[e].has_score);
  }
  for (int l = 0; l < s->model->n_layers; l++) {
    hash = mix_double(hash, ee_layer_work(s, l));
    hash = mix_double(hash, ee_copy_work(s, l));
    hash = mix(hash, s->model->layer[l].weight_bytes);
  }
  // Simulated ranks are in one process and have one fleet, of n^2 links: n times that takes
  // minutes.
  if (!ee_clock_is_simulated()) hash = mix_fleet(hash, s->fleet);
  if (s->fleet != NULL) hash = mix_double(hash, s->host_flops);
  return (int)((hash ^ (hash >> 32)) & INT_MAX);
}
