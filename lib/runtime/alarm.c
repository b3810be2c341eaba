/* SPDX-License-Identifier: Apache-2.0 */
#include "alarm.h"

#include "ee/agree.h"

void ee_alarm_open(const ee_wire *wire, ee_alarm *alarm) {
  alarm->wire = wire;
  EE_MPI(MPI_Irecv(&alarm->message, 1, MPI_INT, MPI_ANY_SOURCE, EE_TAG_FAULT, wire->control,
                   &alarm->request));
}

void ee_alarm_raise(const ee_alarm *alarm) {
  int one = 1;
  for (int peer = 0; peer < alarm->wire->size; peer++) {
    if (peer == alarm->wire->rank) continue;
    EE_MPI(MPI_Send(&one, 1, MPI_INT, peer, EE_TAG_FAULT, alarm->wire->control));
  }
}

bool ee_alarm_heard(ee_alarm *alarm) {
  return ee_waiter_done(&alarm->request);
}

void ee_alarm_await(ee_alarm *alarm, ee_waiter *waiter) {
  ee_waiter_add(waiter, &alarm->request, NULL);
}

void ee_alarm_close(ee_alarm *alarm) {
  ee_wire_cancel(&alarm->request);
}
