/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "deadline.h"
#include "ee/trace.h"
#include "ee/waiter.h"
#include "pacer.h"
#include "wire.h"

/**
 * @file answers.h
 * From the device where a sample leaves to the collector on rank 0, which records each id once.
 *
 * The sending end is a window of nonblocking sends without credits: what can be under way is
 * bounded by the samples that the source may have admitted.
 */

/** In place of an ee_way: the answer counts when the sample's latency limit is over, as one of
 *  EE_WAY_LIMIT, unless a deeper one has come by then. */
#define EE_ANSWER_WAITS 16

/** One sample's answer on the wire; its logits follow all records when they are asked for. */
typedef struct ee_answer_record {
  uint64_t id;
  int64_t  admitted;  // [ns]
  int32_t  prediction, exit;
  float    confidence;
  int32_t  plan_epoch;
  int32_t  decided_at, way;  // as in ee_answer, or EE_ANSWER_WAITS
  int32_t  arm;
  float    reward;
  uint64_t absent;
} ee_answer_record;

/** A message of answers that is being filled in. */
typedef struct ee_answer_batch {
  int              *n;       // answers in it
  ee_answer_record *record;  // shape [batch_limit]
  float            *logits;  // shape [batch_limit, n_classes]; NULL if not asked for
} ee_answer_batch;

typedef struct ee_answer_box ee_answer_box;

ee_status ee_answer_box_open(const ee_wire *wire, int slots, int batch_limit, int n_classes,
                             bool with_logits, ee_answer_box **box);

/** A batch to fill, or false if every slot is under way; the same until it is posted. */
bool ee_answer_box_slot(ee_answer_box *box, ee_answer_batch *batch);

/** Send the batch that ee_answer_box_slot() gave, unless it is empty.  @p now [ns]. */
void ee_answer_box_post(ee_answer_box *box, int64_t now);

/** Let sends move; returns whether all are done. */
bool ee_answer_box_poll(ee_answer_box *box);

/** Wait for the oldest batch under way. */
void ee_answer_box_await(ee_answer_box *box, ee_waiter *waiter);

/** Close and set to NULL, once every batch was taken or drained. */
void ee_answer_box_close(ee_answer_box **box);

/** The same when nobody listens any more: what MPI still holds is never freed. */
void ee_answer_box_abandon(ee_answer_box **box);

typedef struct ee_collector ee_collector;

/** What the collector knows of the stream and whom it tells. */
typedef struct ee_collector_setup {
  uint64_t             n_samples;
  const int32_t       *label;  // shape [n_samples] or NULL; borrowed
  int                  n_exits, n_classes, batch_limit;
  bool                 with_logits;
  const ee_trace_sink *sink;   // or NULL; borrowed
  ee_pacer            *pacer;  // borrowed
  ee_deadline          deadline;
} ee_collector_setup;

/** Open on rank 0. */
ee_status ee_collector_open(const ee_wire *wire, const ee_collector_setup *setup,
                            ee_collector **collector);

/** Take what has arrived; *busy is set if anything was.  EE_ERR_PEER for an answer that cannot be.
 */
ee_status ee_collector_poll(ee_collector *collector, int64_t now, bool *busy);

/** Wait for the next answers, and for when those taken have arrived. */
void ee_collector_await(ee_collector *collector, int64_t now, ee_waiter *waiter);

int64_t ee_collector_answered(const ee_collector *collector);
int64_t ee_collector_duplicates(const ee_collector *collector);

/** Answers that came when the latency limit had answered already. */
int64_t ee_collector_overtaken(const ee_collector *collector);

/** When the answers taken so far have all arrived, on the paced clock [ns]. */
int64_t ee_collector_latest(const ee_collector *collector);

void ee_collector_close(ee_collector **collector);
