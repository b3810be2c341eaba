/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "transfers.h"

/**
 * @file migrate.h
 * Bringing layers to their new owners in the background.
 *
 * Every rank has the same list of who sends which layer to whom.  Old owners post their sends, of
 * one layer to several devices if need be, and keep the layers until those are done; new owners
 * post receives and make each layer ready as it comes.  On the paced clock a pair of devices moves
 * one layer after the other, so that activations on the same link pass between two layers.
 */
typedef struct ee_migration ee_migration;

/**
 * Begin.  Not collective, but all ranks begin the same migration.  The plan was prepared before.
 * Layers to be sent are kept from now on.
 * @param transfers  used during the call, equal on all ranks
 */
ee_status ee_migration_begin(ee_device *device, const ee_transfers *transfers,
                             ee_migration **migration);

/** Let layers travel.  Once; until then nothing comes in. */
ee_status ee_migration_start(ee_migration *migration);

/** Go on by at most one layer.  *busy is set if one came in. */
ee_status ee_migration_step(ee_migration *migration, bool *busy);

/** Name to @p waiter what lets a step go on. */
void ee_migration_await(ee_migration *migration, ee_waiter *waiter);

/** Whether every layer has come in here; and whether every send is done too. */
bool ee_migration_arrived(const ee_migration *migration);
bool ee_migration_finished(ee_migration *migration);

/** Nobody will follow the plan: take in what still comes, but keep nothing and wait for no modelled
 *  time. */
void ee_migration_abandon(ee_migration *migration);

/** Test this rank's sends: whether all are done. */
bool ee_migration_sent(ee_migration *migration);

/** Wait for this rank's sends.  Does not block once the layers have arrived on every rank. */
void ee_migration_settle(ee_migration *migration);

/** Bytes that came in [byte]. */
int64_t ee_migration_bytes(const ee_migration *migration);

/** Destroy and set to NULL, when it is finished, or after a fault when the weights' communicator
 * was drained. */
void ee_migration_destroy(ee_migration **migration);
