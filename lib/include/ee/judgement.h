/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/partition.h"

/**
 * @file judgement.h
 * Whether a plan is worth its devices: what it is against one device alone, what each device and
 * each exit head has to do with it, and what would be if a device were not there.
 *
 * Pure functions, as in partition.h.
 */

/** Why a device is idle.  From EE_IDLE_LINK to EE_IDLE_SPARE they are found with
 *  ee_partition_exact(), whatever the planner. */
typedef enum ee_idle {
  EE_IDLE_NOT,        // it is in use
  EE_IDLE_AWAY,       // its speed is 0
  EE_IDLE_LINK,       // it would help if its links cost nothing, and does not as they are
  EE_IDLE_MEMORY,     // it would help if its memory were not limited
  EE_IDLE_PLANNER,    // it would help, but the planner leaves it out
  EE_IDLE_SPARE,      // it would hardly help in its place
  EE_IDLE_UNPLANNED,  // the planner has no plan with it
  EE_IDLE_UNTRIED     // not known: the chain has more than EE_JUDGEMENT_MOST devices
} ee_idle;

/** A device under a plan. */
typedef struct ee_device_worth {
  int     stage;    // that it owns; -1: it is idle
  double  seconds;  // per admitted sample that it is busy [s]
  double  bytes;    // that its layers and messages take [byte]
  ee_idle idle;
  /* Of the planner's plan for all devices but this one, if it is in use, or for those in use and
   * this one, if it is idle; INFINITY if no plan fits then, NAN if it was not tried. */
  double other_period, other_latency;  // [s]
} ee_device_worth;

typedef struct ee_judgement {
  ee_forecast      forecast;                     // of the plan
  int              alone;                        // device that would be best alone; -1: none can
  double           alone_period, alone_latency;  // with all layers on it; INFINITY if none can [s]
  int              n_devices;                    // of the chain
  ee_device_worth *device;                       // shape [n_devices]
} ee_judgement;

/** Most devices of a chain for which other plans are tried. */
#define EE_JUDGEMENT_MOST 64

/** Differences of less than this are none, relatively. */
#define EE_JUDGEMENT_MARGIN 0.01

/**
 * The exit whose head takes more than half of the time of the bottleneck stage; -1 if there is none
 * or the bottleneck is a link.
 * @param[in]  forecast  of @p plan under @p chain
 * @param[out] share     part of that stage's time that all its heads take; 0 if it is a link
 */
int ee_partition_head(const ee_chain *chain, const ee_plan *plan, const ee_forecast *forecast,
                      double *share);

/**
 * Judge @p plan, which @p planner has found for @p chain or some of its devices.
 * @param[in]  max_period  0, or the limit if the plan is that of ee_partition_latency_within() [s]
 * @param[out] judgement     owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG if chain or plan is wrong; EE_ERR_NOMEM
 */
ee_status ee_partition_judge(const ee_chain *chain, const ee_planner *planner, double max_period,
                             const ee_plan *plan, ee_judgement **judgement);

/** Whether the plan with @p period and @p latency is better by the margin than the judged one, in
 *  what the planner makes short: the latency if @p by_latency, else the period. */
bool ee_judgement_is_better(const ee_judgement *judgement, bool by_latency, double period,
                            double latency);

/** Destroy and set to NULL.  *judgement may be NULL. */
void ee_judgement_destroy(ee_judgement **judgement);
