/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/exec.h"
#include "ee/exit_table.h"
#include "ee/fleet.h"
#include "ee/lifeline.h"
#include "ee/link_values.h"
#include "ee/plan.h"
#include "ee/policy.h"
#include "ee/trace.h"
#include "ee/waiter.h"

/**
 * @file device.h
 * One rank as an edge device: it receives activations, runs its segment, lets samples leave and
 * sends the rest on.
 *
 * Rank 0 is also the source, which admits samples, and the collector, which records answers.
 * Sample ids count from 0.  An epoch is `epoch_samples` ids: the unit of control.  The source
 * admits ids of epoch e only when the controller has seen the end of epoch e - 1 - control_delay
 * (but for one that changes nothing, see ee_device_run_ahead()),
 * so that whatever is decided at the end of epoch e can take effect, on every rank alike, at the
 * first id of epoch e + 1 + control_delay.
 */

typedef struct ee_device ee_device;

/** Where samples come from.  Used on rank 0 only. */
typedef struct ee_source_reader {
  void *self;
  /** Read samples [first, first + n), preprocessed.  @param[out] input shape [n, elements] */
  ee_status (*read)(void *self, int64_t first, int64_t n, float *input);
} ee_source_reader;

/** Where a device gets a layer's weights at the start. */
typedef struct ee_layer_reader {
  void *self;
  /** Read the blob of @p layer (exec.h), malloc()ed, given to the caller. */
  ee_status (*read)(void *self, int layer, float **blob);
} ee_layer_reader;

/**
 * What a run is.  Logically collective: equal on all ranks but for what is marked rank 0.
 *
 * A sample that a policy offloads goes on to the last exit, and no exit on the way is to be asked.
 * Without `offload` the plan's chain of devices is the way: the device goes on with its own layers.
 * With it, each stage also holds the layers behind the exits of the stage before, and an offloaded
 * sample leaves its device at once, with what is alive behind the exit where it was decided.  The
 * plan must then stay as it is.
 *
 * With `latency_limit` a sample that nobody has answered so long after its arrival at the source,
 * which is its admission, or with `rate` its time, is answered with the deepest exit whose answer
 * rank 0 has by then: each stage sends what its last exit said of those that go on.  Devices drop
 * it when they meet it the next time.  If the limit is over before its first exit, it is answered
 * there.  EE_WAY_LIMIT and EE_WAY_LATE say so.  Not with a policy that learns.
 *
 * With `outcomes` no layer runs: sample i's exits say what row i of the table holds.  Messages have
 * their true lengths, and devices take the time that the fleet says; so a fleet must be given.
 */
typedef struct ee_run_setup {
  const ee_model      *model;
  const ee_backend    *backend;
  const ee_policy     *policy;
  const ee_exit_table *outcomes;        // what exits say, by sample id, instead of running layers
  const ee_schedule   *offload_costs;   // by sample id, for a policy that learns; NULL: none given
  const ee_plan       *plan;            // the first one
  bool                 whole_blocks;    // planners cut only where one value is alive
  double               max_period;      // that planner latency keeps to; 0: it need not [s]
  const ee_fleet      *fleet;           // NULL: the real clock; else paced, device d is rank d
  double               host_flops;      // what "relative: 1" of the fleet means [FLOP/s]
  const double        *link_bandwidth;  // without a fleet: as ee_links_measure() found; NULL: free
  const double        *link_latency;
  bool                 links_alike;  // for planning only: the two above are what links are, also
                                     // those of a fleet, and every element is as the first
  const double *range_bytes;         // for planning only: what ee_exec_memory_of_ranges() says,
                                     // packed, shape [n_layers + 1], then arenas; NULL: it is asked
                                     // where a fleet limits memory
  bool                 by_seconds;   // layers count as work what they took when profiled
  ee_layer_reader      layers;
  ee_source_reader     source;  // rank 0
  const int32_t       *label;   // rank 0, shape [n_samples]; NULL: unlabelled
  uint64_t             n_samples;
  int                  batch_limit;    // most samples in one batch, >= 1
  int                  slots;          // messages in flight per link, >= 1
  int                  epoch_samples;  // >= 1
  int                  control_delay;  // epochs, >= 0
  ee_link_values       link_values;    // unless they are as they are, answers depend on the cuts
  const bool          *int8_at;  // shape [n_layers + 1], cuts with EE_LINK_I8 instead; NULL: none
  bool                 offload;  // see below
  double               merge_wait;     // longest wait for a fuller batch [s]
  double               rate;           // samples admitted per second [1/s]; 0: as fast as they go
  double               latency_limit;  // see below [s]; 0: none
  bool                 with_logits;    // answers carry their logits
  const ee_trace_sink *sink;           // of this rank; NULL: no trace
  ee_lifeline         *lifeline;       // of all ranks; NULL: a death ends the job
  const volatile sig_atomic_t *stop;   // not 0 once the run is to end early; NULL: never
} ee_run_setup;

