/* SPDX-License-Identifier: Apache-2.0 */
/* After a fault: what this rank has sent must have been taken before buffers are freed. */
#include "device_state.h"
#include "ee/agree.h"

static bool data_sent(void *self) {
  ee_device *d    = self;
  bool       sent = d->source == NULL || ee_source_sent(d->source);
  for (int i = 0; i < DEVICE_SEGMENTS && d->segment[i] != NULL; i++) {
    sent &= ee_fan_sent(&d->segment[i]->fan);
  }
  return sent;
}

static bool answers_sent(void *self) {
  return ee_answer_box_poll(((ee_device *)self)->answers);
}

/* Credits and alarms are one int each and leave at once. */
static bool nothing_sent(void *self) {
  (void)self;
  return true;
}

void ee_device_drain(ee_device *d) {
  ee_drain(d->wire.data, data_sent, d);
  ee_drain(d->wire.results, answers_sent, d);
  ee_drain(d->wire.credit, nothing_sent, d);
  ee_drain(d->wire.control, nothing_sent, d);
}
