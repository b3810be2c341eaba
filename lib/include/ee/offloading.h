/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exit_table.h"
#include "ee/network_trace.h"

/**
 * @file offloading.h
 * What a device may promise that answers the samples it is sure of and offloads the rest (Pacheco,
 * Couto and Simeone, 2021 and 2023).
 *
 * The target p is the confidence at which an exit takes a sample, and the accuracy that is wanted.
 * Exits 0 .. n_device - 1 are on the device.  A sample is answered by the first of these whose
 * confidence is at least p; else it is offloaded, and the last exit answers if that is as
 * confident, else the most confident of the last one and those on the device, the earliest among
 * equals.  Exits between are not asked.  A sample takes the time of the exit where it stopped; most
 * confident or not, one that was offloaded has run to the last.
 *
 * Policy `offload:value=p,exits=n_device` decides and answers alike.
 *
 * With a recorded network an offloaded sample waits for it, too.  The samples of all batches, round
 * after round, are one stream of which one begins every `interval` seconds, the first at time 0 of
 * the trace; a sample is sent when the last exit on the device has seen it.  Samples do not wait
 * for each other. Nothing is collective.
 */

typedef struct ee_offload_setting {
  double        target;    // p, in [0, 1]
  int           n_device;  // in [1, n_exits)
  const double *seconds;   // shape [n_exits], until an answer of each exit, the network's share
                           // included; of exits between not asked [s]
  int      batch;          // samples per batch; of a round's last samples, n mod batch are left out
  int      rounds;         // >= 2, each with the samples shuffled anew
  uint64_t seed;
  const ee_network_trace *network;        // borrowed; NULL: the network always takes the same
  double                  network_bytes;  // of an offloaded sample, there and back; >= 0
  double                  interval;       // between samples; >= 0 [s]
} ee_offload_setting;

/** A mean over rounds and its normal 95 % interval: mean +- half. */
typedef struct ee_interval {
  double mean;
  double half;  // 1.96 deviations of a round (with rounds - 1) / sqrt(rounds)
} ee_interval;

typedef struct ee_offload_metrics {
  // Over all samples.
  double on_device;           // share that the device answers
  double accuracy_on_device;  // of these; NaN if there are none
  double accuracy;
  double seconds;  // mean time of an answer; with a recorded network over all batches [s]
  // Shares of batches.
  /** Accuracy of the batch's samples that the device answers is below p.  A batch without any has
   *  no such accuracy, and is no outage. */
  ee_interval outage;
  ee_interval overall_outage;  // accuracy of the batch's samples is below p
} ee_offload_metrics;

/**
 * Measure a table.
 * @param table       with confidences and all labels; checked by ee_exit_table_check()
 * @param n_deadlines >= 0
 * @param deadline    shape [n_deadlines] [s]
 * @param[out] missed shape [n_deadlines]: share of batches whose accuracy is below p or whose mean
 *                    time is above the deadline
 * @return EE_OK; EE_ERR_ARG naming what is wrong; EE_ERR_NOMEM
 */
ee_status ee_offload_measure(const ee_exit_table *table, const ee_offload_setting *setting,
                             int n_deadlines, const double *deadline, ee_interval *missed,
                             ee_offload_metrics *metrics);
