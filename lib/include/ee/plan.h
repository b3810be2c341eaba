/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file plan.h
 * Which device owns which layers: data only, not how it was found.
 */

/** Layers [begin, end) and the device that owns them, the first one if there are several. */
typedef struct ee_stage {
  int begin, end;
  int device;
} ee_stage;

/** One more device that owns a stage's layers and takes batches in turn with the others, in each
 *  round as many as its turns. */
typedef struct ee_replica {
  int stage, device;
} ee_replica;

/** Stages in the order of the layers; every layer in exactly one; a device in at most one. */
typedef struct ee_plan {
  int         n_layers, n_devices;
  int         n_stages;    // >= 1
  ee_stage   *stage;       // shape [n_stages]
  int         n_replicas;  // 0: every stage has one device
  ee_replica *replica;     // shape [n_replicas], by stage
  int        *turns;       // shape [n_devices], batches in a round of its stage; NULL: 1 each
} ee_plan;

/**
 * Create with room for @p n_stages stages, zeroed.  Nothing in this file is collective.
 * @param[out] plan  owned by the caller; NULL on error, as everywhere in this file
 * @return EE_OK; EE_ERR_ARG unless 1 <= n_stages <= min(n_layers, n_devices); EE_ERR_NOMEM
 */
ee_status ee_plan_create(int n_layers, int n_devices, int n_stages, ee_plan **plan);

/** Layers spread over the first min(n_layers, n_devices) devices, as equal in number as can be. */
ee_status ee_plan_uniform(int n_layers, int n_devices, ee_plan **plan);

ee_status ee_plan_copy(const ee_plan *plan, ee_plan **copy);

/** EE_OK, or EE_ERR_ARG with what is wrong: layers left out or twice, a device twice or unknown,
 *  turns below 1 or above EE_PLAN_TURNS; EE_ERR_NOMEM. */
ee_status ee_plan_check(const ee_plan *plan);

/** Index of the stage that owns @p layer; -1 if there is no such layer. */
int ee_plan_stage_of_layer(const ee_plan *plan, int layer);

/** Index of the stage that @p device owns, alone or with others; -1 if the device is idle. */
int ee_plan_stage_of_device(const ee_plan *plan, int device);

/** Give stage @p s one more device, its last.  @return EE_OK; EE_ERR_ARG if there is no such stage;
 *  EE_ERR_NOMEM.  Whether the device is free, ee_plan_check() says. */
ee_status ee_plan_add_replica(ee_plan *plan, int s, int device);

/** Devices that own stage @p s, at least 1, and the one of them at place @p k in [0, that). */
int ee_plan_width(const ee_plan *plan, int s);
int ee_plan_device(const ee_plan *plan, int s, int k);

/** Place of @p device among those that own its stage, which it must have. */
int ee_plan_place(const ee_plan *plan, int device);

#define EE_PLAN_TURNS 1024  // most of a device

/** Batches that @p device takes in a round of its stage; and let it take @p turns.
 *  @return EE_OK; EE_ERR_ARG unless the device is known and 1 <= turns <= EE_PLAN_TURNS;
 *          EE_ERR_NOMEM */
int       ee_plan_turns(const ee_plan *plan, int device);
ee_status ee_plan_set_turns(ee_plan *plan, int device, int turns);

/** Batches in a round of stage @p s, of all its devices: each takes turns / round of its samples.
 */
int ee_plan_round(const ee_plan *plan, int s);

/** Devices that own layers. */
int ee_plan_devices_used(const ee_plan *plan);

/** A hash that is equal for equal plans, on every machine; for proving that ranks hold the same
 *  one (FNV-1a, 64 bits). */
uint64_t ee_plan_hash(const ee_plan *plan);

/** Whether both have the same layers, devices and stages, with their devices in the same order and
 *  with the same turns. */
int ee_plan_equal(const ee_plan *a, const ee_plan *b);

/** Write "0-3 @0 | 4-9 @2*3,3" to @p text of @p size bytes (cut short if need be; the last layer of
 *  a stage is written, not the one after it, and turns other than 1); return @p text. */
const char *ee_plan_text(const ee_plan *plan, char *text, int size);

/** Destroy and set to NULL.  *plan may be NULL. */
void ee_plan_destroy(ee_plan **plan);
