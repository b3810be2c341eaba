/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700  // SA_RESETHAND
#include "interrupt.h"

#include <stddef.h>

#include "dead_rank.h"

static volatile sig_atomic_t flag;

static void raise_flag(int signal_number) {
  flag = 1;
  if (signal_number == SIGTERM) ee_dead_rank_tell();
}

void ee_interrupt_watch(void) {
  struct sigaction action = {.sa_handler = raise_flag, .sa_flags = SA_RESTART | SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

const volatile sig_atomic_t *ee_interrupt_flag(void) {
  return &flag;
}
