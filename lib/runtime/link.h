/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/link_slots.h"
#include "ee/status.h"
#include "ee/waiter.h"
#include "pacer.h"
#include "wire.h"

/**
 * @file link.h
 * The two ends of a link: a window of nonblocking sends here, as many posted receives there.
 *
 * A link belongs to one plan epoch.  The receiver posts `slots` receives when it opens its end;
 * the sender starts with as many credits, spends one per message, and gets it back when the
 * receiver has taken the message and posted its slot again.  So every message finds a posted
 * receive, memory is bounded, and nobody waits inside MPI.
 *
 * With several slots the sender has one buffer more, and messages without credit wait in it and in
 * those that are free: so it makes the next message while `slots` are under way, and the link's
 * pace is that of transmission or of `slots` messages per round trip, whatever making them takes.
 * With one slot nothing overlaps: a message is made when the one before was taken.
 * ee/link_slots.h counts the buffers.
 */

/** The sending end. */
typedef struct ee_outbox ee_outbox;

/** Open towards @p peer with @p slots credits, for messages of @p slot_bytes; @p pacer (borrowed)
 * may hold credits back.  Not collective. */
ee_status ee_outbox_open(const ee_wire *wire, int peer, int plan_epoch, int slots,
                         size_t slot_bytes, const ee_pacer *pacer, ee_outbox **outbox);

/** Called when MPI is through with a message and its slot is about to be free. */
typedef void (*ee_sent_fn)(void *context, int peer, const void *message, size_t bytes);

/** Tell @p sent of every message from now on; for the trace. */
void ee_outbox_listen(ee_outbox *outbox, ee_sent_fn sent, void *context);

/** The buffer of the next message, or NULL if that could not leave at once: for want of a buffer or
 *  of credit.  The same buffer is given until it is posted. */
void *ee_outbox_slot(ee_outbox *outbox);

/** The buffer of the message after @p ahead more, if it is free now as those before it are, whether
 *  there is credit or, with several slots, not; else NULL. */
void *ee_outbox_slot_ahead(ee_outbox *outbox, int ahead);

/** Send the first @p bytes of the next message's buffer, as soon as there is credit; its header's
 *  `sent` is set then.  @p now [ns]. */
void ee_outbox_post(ee_outbox *outbox, size_t bytes, int64_t now);

/** Let sends and credits move.  Returns whether anything did.  @p now [ns]. */
bool ee_outbox_poll(ee_outbox *outbox, int64_t now);

/** Wait for credits. */
void ee_outbox_await(ee_outbox *outbox, ee_waiter *waiter);

/** Whether the peer has taken every message. */
bool ee_outbox_settled(const ee_outbox *outbox);

/** Credits that have come back so far: messages that the peer has taken. */
int64_t ee_outbox_taken(const ee_outbox *outbox);

int ee_outbox_peer(const ee_outbox *outbox);

/** Test what was sent: whether no send is under way.  Credits are left alone. */
bool ee_outbox_sent(ee_outbox *outbox);

/** Close and set to NULL, once the peer has taken every message: the link is settled, or was
 *  drained after a fault, or never used. */
void ee_outbox_close(ee_outbox **outbox);

/** The same when the peer is dead, or nobody listens any more: what MPI still holds is never
 *  freed. */
void ee_outbox_abandon(ee_outbox **outbox);

/** The receiving end. */
typedef struct ee_inbox ee_inbox;

/** Open for messages from @p peer; @p pacer (borrowed) may hold them back. */
ee_status ee_inbox_open(const ee_wire *wire, int peer, int plan_epoch, int slots, size_t slot_bytes,
                        ee_pacer *pacer, ee_inbox **inbox);

/** One message that has arrived. */
typedef struct ee_arrival {
  void   *buffer;
  size_t  bytes;
  int64_t occupied;  // how long it occupied the link, on the paced clock [ns]
} ee_arrival;

/** The oldest message, if it has arrived by @p now.  Stays until ee_inbox_release(). */
bool ee_inbox_head(ee_inbox *inbox, int64_t now, ee_arrival *arrival);

/** The oldest message is done with: post its slot again and return a credit.  @p now [ns]. */
void ee_inbox_release(ee_inbox *inbox, int64_t now);

/** Let credits move.  Returns whether all of them are on their way.  @p now [ns]. */
bool ee_inbox_poll(ee_inbox *inbox, int64_t now);

/** Wait for the oldest message that was not yet released. */
void ee_inbox_await(ee_inbox *inbox, ee_waiter *waiter);

/** Wait for credits that are under way. */
void ee_inbox_await_credits(ee_inbox *inbox, ee_waiter *waiter);

int ee_inbox_peer(const ee_inbox *inbox);

/** Close and set to NULL; posted receives are cancelled, so nothing may be under way to them. */
void ee_inbox_close(ee_inbox **inbox);

/** The same when the peer is dead, or has left what was under way; see ee_outbox_abandon(). */
void ee_inbox_abandon(ee_inbox **inbox);
