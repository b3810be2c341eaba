/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ee/device.h"
#include "ee/model.h"
#include "ee/status.h"

/**
 * @file message.h
 * What travels over a link: a header, the samples' records, and the values alive across the cut.
 *
 *   header | id [n] | admitted [n] | state [n, state_bytes] | value 0 [n, bytes] | value 1 ...
 */
#define EE_MESSAGE_MAGIC 0x4545584du

/** What comes after a message on its link. */
typedef enum ee_follows {
  EE_FOLLOWS_BATCH,    // what left the next batch
  EE_FOLLOWS_NOTHING,  // this was the last message
  EE_FOLLOWS_PART      // more of the same batch, at another cut, under the same watermark
} ee_follows;

typedef struct ee_message_header {
  uint32_t magic;
  int32_t  plan_epoch;
  int32_t  cut;
  int32_t  n;          // samples; 0: only the watermark travels
  uint64_t watermark;  // every id below it has left the sender, once the whole batch is here
  int64_t  sent;       // when it was posted [ns since the start]
  uint32_t follows;    // ee_follows
  uint32_t state_bytes;
} ee_message_header;

/** Sizes of the messages of one cut. */
typedef struct ee_message_layout {
  int             plan_epoch, cut;
  const ee_model *model;
  ee_link_values  values;       // how they cross here
  size_t          state_bytes;  // per sample, a multiple of 8
  int             n_values;
  const int      *value;         // shape [n_values], values alive across the cut; the model's
  size_t          sample_bytes;  // of the values of one sample
} ee_message_layout;

/** Pointers into a message of n samples. */
typedef struct ee_message {
  ee_message_header *header;
  uint64_t          *id;        // shape [n]
  int64_t           *admitted;  // shape [n] [ns since the start]
  unsigned char     *state;     // shape [n, state_bytes]
  unsigned char     *values;    // the values, one after the other, each of n samples
} ee_message;

/** @p values as asked for; ee_link_values_at() tells what crosses. */
ee_message_layout ee_message_layout_of(const ee_model *model, ee_link_values values, int plan_epoch,
                                       int cut, size_t state_bytes);

/** The same for what @p setup asks for at @p cut. */
ee_message_layout ee_message_layout_for(const ee_run_setup *setup, int plan_epoch, int cut,
                                        size_t state_bytes);

/** Bytes of a message of @p n samples. */
size_t ee_message_bytes(const ee_message_layout *layout, int n);

/** Most samples that one message can hold: MPI counts bytes in an int. */
int ee_message_most(const ee_message_layout *layout);

/** Lay a message of @p n samples over @p buffer, which is 8-byte aligned. */
ee_message ee_message_view(const ee_message_layout *layout, void *buffer, int n);

/** Fill in the header of a message. */
void ee_message_begin(const ee_message_layout *layout, void *buffer, int n, uint64_t watermark,
                      ee_follows follows);

/**
 * Check a message that came in: epoch, cut, count and length.
 * @return EE_OK; EE_ERR_PEER naming @p peer, what came and what was expected
 */
ee_status ee_message_check(const ee_message_layout *layout, const void *buffer, size_t bytes,
                           int max_n, int peer);
