/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/fleet.h"
#include "ee/trace_file.h"
#include "report_stats.h"

/**
 * @file report_data.h
 * Everything that a report says, worked out from the records of a trace and not yet printed.
 */

/** The records.  All borrowed. */
typedef struct ee_report_input {
  const ee_trace_header *header;
  const ee_fleet        *fleet;   // names and watts of devices; NULL: not known
  const ee_answer       *answer;  // shape [n_answers]
  const ee_event        *event;   // shape [n_events]
  const ee_epoch_record *epoch;   // shape [n_epochs], in order
  int64_t                n_answers, n_events;
  int                    n_epochs;
  bool                   complete;  // the run ended by itself
  uint64_t               digest;    // of the answers, ee_report_digest()
} ee_report_input;

/** Answers of one kind: those that came from one exit, or lacked the same branches, or all. */
typedef struct ee_report_exit {
  int64_t answers, labelled, correct;
} ee_report_exit;

/** Answers that lacked the same lanes. */
typedef struct ee_report_absence {
  uint64_t       lanes;  // a bit each
  ee_report_exit answers;
} ee_report_absence;

/** One device's time by kind of event, overlapping events of a kind counted once. */
typedef struct ee_report_device {
  int64_t ns[EE_EVENT_COUNT];  // [ns]
  int64_t answers;             // that left on it
  int64_t bytes_sent;          // to other devices [byte]
  int64_t in_vain;             // of a team: computing what no answer needed [ns]
  double  energy;              // busy: computing, heads, pace; NAN: watts not known [J]
} ee_report_device;

/** What went from one device to another: a message is known from the record of its sender or of
 *  its receiver; the record that knows more bytes counts. */
typedef struct ee_report_link {
  int     from, to;
  int64_t messages, bytes;
  double  overlap;  // share of the time in which messages were under way, from their post to their
                    // take-up, that the receiver computed in; NAN: no record of the receiver
} ee_report_link;

/** A plan that answers came under. */
typedef struct ee_report_plan {
  int            plan_epoch;
  const ee_plan *plan;  // NULL if no record has it
  int64_t        answers;
  uint64_t       first_id;      // lowest sample id among them
  int64_t        first_answer;  // [ns]
  ee_gap         gap;           // longest among the EE_REPORT_WINDOW answers before the first one,
                                // it, and as many after it; of the first plan 0
  ee_summary gaps;              // of these answers, as ee_report.gaps
} ee_report_plan;
#define EE_REPORT_WINDOW 50

/** A plan that was adopted, and what became of it. */
typedef struct ee_report_move {
  int            epoch, plan_epoch;  // when it was adopted; plan_epoch of the old plan
  const ee_plan *before, *after;     // after may be NULL
  bool           by_latency;         // what the plans were compared by; else by period
  double         predicted_before, predicted_after;  // period [s]
  double         latency_before, latency_after;      // predicted, of one sample alone [s]
  double         measured_before;                    // period of the epoch that led to it [s]
  double         measured_after;  // mean period of the epochs under the new plan [s]; 0: none
  int            epochs_after;    // how many these are
  double         moved_bytes;     // [byte]
  int64_t        adopted;         // [ns]
  bool           switched;
  int64_t        ready;      // when every device had its layers [ns], if switched
  uint64_t       switch_id;  // first sample of the new plan, if switched
} ee_report_move;

/** What the policy chose and earned in a tenth of the sample ids. */
typedef struct ee_report_tenth {
  int64_t  answers, offloaded;
  int64_t  rewarded;      // answers with a reward
  double   reward;        // their sum
  double   offload_cost;  // that the policy was told, mean over epochs; NaN: it was not
  int64_t *pulls;         // shape [n_arms]
} ee_report_tenth;
#define EE_REPORT_TENTHS 10

typedef struct ee_report {
  int64_t    answered, expected;
  bool       complete;
  int64_t    begin, end;  // first admission and last answer [ns]
  int64_t    span;        // from the first to the last record of any kind [ns]
  double     throughput, first_quarter, last_quarter;  // [1/s]
  ee_summary latency;                                  // [s]
  ee_gap     gap;
  ee_summary gaps;  // between answers that did not come together, but for those around a
                    // change of plans [s]
  int64_t            limited, late;  // answers by EE_WAY_LIMIT and EE_WAY_LATE
  ee_report_exit     total;
  int                n_exits, n_devices, n_plans, n_moves;
  int64_t            n_links;
  ee_report_exit    *exit;                        // shape [n_exits]
  ee_report_device  *device;                      // shape [n_devices]
  ee_report_link    *link;                        // shape [n_links], by from, then to
  ee_report_plan    *plan;                        // shape [n_plans], by plan epoch
  ee_report_move    *move;                        // shape [n_moves], by epoch
  int                n_arms;                      // 0: the policy had none
  ee_report_tenth   *tenth;                       // shape [EE_REPORT_TENTHS]; NULL without arms
  int64_t           *pulls;                       // of all tenths
  int                n_lanes;                     // of a team; 0: a chain of devices
  int                unit_moves;                  // of a team
  ee_report_exit    *present;                     // shape [n_lanes + 1], by how many lanes came
  int64_t            n_absences;                  // sets of lanes, none among them
  ee_report_absence *absence;                     // shape [n_absences], most answers first
  int64_t            verdicts[EE_VERDICT_COUNT];  // epochs that ended so
  double             energy;                      // of the devices whose watts are known [J]
  ee_summary         allreduce;                   // duration on each rank [s]
} ee_report;

/** Work out everything.  @p report borrows plans from @p input.  EE_OK or EE_ERR_NOMEM. */
ee_status ee_report_make(const ee_report_input *input, ee_report *report);

/** Free what belongs to the report; may be called on a zeroed one. */
void ee_report_clear(ee_report *report);
