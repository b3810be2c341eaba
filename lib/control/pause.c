/* SPDX-License-Identifier: Apache-2.0 */
#include "pause.h"

#include "ee/agree.h"
#include "ee/clock.h"

#define LOOKS 50000  // how often a word is looked for that must come [ns]

void ee_pause_open(ee_device *device, ee_pause *pause) {
  *pause = (ee_pause){.device = device};
  EE_MPI(MPI_Comm_dup(ee_device_control_comm(device), &pause->comm));
}

void ee_pause_begin(ee_pause *pause, uint64_t id, bool waits) {
  pause->active = true;
  pause->waits  = waits;
  pause->at     = id;
  ee_device_hold(pause->device, id);
}

bool ee_pause_drained(const ee_pause *pause) {
  return ee_device_passed(pause->device) >= pause->at;
}

void ee_pause_ready(ee_pause *pause) {
  pause->n_words++;
  ee_roll_call_open(pause->comm, &pause->word);
  ee_roll_call_come(&pause->word);
  pause->waits = false;
}

static bool is_heard(ee_pause *pause) {
  return pause->n_words == 0 || ee_roll_call_is_complete(&pause->word);
}

static void await_word(ee_pause *pause) {
  int64_t nap = LOOKS;
  while (!is_heard(pause)) ee_clock_nap(&nap, LOOKS);
}

void ee_pause_step(ee_pause *pause) {
  if (!pause->active || pause->waits || !is_heard(pause)) return;
  if ((uint64_t)ee_device_answered(pause->device) < pause->at) return;
  ee_device_release(pause->device);
  pause->active = false;
}

void ee_pause_await(ee_pause *pause, ee_waiter *waiter) {
  bool asked = pause->active && !pause->waits && pause->n_words > 0;
  if (asked) ee_roll_call_await(&pause->word, waiter);
}

void ee_pause_end(ee_pause *pause) {
  if (!pause->active) return;
  await_word(pause);
  pause->active = false;
}

void ee_pause_complete(ee_pause *pause, int64_t most) {
  await_word(pause);
  while (pause->n_words < most) {
    ee_pause_ready(pause);
    await_word(pause);
  }
}

void ee_pause_close(ee_pause *pause) {
  EE_MPI(MPI_Comm_free(&pause->comm));
}