/** What is asked for at @p cut: `link_values`, or EE_LINK_I8 if `int8_at` says so. */
ee_link_values ee_run_link_values(const ee_run_setup *setup, int cut);

/** What layer @p layer, or the head of exit @p exit, counts as work for one sample: its operations,
 *  or, if `by_seconds`, its profiled seconds times host_flops, so that layers which this kind of
 *  machine runs badly weigh more [FLOP]. */
double ee_layer_work(const ee_run_setup *setup, int layer);
double ee_head_work(const ee_run_setup *setup, int exit);

/** The same for what each of the two devices beside @p cut does to pass one sample on or to take
 *  it; 0 at the ends, and unless `by_seconds` [FLOP]. */
double ee_copy_work(const ee_run_setup *setup, int cut);

/**
 * Measure the links between all pairs of ranks, one pair at a time: the median of half round trips
 * of one byte, and the bytes per second of the fastest round trip of a large message without that.
 * Collective; takes some tens of milliseconds for a pair, or what a slow link needs for 24 MiB.
 * @param[out] bandwidth  shape [ranks, ranks] [byte/s]; 0 from a rank to itself
 * @param[out] latency    shape [ranks, ranks] [s]; the same on all ranks, and both ways
 * @return EE_OK; EE_ERR_NOMEM, the same on every rank
 */
ee_status ee_links_measure(MPI_Comm comm, double *bandwidth, double *latency);

/** What a controller does in the device loop.  Entries are called on every turn of the loop. */
typedef struct ee_control_hooks {
  void *self;
  /** Go on; *busy is set to true if anything was done. */
  ee_status (*step)(void *self, bool *busy);
  /** Whether the controller has nothing left to do. */
  bool (*done)(const void *self);
  /** Name what it waits for to an idle device; false if it must be asked again and again. */
  bool (*await)(void *self, ee_waiter *waiter);
} ee_control_hooks;

/** What one rank did.  Times in ns. */
typedef struct ee_device_totals {
  int64_t wall, cpu, compute, busy, wait;  // busy: compute and pacing
  int64_t late;  // by how much computing overran the modelled time, summed
  int64_t batches, late_batches;
  int64_t bytes_sent, bytes_received;  // over links between stages; received: also from the source
  int64_t answered, duplicates;        // rank 0: answers recorded, and second answers dropped
  int64_t dropped;    // samples that were met behind their latency limit, and not run any more
  int64_t overtaken;  // rank 0: answers that came after the limit had answered
  int64_t held;       // rank 0: that the source could have sent samples, but waited for a sum
  size_t  memory;     // most that weights, arenas and slots took together [byte]
} ee_device_totals;

/**
 * Create: load this rank's layers, open the links of the first plan.
 *
 * Collective over @p comm, which is duplicated once per kind of message.
 * @return EE_OK, or the first error of any rank, the same on every rank: EE_ERR_ARG for a setup
 *         that cannot run, EE_ERR_MISMATCH if ranks were given different ones, EE_ERR_NOMEM, or
 *         what reading a layer returned
 */
ee_status ee_device_create(MPI_Comm comm, const ee_run_setup *setup, ee_device **device);

/**
 * Run the stream to its end.  Collective.
 * @param hooks  a controller; NULL: none, the first plan stays and epochs do not hold the source;
 *               EE_ERR_ARG if the policy learns, which takes a controller
 * @return EE_OK when every id was answered exactly once; EE_ERR_INTERRUPTED after `stop`; else the
 * first error of any rank, the same on every rank; answers already recorded stay recorded
 */
ee_status ee_device_run(ee_device *device, const ee_control_hooks *hooks);

/** This rank's totals; valid after ee_device_run. */
const ee_device_totals *ee_device_totals_of(const ee_device *device);

/** Destroy and set to NULL.  Collective.  *device may be NULL on every rank. */
void ee_device_destroy(ee_device **device);

