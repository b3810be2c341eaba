/* SPDX-License-Identifier: Apache-2.0 */
#include "start_alarm.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"

enum { PATIENCE_S = 60 };

static volatile sig_atomic_t speaks;

static void give_up(int signal_number) {
  static const char sentence[] =
      "edgeexit: the ranks have not found each other within 60 s: one may have died, or cannot "
      "reach "
      "rank 0 by TCP\n";
  (void)signal_number;
  if (speaks && write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0) _exit(1);
  if (speaks) ee_launch_tell(1);
  _exit(1);
}

void ee_start_alarm(void) {
  const char      *rank   = getenv("OMPI_COMM_WORLD_RANK");
  struct sigaction action = {.sa_handler = give_up};
  speaks                  = rank != NULL && strcmp(rank, "0") == 0;
  sigaction(SIGALRM, &action, NULL);
  alarm(PATIENCE_S);
}

void ee_start_alarm_stop(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  alarm(0);
  sigaction(SIGALRM, &action, NULL);
}
