/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "ee/unit_memory.h"

/**
 * @file team.h
 * Ranks that work on the same sample at the same time: each computes the units (ee/units.h) that
 * are given to it, as soon as what they read has come.
 *
 * Rank 0 is the source and the collector, and tells all ranks of each sample.  A unit with an exit
 * decides whether the sample leaves there, and its rank tells the others: units of the stages
 * behind that have not begun are then left out, and those that have were computed in vain.  So as
 * not to wait for decisions, units are computed at most `ahead` stages before it is known that the
 * sample gets there; work that is known to be needed comes first, then older samples.
 *
 * A unit that joins lanes (ee_unit.joins) waits for an absent lane no longer than `late` after the
 * first of the others; the sample then goes on without that lane.  A rank that is behind by
 * `window` samples for longer than `late` gets no new ones until it has caught up, if all it has
 * belongs to lanes that may be absent.  In which order things come decides nothing else: with all
 * lanes present, answers are bit by bit those of one device, for every placement.
 *
 * With setup->latency_limit a sample ends at the last exit that it passed when its limit is over,
 * or at its first exit if that comes later, as in ee/device.h.
 *
 * Units may move while samples go on: the ranks that are to have them load their weights and open
 * links; when all are ready, samples from the next one on go the new way, and what nobody needs any
 * more is dropped when the last sample that went the old way is over.
 */

typedef struct ee_team ee_team;

/** What rank 0 knows of a run so far, for who decides where units go.  All sums are since the
 * start. */
typedef struct ee_team_news {
  int64_t        now;     // [ns since the start]
  const int64_t *left;    // shape [n_exits], samples that left at each exit
  const int64_t *busy;    // shape [ranks] [ns]
  const double  *work;    // shape [ranks], done in that time [FLOP]
  const bool    *behind;  // shape [ranks]: gets no samples at present
  const bool    *lost;    // shape [ranks]: and never will, since its process has died
} ee_team_news;

/** Decides on rank 0 where units go. */
typedef struct ee_team_mover {
  void *self;
  /** @param[in]  device  shape [n_units], who computes each unit
   *  @param[out] wanted  shape [n_units], who is to
   *  @return whether to move */
  bool (*place)(void *self, const ee_team_news *news, const int *device, int *wanted);
} ee_team_mover;

typedef struct ee_team_options {
  int    window;  // samples that a rank may have begun, >= 1
  int    ahead;   // >= 0
  double late;    // >= 0; INFINITY: lanes are waited for [s]
  int    epoch;   // samples from one look of the mover to the next, but for one at once after a
                  // rank was lost; 0: nothing moves

  const ee_team_mover *mover;  // rank 0's; NULL elsewhere, and if nothing moves
} ee_team_options;

/** Eight samples, two stages ahead, and no lane is left out. */
ee_team_options ee_team_defaults(void);

/** What one rank did. */
typedef struct ee_team_totals {
  int64_t computed, in_vain;       // units; of them those of a sample that had left before
  int64_t spared;                  // units never begun, because their sample left before
  double  flops, flops_in_vain;    // of these units [FLOP]
  int64_t joined, joined_in_part;  // samples that left here; those of them without some lane
  int64_t moves;                   // placements that samples went on to
  int64_t skipped;                 // rank 0: samples begun without some rank that was behind
} ee_team_totals;

/** What device @p setup's clock counts as work of a unit, like ee_layer_work() [FLOP]. */
double ee_unit_work(const ee_run_setup *setup, const ee_unit *unit);

/** What ranks keep for messages when they have begun at most @p window samples; @p policy NULL: one
 *  without a state of a sample's. */
ee_unit_buffers ee_team_buffers(const ee_units *units, const ee_policy *policy, int window);

/**
 * Create: load the weights of this rank's units, open the links between ranks.
 *
 * Collective over @p comm, which is duplicated once per kind of message.
 * @param[in] setup    plan, epochs, batches, links' values, rebalancing and what is offloaded play
 *                     no part; the policy must not learn
 * @param[in] units    equal on all ranks, with devices below the number of ranks; borrowed
 * @param[in] options  equal on all ranks
 * @return EE_OK, or the first error of any rank, the same on every rank: EE_ERR_ARG for what cannot
 *         run or does not fit into a device's memory, EE_ERR_MISMATCH if ranks were given different
 * things, EE_ERR_NOMEM, or what reading a layer returned
 */
ee_status ee_team_create(MPI_Comm comm, const ee_run_setup *setup, const ee_units *units,
                         const ee_team_options *options, ee_team **team);

/**
 * Run the stream to its end.  Collective.  Errors like ee_device_run().
 *
 * With a lifeline and a bound to lateness, a rank whose process dies is left out like one that is
 * late for ever: samples go on without its lanes, units that the mover places go to others.
 * EE_ERR_PEER on all that live if samples cannot do without what it computed.  What follows must
 * then be collective over ee_team_living() alone.
 */
ee_status ee_team_run(ee_team *team);

/** All ranks that live after ee_team_run(): the communicator that ee_team_create() was given, if no
 *  rank was lost, else a new one, given to the caller. */
MPI_Comm ee_team_living(const ee_team *team);

/** This rank's totals; valid after ee_team_run(). */
const ee_device_totals *ee_team_device_totals(const ee_team *team);
const ee_team_totals   *ee_team_totals_of(const ee_team *team);

/** Destroy and set to NULL.  Collective.  *team may be NULL on every rank. */
void ee_team_destroy(ee_team **team);