// ---- for a controller ----

MPI_Comm            ee_device_control_comm(const ee_device *device);
MPI_Comm            ee_device_weights_comm(const ee_device *device);
const ee_run_setup *ee_device_setup(const ee_device *device);
int                 ee_device_rank(const ee_device *device);

/** Every id below this has left this device; UINT64_MAX if it has no segment. */
uint64_t ee_device_passed(const ee_device *device);

/** Nanoseconds since the start of the run. */
int64_t ee_device_now(const ee_device *device);

/** Counts of one epoch on this device: samples that reached and left each exit. */
typedef struct ee_epoch_counts {
  int64_t *reached, *left;           // shape [n_exits]
  int64_t  work;                     // done for samples of the epoch [FLOP]
  int64_t  busy;                     // ns it took, pacing included
  int64_t  received_bytes, link_ns;  // over the link into this device, and how long it was occupied
} ee_epoch_counts;

/** Counts of epoch @p epoch, final once ee_device_passed() is beyond it.  Borrowed; reused
 *  control_delay + 3 epochs later, so take them when the epoch has passed. */
const ee_epoch_counts *ee_device_counts(const ee_device *device, int64_t epoch);

/** Integers that the policy learns per epoch; 0: it does not learn. */
size_t ee_device_learned_length(const ee_device *device);

/** What this device learned from ids of epoch @p epoch, shape [ee_device_learned_length()]; to be
 *  taken like its counts, and only if the length is not 0. */
const int64_t *ee_device_learned(ee_device *device, int64_t epoch);

/** Take what all devices learned in the next epoch, in order from epoch 0, and what an offload cost
 *  by its end (NaN: not measured); nothing if the policy does not learn.  Ids of epoch
 *  e + 1 + control_delay wait for the sums of epoch e. */
void ee_device_teach(ee_device *device, const int64_t *sums, double offload_cost);

/** What an offload costs for the first id of epoch @p epoch, as policies that learn are told; NaN:
 *  they are not.  Valid for the last control_delay + 2 epochs that were taught. */
double ee_device_offload_cost(const ee_device *device, int64_t epoch);

/** The plan in force for the newest ids, and its epoch number (0 for the first). */
const ee_plan *ee_device_plan(const ee_device *device, int *plan_epoch);

/** The layers held by this device. */
ee_resident *ee_device_resident(ee_device *device);

/**
 * Get ready for @p plan: open its links and its exec; layers come separately.  Not collective,
 * but every rank must do it before any is told to switch.
 */
ee_status ee_device_prepare(ee_device *device, const ee_plan *plan);

/** Ids from @p first_id on follow the prepared plan.  All ranks alike; @p first_id must be an id
 *  that the source has not admitted (see the top of this file). */
ee_status ee_device_switch(ee_device *device, uint64_t first_id);

/** Forget the prepared plan, which no id will follow. */
void ee_device_unprepare(ee_device *device);

/** Epochs [0, @p epochs) have been summed; the source may go on accordingly. */
void ee_device_epochs_known(ee_device *device, int64_t epochs);

/**
 * Let the source go on without waiting for sums, which may fall behind: for a controller that
 * changes nothing of what is to come.  Counts of epochs are kept until they are known.  All ranks
 * alike, before ee_device_run(), and only if the policy does not learn.
 */
void ee_device_run_ahead(ee_device *device);

/** Ids below this were admitted; known to rank 0, elsewhere 0. */
uint64_t ee_device_admitted(const ee_device *device);

/** When a weights message of @p bytes posted by @p peer at @p sent counts as arrived on the
 *  paced clock [ns since the start]; `sent` itself on the real clock. */
int64_t ee_device_pace_weights(ee_device *device, int peer, int64_t sent, size_t bytes);

/** Admit no id from @p id on, which was not admitted, until ee_device_release().  Rank 0's source;
 *  nothing on other ranks. */
void ee_device_hold(ee_device *device, uint64_t id);
void ee_device_release(ee_device *device);

/** Samples answered so far, known to rank 0; elsewhere INT64_MAX. */
int64_t ee_device_answered(const ee_device *device);

/** When the last of them arrived [ns since the start]; 0 if none did, and on other ranks. */
int64_t ee_device_latest_answer(const ee_device *device);

/** Hand an event of this rank to the trace, if there is one. */
void ee_device_trace_event(ee_device *device, const ee_event *event);
