/* SPDX-License-Identifier: Apache-2.0 */
#include "lessons.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int sum_places(const ee_lessons *l) {
  return l->delay + 3;
}

static int memory_places(const ee_lessons *l) {
  return l->delay + 2;
}

ee_status ee_lessons_open(const ee_policy *policy, uint64_t epoch_samples, int delay,
                          const ee_schedule *given, ee_lessons *lessons) {
  *lessons = (ee_lessons){
      .policy = policy, .epoch_samples = epoch_samples, .delay = delay, .given = given};
  const ee_policy_learning *learning = policy->ops->learning;
  if (learning == NULL) return EE_OK;
  lessons->learned      = learning->learned(policy->self);
  lessons->memory_bytes = (learning->memory_bytes(policy->self) + 15) / 16 * 16;

  size_t places         = (size_t)sum_places(lessons);
  lessons->epoch        = malloc(places * sizeof *lessons->epoch);
  lessons->sums         = calloc(places * lessons->learned + 1, sizeof *lessons->sums);
  lessons->memory       = calloc((size_t)memory_places(lessons) + 1, lessons->memory_bytes + 16);
  lessons->offload_cost = calloc((size_t)memory_places(lessons), sizeof *lessons->offload_cost);
  if (lessons->epoch == NULL || lessons->sums == NULL || lessons->memory == NULL ||
      lessons->offload_cost == NULL) {
    ee_lessons_close(lessons);
    return EE_FAIL(EE_ERR_NOMEM, "for what policy %s learns", policy->ops->name);
  }
  for (size_t i = 0; i < places; i++) lessons->epoch[i] = -1;
  return EE_OK;
}

void ee_lessons_close(ee_lessons *lessons) {
  free(lessons->epoch);
  free(lessons->sums);
  free(lessons->memory);
  free(lessons->offload_cost);
  *lessons = (ee_lessons){0};
}

static int64_t epoch_of(const ee_lessons *l, uint64_t id) {
  return (int64_t)(id / l->epoch_samples);
}

bool ee_lessons_ready(const ee_lessons *l, uint64_t id) {
  return l->learned == 0 || l->known >= epoch_of(l, id) - l->delay;
}

/* Memory after epoch @p epoch. */
static unsigned char *memory_after(const ee_lessons *l, int64_t epoch) {
  return l->memory + (size_t)(epoch % memory_places(l)) * l->memory_bytes;
}

/* The last epoch whose sums decide sample @p id; negative: none. */
static int64_t last_known_to(const ee_lessons *l, uint64_t id) {
  return l->learned == 0 ? -1 : epoch_of(l, id) - 1 - l->delay;
}

const void *ee_lessons_memory(const ee_lessons *l, uint64_t id) {
  int64_t last = last_known_to(l, id);
  return last < 0 ? NULL : memory_after(l, last);
}

const double *ee_lessons_offload_cost(const ee_lessons *l, uint64_t id) {
  if (l->given != NULL && l->given->n > 0) {
    return ee_schedule_value(l->given, (double)(id - id % l->epoch_samples));
  }
  int64_t last = last_known_to(l, id);
  if (last < 0) return NULL;
  const double *cost = &l->offload_cost[last % memory_places(l)];
  return isnan(*cost) ? NULL : cost;
}

int64_t *ee_lessons_sums(ee_lessons *l, uint64_t id) {
  int64_t  epoch = epoch_of(l, id);
  int64_t  place = epoch % sum_places(l);
  int64_t *sums  = l->sums + (size_t)place * l->learned;
  if (l->epoch[place] != epoch) {
    l->epoch[place] = epoch;
    memset(sums, 0, l->learned * sizeof *sums);
  }
  return sums;
}

void ee_lessons_take(ee_lessons *l, const int64_t *sums, double offload_cost) {
  unsigned char *now = memory_after(l, l->known);
  if (l->known > 0) memcpy(now, memory_after(l, l->known - 1), l->memory_bytes);
  l->policy->ops->learning->epoch(l->policy->self, sums, now);
  l->offload_cost[l->known % memory_places(l)] = offload_cost;
  l->known++;
}
