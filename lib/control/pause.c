/* SPDX-License-Identifier: Apache-2.0 */
#include "pause.h"

#include "ee/agree.h"

void ee_pause_open(ee_device *device, ee_pause *pause) {
  *pause = (ee_pause){.device = device, .word = MPI_REQUEST_NULL};
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
  EE_MPI(MPI_Ibarrier(pause->comm, &pause->word));
  pause->waits = false;
}

void ee_pause_step(ee_pause *pause) {
  int heard = 1;
  if (!pause->active || pause->waits) return;
  EE_MPI(MPI_Test(&pause->word, &heard, MPI_STATUS_IGNORE));
  if (!heard || (uint64_t)ee_device_answered(pause->device) < pause->at) return;
  ee_device_release(pause->device);
  pause->active = false;
}

void ee_pause_end(ee_pause *pause) {
  if (!pause->active) return;
  EE_MPI(MPI_Wait(&pause->word, MPI_STATUS_IGNORE));
  pause->active = false;
}

void ee_pause_complete(ee_pause *pause, int64_t most) {
  EE_MPI(MPI_Wait(&pause->word, MPI_STATUS_IGNORE));
  while (pause->n_words < most) {
    ee_pause_ready(pause);
    EE_MPI(MPI_Wait(&pause->word, MPI_STATUS_IGNORE));
  }
}

void ee_pause_close(ee_pause *pause) {
  EE_MPI(MPI_Comm_free(&pause->comm));
}
