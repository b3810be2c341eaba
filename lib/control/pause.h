/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/device.h"
#include "ee/roll_call.h"

/**
 * @file pause.h
 * Holding the stream at an id: until all before it were answered, and if wanted until every rank
 * says that it may go on.
 */
typedef struct ee_pause {
  ee_device   *device;
  MPI_Comm     comm;     // for the ranks' word
  bool         active;   // the stream is held, or this rank has not heard that it goes on
  bool         waits;    // for the ranks' word
  uint64_t     at;       // first id that is held
  ee_roll_call word;     // of the ranks, the last one begun
  int64_t      n_words;  // begun so far
} ee_pause;

/** Collective over the device's ranks. */
void ee_pause_open(ee_device *device, ee_pause *pause);

/** Hold the stream at @p id, which was not admitted.  All ranks alike.
 *  @param waits  go on only when every rank called ee_pause_ready() */
void ee_pause_begin(ee_pause *pause, uint64_t id, bool waits);

/** Whether everything below the id has left this rank. */
bool ee_pause_drained(const ee_pause *pause);

/** This rank may go on; call once. */
void ee_pause_ready(ee_pause *pause);

/** Let the stream go on if it may.  Every turn of the loop. */
void ee_pause_step(ee_pause *pause);

/** Name to @p waiter what lets a step go on, beside samples and answers. */
void ee_pause_await(ee_pause *pause, ee_waiter *waiter);

/** Samples behind the pause came in, so that it is over; does not block. */
void ee_pause_end(ee_pause *pause);

/** After a run: leave no word of @p most in all ranks open.  Collective. */
void ee_pause_complete(ee_pause *pause, int64_t most);

/** Collective. */
void ee_pause_close(ee_pause *pause);
