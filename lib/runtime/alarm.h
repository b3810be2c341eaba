/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/waiter.h"
#include "wire.h"

/**
 * @file alarm.h
 * Telling every rank that one has failed, so that all leave the loop and can agree on the reason.
 */
typedef struct ee_alarm {
  const ee_wire *wire;
  int            message;
  MPI_Request    request;
} ee_alarm;

void ee_alarm_open(const ee_wire *wire, ee_alarm *alarm);

/** Tell all other ranks.  The messages are one int each and leave at once. */
void ee_alarm_raise(const ee_alarm *alarm);

/** Whether another rank has raised it. */
bool ee_alarm_heard(ee_alarm *alarm);

/** Wait for it. */
void ee_alarm_await(ee_alarm *alarm, ee_waiter *waiter);

void ee_alarm_close(ee_alarm *alarm);
