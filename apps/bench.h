/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>

#include "passes.h"
#include "peak.h"

/** @file bench.h  What `edgeexit bench` finds out, and how it is told. */

typedef struct ee_bench_options {
  const char     *model, *data, *backend;
  int             batch;
  ee_pass_options passes;
  bool            per_layer, json;
} ee_bench_options;

typedef struct ee_bench {
  const ee_bench_options *options;
  ee_whole                whole;  // not open if no model was given
  ee_memory_need          need;
  ee_pass_times           times;
  double                  flop;    // of a sample, in what was run [FLOP]
  ee_cpu_level            level;   // vectors of the backend
  double                  peak;    // of this core with these vectors, in float32 [FLOP/s]
  double                  peak8;   // in 8 bits; 0 unless the backend computes so [operations/s]
  const ee_limits        *limits;  // NULL unless they were asked for
} ee_bench;

/** Milliseconds per sample of @p seconds per batch [ms]. */
double ee_bench_ms(const ee_bench *bench, double seconds);

/** Operations per second of @p flop per sample in @p seconds per batch; 0 if it took none
 *  [FLOP/s]. */
double ee_bench_rate(const ee_bench *bench, double flop, double seconds);

/** Share that the operations of layer @p layer, or if that is -1 of the head of exit @p exit, would
 *  take of @p seconds for a batch if each node ran at the peak of its numbers, float32 or of 8
 * bits; NaN if it took no time. */
double ee_bench_share(const ee_bench *bench, int layer, int exit, double seconds);

/** The same of all that was run. */
double ee_bench_whole_share(const ee_bench *bench);

/** Least time of a batch of layer @p layer by the measured limits: of its operations, or of reading
 *  its weights from where those of the whole model are in between; 0 if limits were not asked for
 *  [s]. */
double ee_bench_limit(const ee_bench *bench, int layer);

/** Whether there was a head of exit @p e to be run; the last exit may have none. */
bool ee_bench_has_head(const ee_bench *bench, int e);

/** Whether node @p k is one of layer @p layer, or, if that is -1, of the head of exit @p exit. */
bool ee_bench_is_of(const ee_model *model, int k, int layer, int exit);

/** Who runs @p node in the measured model, and with which kernel, NULL if there is but one. */
const ee_backend *ee_bench_runner(const ee_bench *bench, const ee_node *node, const char **kernel);

void      ee_bench_print_text(const ee_bench *bench);
ee_status ee_bench_print_json(const ee_bench *bench);
