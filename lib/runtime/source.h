/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/device.h"
#include "link.h"
#include "message.h"

/**
 * @file source.h
 * Rank 0 only: admits samples in order and hands them to the devices that own layer 0.
 *
 * Ids below a plan's end follow that plan; the first id of the next plan opens its links and the
 * old links get their last message.
 */
typedef struct ee_source ee_source;

/** Open on rank 0; what is passed is borrowed. */
ee_status ee_source_open(const ee_wire *wire, const ee_run_setup *setup, const ee_pacer *pacer,
                         ee_source **source);

/** Open the links to the first devices of a plan that may follow. */
ee_status ee_source_prepare(ee_source *source, const ee_plan *plan, int plan_epoch);

/** Ids from @p first_id on follow the prepared plan.
 *  EE_ERR_STATE if that id has been admitted already. */
ee_status ee_source_switch(ee_source *source, uint64_t first_id);

/** Close the prepared link, which was never used. */
void ee_source_unprepare(ee_source *source);

/** Ids below @p limit may be admitted; never goes back. */
void ee_source_allow(ee_source *source, uint64_t limit);

/** Ids below this were admitted. */
uint64_t ee_source_admitted(const ee_source *source);

/** How long there was room for samples that were not allowed, and might have come in [ns]. */
int64_t ee_source_held(const ee_source *source);

/** Ids from @p id on wait; UINT64_MAX: none does. */
void ee_source_hold(ee_source *source, uint64_t id);

/** Admit what can be admitted now; *busy is set if anything was. */
ee_status ee_source_step(ee_source *source, int64_t now, bool *busy);

/** Wait for room on the links, and for when the next sample comes in. */
void ee_source_await(ee_source *source, int64_t now, ee_waiter *waiter);

/** Whether everything was admitted and every link has got its last message and is settled. */
bool ee_source_done(const ee_source *source);

/** Test what was sent: whether no send is under way. */
bool ee_source_sent(ee_source *source);

/** Close and set to NULL, once everything sent was taken or drained. */
void ee_source_close(ee_source **source);
