/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/plan.h"
#include "link.h"
#include "message.h"

/**
 * @file fan.h
 * All links that leave a stage, or the source, for the devices of the stage behind it.
 *
 * Batches take the links in turn, each as often in a round as its device has turns in the plan and
 * as evenly spread as can be (smooth weighted round robin: each link's claim grows by its turns,
 * the largest claim is served and falls by a round).  So who runs a sample depends on the order of
 * batches and on no clock; a link whose turn it is may hold up the others.  Each message carries a
 * watermark for its own link.  A link that has no batch for a while is told the watermark when that
 * enters a new epoch, since devices count by epochs, and when nothing follows.
 */
typedef struct ee_fan_link {
  ee_outbox *outbox;
  uint64_t   told;   // newest watermark on it
  bool       ended;  // nothing follows on it
  int        turns;  // in a round
  int        claim;  // on the next batch
} ee_fan_link;

typedef struct ee_fan {
  int          n;      // links; 0: none is open
  int          turn;   // the one that the next batch takes
  int          round;  // turns of all links
  ee_fan_link *link;   // shape [n]
  int64_t     *bytes;  // where to count what is sent; NULL: nowhere [byte]
} ee_fan;

/** Open a link to each device of stage @p stage of @p plan.  @p first: place of this device among
 *  those that send to the same stage, so that they begin at different ones.
 *  @param[out] fan  to be closed; EE_ERR_NOMEM leaves it closed */
ee_status ee_fan_open(const ee_wire *wire, const ee_plan *plan, int stage, int first,
                      int plan_epoch, int slots, size_t slot_bytes, const ee_pacer *pacer,
                      ee_fan *fan);

void ee_fan_listen(ee_fan *fan, ee_sent_fn sent, void *context);

/** As those of an outbox, of the link whose turn it is. */
void *ee_fan_slot(const ee_fan *fan);
void *ee_fan_slot_ahead(const ee_fan *fan, int ahead);
void  ee_fan_post(ee_fan *fan, size_t bytes, int64_t now);

/** The batch has been sent whole, under @p watermark: the next one takes the next link. */
void ee_fan_advance(ee_fan *fan, uint64_t watermark);

/** Tell the link whose turn it is the watermark alone, if that can leave at once.  Returns whether
 *  it did, as those below. */
bool ee_fan_tell(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark, int64_t now);

/** Tell those of several links that have not heard of this watermark's epoch. */
bool ee_fan_tell_epoch(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark,
                       uint64_t epoch_samples, int64_t now);

/** Tell all links that nothing follows. */
bool ee_fan_end(ee_fan *fan, const ee_message_layout *layout, uint64_t watermark, int64_t now);

/** Whether all links have been told so. */
bool ee_fan_ended(const ee_fan *fan);

/** Ids begin at @p first_id. */
void ee_fan_begin(ee_fan *fan, uint64_t first_id);

bool ee_fan_poll(ee_fan *fan, int64_t now);
void ee_fan_await(const ee_fan *fan, ee_waiter *waiter);
bool ee_fan_settled(const ee_fan *fan);
bool ee_fan_sent(const ee_fan *fan);

/** Close all links, as ee_outbox_close(). */
void ee_fan_close(ee_fan *fan);
