/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/plan.h"
#include "ee/status.h"

/**
 * @file trace.h
 * What a run tells about itself: records, and the table of functions that receives them.
 *
 * The runtime fills records and hands them to an ee_trace_sink; who writes them where is behind
 * the table (io writes HDF5).  No clock is read and nothing is filled in without a sink.
 * Times are nanoseconds since the start of the run on the run's common clock.
 */

#define EE_EVENT_LIST(X)                                              \
  X(COMPUTE, "compute")     /* a batch through layers */              \
  X(HEAD, "head")           /* an exit head and its decisions */      \
  X(WAIT, "wait")           /* nothing to do */                       \
  X(PACE, "pace")           /* holding back to the modelled time */   \
  X(SEND, "send")           /* from the post to its completion */     \
  X(RECEIVE, "receive")     /* from the send's post to its take-up */ \
  X(MIGRATE, "migrate")     /* a layer's weights coming in */         \
  X(ALLREDUCE, "allreduce") /* the controller's sum under way */

typedef enum ee_event_kind {
#define X(name, text) EE_EVENT_##name,
  EE_EVENT_LIST(X)
#undef X
      EE_EVENT_COUNT
} ee_event_kind;

/** Name of @p kind, as in a trace file; "unknown" if there is no such kind.  Static storage. */
const char *ee_event_name(ee_event_kind kind);

/** Something that took time on one rank. */
typedef struct ee_event {
  int32_t  rank;
  int32_t  kind;        // ee_event_kind
  int64_t  start, end;  // [ns]
  uint64_t first_id;    // lowest sample id, or the layer of a migration
  int32_t  samples;     // in the batch
  int32_t  plan_epoch;
  int64_t  bytes;  // on the wire, 0 if none
  int32_t  peer;   // other rank, -1 if none
  int32_t  layer;  // first layer run, unit of a team, exit of a head; -1 if none
} ee_event;

/** How a sample came to its answer. */
typedef enum ee_way {
  EE_WAY_LEFT,       // it left at the exit that answered
  EE_WAY_OFFLOADED,  // it was offloaded before, and the last exit answered
  EE_WAY_LIMIT,      // it would have gone on, but its latency limit was over
  EE_WAY_LATE        // its latency limit was over before its first exit, which answered
} ee_way;

/** One answer. */
typedef struct ee_answer {
  uint64_t id;
  int32_t  label;  // -1: unlabelled
  int32_t  prediction;
  int32_t  exit;
  int32_t  plan_epoch;
  float    confidence;  // calibrated probability of the prediction
  int32_t  device;      // rank it left on
  int32_t  decided_at;  // exit where it left or was offloaded
  int32_t  way;         // ee_way
  int32_t  arm;         // that the policy chose for it; -1: it has none
  float    reward;      // that the arm was given for it; NaN: none
  uint64_t absent;      // lanes (ee/units.h) that it came without, a bit each; 0 of a chain
  int64_t  admitted;    // [ns]
  int64_t  answered;    // at the collector [ns]
} ee_answer;

/** Why a plan was kept or changed. */
#define EE_VERDICT_LIST(X)                                                  \
  X(KEPT_BEST, "kept: the present plan is the best")                        \
  X(KEPT_SMALL, "kept: the gain is below the threshold")                    \
  X(KEPT_NOISE, "kept: the gain is within its error bar")                   \
  X(KEPT_COST, "kept: moving costs more than the rest of the stream gains") \
  X(KEPT_WAIT, "kept: the gain must hold for another epoch")                \
  X(KEPT_COOLING, "kept: the last move is too recent")                      \
  X(KEPT_MOVING, "kept: a move is under way")                               \
  X(KEPT_OFF, "kept: rebalancing is off")                                   \
  X(ADOPTED, "adopted: moving begins")                                      \
  X(SWITCHED, "switched: every device was ready")                           \
  X(FAILED, "kept: the planner failed")                                     \
  X(KEPT_MEMORY, "kept: a device's memory cannot hold both plans")          \
  X(KEPT_UNSEEN, "kept: the rule looks at another time")

typedef enum ee_verdict {
#define X(name, text) EE_VERDICT_##name,
  EE_VERDICT_LIST(X)
#undef X
      EE_VERDICT_COUNT
} ee_verdict;

/** @p verdict in words; "unknown" if there is no such verdict.  Static storage. */
const char *ee_verdict_text(ee_verdict verdict);

/** One epoch as the controller saw it.  Arrays belong to the caller and live during the call. */
typedef struct ee_epoch_record {
  int32_t        epoch;             // index
  int32_t        verdict;           // ee_verdict
  int32_t        plan_epoch;        // in force for the samples counted
  int64_t        time;              // when the sum was complete [ns]
  uint64_t       switch_id;         // first sample id of the new plan; 0 unless it is decided
  double         period_measured;   // seconds per sample, by arrivals of answers; 0: none came [s]
  double         period_predicted;  // of the present plan by the planner's model [s]
  double         period_best;       // of the best plan found [s]
  int32_t        by_latency;        // 1: plans were compared by these, 0: by the periods
  double         latency_predicted, latency_best;  // of the two, one sample alone [s]
  double         moved_bytes;                      // that the best plan would move [byte]
  double         offload_cost;  // that a learning policy was told for the epoch's first id; NaN
  int32_t        n_exits, n_devices;
  const int64_t *left;            // shape [n_exits], samples that left at each exit
  const int64_t *reached;         // shape [n_exits]
  const double  *busy;            // shape [n_devices], share of time computing
  const ee_plan *before, *after;  // after: the best plan found; may be NULL
} ee_epoch_record;

/** Receives records.  Entries may be NULL; `self` is handed to each. */
typedef struct ee_trace_sink {
  void *self;
  void (*event)(void *self, const ee_event *event);
  /** logits: shape [n_classes]. */
  void (*answer)(void *self, const ee_answer *answer, const float *logits, int n_classes);
  void (*epoch)(void *self, const ee_epoch_record *record);
  /** Called often; may write what is buffered. */
  void (*poll)(void *self);
} ee_trace_sink;
