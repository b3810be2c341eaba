/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as data: making, checking, comparing and printing them. */
#include "ee/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ee_status ee_plan_create(int n_layers, int n_devices, int n_stages, ee_plan **plan) {
  *plan = NULL;
  if (n_layers < 1 || n_devices < 1) {
    return EE_FAIL(EE_ERR_ARG, "a plan needs a layer and a device, not %d layers on %d devices",
                   n_layers, n_devices);
  }
  int most = n_layers < n_devices ? n_layers : n_devices;
  if (n_stages < 1 || n_stages > most) {
    return EE_FAIL(EE_ERR_ARG, "%d stages for %d layers on %d devices, expected 1 to %d", n_stages,
                   n_layers, n_devices, most);
  }
  ee_plan *p = calloc(1, sizeof *p);
  if (p != NULL) p->stage = calloc((size_t)n_stages, sizeof *p->stage);
  if (p == NULL || p->stage == NULL) {
    free(p);
    return EE_FAIL(EE_ERR_NOMEM, "for a plan of %d stages", n_stages);
  }
  p->n_layers  = n_layers;
  p->n_devices = n_devices;
  p->n_stages  = n_stages;
  *plan        = p;
  return EE_OK;
}

ee_status ee_plan_uniform(int n_layers, int n_devices, ee_plan **plan) {
  int n_stages = n_layers < n_devices ? n_layers : n_devices;

  EE_TRY(ee_plan_create(n_layers, n_devices, n_stages, plan));
  for (int s = 0; s < n_stages; s++) {
    (*plan)->stage[s] = (ee_stage){.begin  = (int)((int64_t)n_layers * s / n_stages),
                                   .end    = (int)((int64_t)n_layers * (s + 1) / n_stages),
                                   .device = s};
  }
  return EE_OK;
}

ee_status ee_plan_copy(const ee_plan *plan, ee_plan **copy) {
  EE_TRY(ee_plan_create(plan->n_layers, plan->n_devices, plan->n_stages, copy));
  memcpy((*copy)->stage, plan->stage, (size_t)plan->n_stages * sizeof *plan->stage);
  ee_status status = EE_OK;
  for (int i = 0; i < plan->n_replicas && status == EE_OK; i++) {
    status = ee_plan_add_replica(*copy, plan->replica[i].stage, plan->replica[i].device);
  }
  for (int d = 0; d < plan->n_devices && plan->turns != NULL && status == EE_OK; d++) {
    status = ee_plan_set_turns(*copy, d, plan->turns[d]);
  }
  if (status != EE_OK) ee_plan_destroy(copy);
  return status;
}

static ee_status check_layers(const ee_plan *plan) {
  int next = 0;  // first layer that no stage owns yet
  for (int s = 0; s < plan->n_stages; s++) {
    ee_stage stage = plan->stage[s];
    if (stage.begin != next) {
      return EE_FAIL(EE_ERR_ARG, "stage %d of the plan begins at layer %d, expected %d", s,
                     stage.begin, next);
    }
    if (stage.end <= stage.begin || stage.end > plan->n_layers) {
      return EE_FAIL(EE_ERR_ARG, "stage %d of the plan ends before layer %d, expected %d to %d", s,
                     stage.end, stage.begin + 1, plan->n_layers);
    }
    next = stage.end;
  }
  if (next != plan->n_layers) {
    return EE_FAIL(EE_ERR_ARG, "the plan ends before layer %d, but there are %d layers", next,
                   plan->n_layers);
  }
  return EE_OK;
}

/* That a device of stage s is there, and owns no other. */
static ee_status check_device(const ee_plan *plan, int s, int device, unsigned char *used) {
  if (device < 0 || device >= plan->n_devices) {
    return EE_FAIL(EE_ERR_ARG, "stage %d of the plan is on device %d, expected 0 to %d", s, device,
                   plan->n_devices - 1);
  }
  if (used[device]) {
    return EE_FAIL(EE_ERR_ARG, "stage %d of the plan is on device %d, which has another stage", s,
                   device);
  }
  used[device] = 1;
  return EE_OK;
}

static ee_status check_devices(const ee_plan *plan, unsigned char *used) {
  for (int s = 0; s < plan->n_stages; s++) {
    EE_TRY(check_device(plan, s, plan->stage[s].device, used));
  }
  for (int i = 0, before = 0; i < plan->n_replicas; i++) {
    int s = plan->replica[i].stage;
    if (s < before || s >= plan->n_stages) {
      return EE_FAIL(EE_ERR_ARG, "replica %d of the plan is of stage %d, expected %d to %d", i, s,
                     before, plan->n_stages - 1);
    }
    EE_TRY(check_device(plan, s, plan->replica[i].device, used));
    before = s;
  }
  return EE_OK;
}

