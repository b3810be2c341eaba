/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "alarm.h"
#include "segment.h"
#include "source.h"

/** @file device_state.h  The inside of a device; for the files named device_*.c. */

#define DEVICE_SEGMENTS 6  // of the plan in force, the prepared one, and those not yet settled

struct ee_device {
  ee_run_setup       setup;  // a copy; what it points to is borrowed
  ee_wire            wire;
  ee_pacer           pacer;
  ee_counters        counters;
  ee_lessons         lessons;
  ee_resident       *resident;
  ee_answer_box     *answers;
  ee_collector      *collector;  // rank 0, else NULL
  ee_source         *source;     // rank 0, else NULL
  ee_alarm           alarm;
  bool               alarmed;  // another rank has failed
  ee_device_totals   totals;
  float             *probability;  // shape [n_classes]
  ee_segment_context context;      // what the segments share

  ee_plan    *plan, *prepared;           // in force for the newest ids; the one that may follow
  int         plan_epoch;                // of `plan`; the prepared one's is one more
  ee_segment *segment[DEVICE_SEGMENTS];  // oldest plan first; NULL entries at the end

  bool            holding;  // a batch has run and waits for its time
  ee_batch_result held;
  int64_t         computed;    // when the held batch was done computing [ns]
  int64_t         idle_since;  // start of the present wait [ns]; -1: none
  ee_waiter       waiter;
};

/** One turn of the loop: everything that can be done now.  *busy: whether anything was. */
ee_status ee_device_turn(ee_device *device, bool *busy);

/** After a fault, once every rank has left the loop: let no message of the run stay behind.
 *  Collective. */
void ee_device_drain(ee_device *device);

/** Note how much memory weights, arenas and slots take now. */
void ee_device_note_memory(ee_device *device);

/** Add a segment behind the others.  *segment may be NULL: the device is idle under the plan. */
ee_status ee_device_add_segment(ee_device *device, ee_segment *segment);

/** Close segment @p i and give up its layers. */
void ee_device_remove_segment(ee_device *device, int i);
