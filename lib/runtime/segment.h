/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "answers.h"
#include "counters.h"
#include "ee/device.h"
#include "entries.h"
#include "fan.h"
#include "lessons.h"
#include "link.h"
#include "message.h"
#include "message_event.h"
#include "sample_state.h"

/**
 * @file segment.h
 * The layers that this device owns under one plan: where its samples come from, how they run,
 * where they leave and where the rest goes.
 */

/** What segments of one device share; borrowed. */
typedef struct ee_segment_context {
  const ee_wire      *wire;
  const ee_run_setup *setup;
  ee_pacer           *pacer;
  ee_counters        *counters;
  ee_resident        *resident;
  ee_answer_box      *answers;
  ee_device_totals   *totals;
  int64_t             origin;       // start of the run on this host's clock [ns]
  float              *probability;  // shape [n_classes], scratch
  ee_lessons         *lessons;      // what the policy learns
  ee_deadline         deadline;
} ee_segment_context;

/** A link into a segment. */
typedef struct ee_input {
  ee_inbox *inbox;
  uint64_t  watermark;  // ids below it came in over this link, or never will
  bool      met;        // the inbox's head message was checked
  int       taken;      // samples already taken from it
  bool      ended;      // nothing more comes in
} ee_input;

typedef struct ee_segment {
  const ee_segment_context *context;
  int                       plan_epoch;
  int                       begin, end;  // layers that it may run; the plan's may begin later
  ee_exec                  *exec;
  int                       n_inputs;    // >= 1
  ee_input                 *input;       // shape [n_inputs], from all devices of the stage before
  int                       next_input;  // the one to look at first
  bool                      ordered;     // ids come in rising
  ee_fan                    fan;         // without links if `end` is the end of the model
  ee_entries                entries;     // where samples come in
  ee_message_layout         in, out;     // of the plan's cuts

  // The batch being gathered, as it came in.
  int            filled;       // samples in it
  int            entry;        // in `entries`, of its samples
  bool           closed;       // samples that come in elsewhere stand behind it
  int64_t        first_taken;  // when its first sample came in [ns]
  int64_t        taking;       // how long it took to copy its samples out of messages [ns]
  uint64_t      *id;           // shape [batch_limit]
  int64_t       *admitted;     // shape [batch_limit] [ns]
  unsigned char *state;        // shape [batch_limit, in.state_bytes]
  int           *keep;         // shape [batch_limit], scratch of the exits: who stays
  int           *go;           // shape [batch_limit], the same: who is offloaded

  uint64_t watermark;    // ids below it came in, or left before
  uint64_t ceiling;      // of ordered ids, above all that came in; beyond `watermark` while parts
                         // are to follow
  uint64_t passed;       // ids below it have left this device
  bool     input_ended;  // nothing more comes in
  bool     ended;        // and all of it has gone on
  size_t   bytes;        // memory of arena and slots [byte]
} ee_segment;

/** Open the segment of this rank under @p plan; *segment is NULL if the rank is idle in it.  Its
 *  layers need not be here yet.  EE_ERR_ARG if under the first plan they, their activations and
 *  messages exceed the device's memory. */
ee_status ee_segment_open(const ee_segment_context *context, const ee_plan *plan, int plan_epoch,
                          ee_segment **segment);

/** Ids begin at @p first_id: the plan's first, or where it takes over. */
void ee_segment_begin(ee_segment *segment, uint64_t first_id);

/** Whether it may take samples in: with several inputs only once it has begun, since what those
 * that were silent so far promise, and with it its own watermark, is not known before. */
bool ee_segment_may_begin(const ee_segment *segment);

/** Take from the inboxes what fits into the batch.  *busy is set if anything was taken. */
ee_status ee_segment_gather(ee_segment *segment, int64_t now, bool *busy);

/** Whether the batch should run now: it is full, or has waited long enough, or nothing follows. */
bool ee_segment_ready(const ee_segment *segment, int64_t now);

#define EE_BATCH_PARTS 32  // messages that one batch may leave: a part per exit, and what goes on

/** What a batch that has run leaves to be sent when its time has come. */
typedef struct ee_batch_result {
  ee_segment *segment;
  int         n_out;  // messages in the slots of the link whose turn it is
  size_t      out_bytes[EE_BATCH_PARTS];
  bool        news;     // there is no message, so the watermark is to travel alone
  uint64_t    passed;   // of the segment once this is sent
  int64_t     release;  // not before this time [ns]
  uint64_t    first_id;
  int         n;  // samples that went in
} ee_batch_result;

/**
 * Run the batch through layers and exits; answers and survivors are left in the boxes' slots,
 * which must be free (ee_segment_can_send).
 */
ee_status ee_segment_run(ee_segment *segment, int64_t now, ee_batch_result *result);

/** Messages that one batch may part into: what goes on, and with offloading a part per exit. */
int ee_segment_parts(const ee_segment *segment);

/** Layout of the samples that are offloaded at exit @p e; NULL: not wanted.  False if those go on
 *  with the rest: there is no offloading, or the exit is none of this segment's or stands at its
 *  end. */
bool ee_segment_part_layout(const ee_segment *segment, int e, ee_message_layout *layout);

/** Whether a batch's answers and survivors would find free slots. */
bool ee_segment_can_send(const ee_segment *segment);

/** Send what the batch left.  @p now [ns]. */
void ee_segment_release(const ee_batch_result *result, int64_t now);

/** With no batch in hand, let the watermark and the end of the stream travel on. */
bool ee_segment_pass_on(ee_segment *segment, int64_t now);

/** Wait for what it can take, for room to send, and, unless a batch is @p held, for when the one
 *  that is gathered has waited long enough. */
void ee_segment_await(ee_segment *segment, bool held, ee_waiter *waiter);

/** Whether the segment has ended and its messages have been taken, so that it can be closed. */
bool ee_segment_settled(ee_segment *segment, int64_t now);

/** Close and set to NULL.  The layers stay resident: who made them so gives them up. */
void ee_segment_close(ee_segment **segment);