static ee_status check_turns(const ee_plan *plan) {
  for (int d = 0; d < plan->n_devices; d++) {
    int turns = ee_plan_turns(plan, d);
    if (turns >= 1 && turns <= EE_PLAN_TURNS) continue;
    return EE_FAIL(EE_ERR_ARG, "device %d of the plan has %d turns, expected 1 to %d", d, turns,
                   EE_PLAN_TURNS);
  }
  return EE_OK;
}

ee_status ee_plan_check(const ee_plan *plan) {
  if (plan->n_layers < 1 || plan->n_devices < 1 || plan->n_stages < 1) {
    return EE_FAIL(EE_ERR_ARG, "the plan has %d stages for %d layers on %d devices, each >= 1",
                   plan->n_stages, plan->n_layers, plan->n_devices);
  }
  EE_TRY(check_layers(plan));
  EE_TRY(check_turns(plan));
  unsigned char *used = calloc((size_t)plan->n_devices, 1);
  if (used == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d devices", plan->n_devices);
  ee_status status = check_devices(plan, used);
  free(used);
  return status;
}

int ee_plan_stage_of_layer(const ee_plan *plan, int layer) {
  int low = 0, high = plan->n_stages - 1;
  if (layer < 0 || layer >= plan->n_layers) return -1;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (layer < plan->stage[middle].end) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int ee_plan_stage_of_device(const ee_plan *plan, int device) {
  for (int s = 0; s < plan->n_stages; s++) {
    if (plan->stage[s].device == device) return s;
  }
  for (int i = 0; i < plan->n_replicas; i++) {
    if (plan->replica[i].device == device) return plan->replica[i].stage;
  }
  return -1;
}

/* FNV-1a over the four bytes of x, lowest first on every machine. */
static uint64_t mix(uint64_t hash, int x) {
  for (int shift = 0; shift < 32; shift += 8) {
    hash = (hash ^ (((uint32_t)x >> shift) & 0xff)) * 0x100000001b3u;
  }
  return hash;
}

uint64_t ee_plan_hash(const ee_plan *plan) {
  uint64_t hash = 0xcbf29ce484222325u;
  hash          = mix(mix(mix(hash, plan->n_layers), plan->n_devices), plan->n_stages);
  for (int s = 0; s < plan->n_stages; s++) {
    const ee_stage *stage = &plan->stage[s];
    hash                  = mix(mix(mix(hash, stage->begin), stage->end), stage->device);
  }
  for (int i = 0; i < plan->n_replicas; i++) {
    hash = mix(mix(hash, plan->replica[i].stage), plan->replica[i].device);
  }
  for (int d = 0; d < plan->n_devices; d++) {
    if (ee_plan_turns(plan, d) != 1) hash = mix(mix(hash, d), plan->turns[d]);
  }
  return hash;
}

int ee_plan_equal(const ee_plan *a, const ee_plan *b) {
  if (a->n_layers != b->n_layers || a->n_devices != b->n_devices || a->n_stages != b->n_stages ||
      a->n_replicas != b->n_replicas) {
    return 0;
  }
  for (int s = 0; s < a->n_stages; s++) {
    const ee_stage *x = &a->stage[s], *y = &b->stage[s];
    if (x->begin != y->begin || x->end != y->end || x->device != y->device) return 0;
  }
  for (int i = 0; i < a->n_replicas; i++) {
    const ee_replica *x = &a->replica[i], *y = &b->replica[i];
    if (x->stage != y->stage || x->device != y->device) return 0;
  }
  for (int d = 0; d < a->n_devices; d++) {
    if (ee_plan_turns(a, d) != ee_plan_turns(b, d)) return 0;
  }
  return 1;
}

/* A device after @p mark, with its turns; returns what was used of the text. */
static int put_device(const ee_plan *plan, int device, char mark, char *text, int used, int size) {
  int turns = ee_plan_turns(plan, device);
  if (used < size) used += snprintf(text + used, (size_t)(size - used), "%c%d", mark, device);
  if (turns != 1 && used < size) {
    used += snprintf(text + used, (size_t)(size - used), "*%d", turns);
  }
  return used;
}

const char *ee_plan_text(const ee_plan *plan, char *text, int size) {
  int used = 0;

  if (size > 0) text[0] = '\0';
  for (int s = 0; s < plan->n_stages && used < size; s++) {
    const ee_stage *stage = &plan->stage[s];
    used += snprintf(text + used, (size_t)(size - used), "%s%d-%d ", s > 0 ? " | " : "",
                     stage->begin, stage->end - 1);
    for (int k = 0; k < ee_plan_width(plan, s) && used < size; k++) {
      used = put_device(plan, ee_plan_device(plan, s, k), k > 0 ? ',' : '@', text, used, size);
    }
  }
  return text;
}

void ee_plan_destroy(ee_plan **plan) {
  if (*plan == NULL) return;
  free((*plan)->stage);
  free((*plan)->replica);
  free((*plan)->turns);
  free(*plan);
  *plan = NULL;
}
