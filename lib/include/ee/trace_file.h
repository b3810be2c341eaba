/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/fleet.h"
#include "ee/model.h"
#include "ee/trace.h"

/**
 * @file trace_file.h
 * A trace in HDF5, written while the run goes on (SWMR), readable after the writer was killed.
 * docs/formats.md has the layout.
 */

/** A unit (ee/units.h) of a run whose samples are on several devices at once. */
typedef struct ee_trace_unit {
  char    name[EE_NAME_BYTES];
  int32_t device;  // who computes it at first
  int32_t lane;    // -1: none
  int32_t stage;   // first exit that needs it
  int32_t exit;    // whose head runs behind it; -1: none
} ee_trace_unit;

/** All of them. */
typedef struct ee_trace_team {
  bool           bands;     // lanes are bands of rows; else branches, 64 at most
  bool           computed;  // false: answers stood in an exit table, which knows of no absent lane
  int            n_lanes, n_units;
  ee_trace_unit *unit;  // shape [n_units]
} ee_trace_team;

/** Facts about a run that stand at the top of its trace. */
typedef struct ee_trace_header {
  const char          *command;  // command line
  const char          *model_path, *data_path, *policy, *clock, *host;
  const char          *versions;    // of EdgeExit, MPI, HDF5, backend
  const char          *fleet_text;  // the fleet file's text; "" if none
  uint64_t             seed, n_samples;
  int                  n_ranks, n_exits, n_classes, batch_limit, epoch_samples;
  int                  n_layers, n_devices;  // those of plans
  double               started;              // seconds since 1970 UTC [s]
  const ee_plan       *plan;                 // the first one; NULL: there is a team
  const ee_trace_team *team;                 // NULL: the run is on a chain of devices
  int                  with_logits;          // whether each answer's logits are kept
} ee_trace_header;

/**
 * Create the trace of one writer and give the sink that fills it.  Not collective.
 * Buffers are written and flushed when poll() finds them older than a quarter of a second, or when
 * they are large.  A write that fails does not stop the run: the trace ends there, with a warning.
 * @param[in]  header  copied; texts may be NULL, and one of plan and team must
 * @param[out] sink    to be ended by ee_trace_close(); empty on error
 * @return EE_OK; EE_ERR_ARG if the header has neither plan nor team, or a count is out of range;
 * EE_ERR_FILE with path and reason; EE_ERR_NOMEM
 */
ee_status ee_trace_create(const char *path, const ee_trace_header *header, ee_trace_sink *sink);

/** Write what is left and close; the first write error of the run comes back here.  The sink is
 *  empty after it; closing an empty one is EE_OK.  Not collective. */
ee_status ee_trace_close(ee_trace_sink *sink);

/** Create a master file at @p path whose groups link to @p n_parts >= 1 part files, one per node.
 *  Parts in the master's folder are linked by name, others by full path; they need not be there
 *  yet.  Not collective.  EE_OK; EE_ERR_ARG; EE_ERR_FILE; EE_ERR_NOMEM */
ee_status ee_trace_link_parts(const char *path, const char *const *part, int n_parts);

typedef struct ee_trace_file ee_trace_file;

/**
 * Read a finished, half-written or abandoned trace; parts that are linked are read too, and left
 * out with a warning if they cannot be.  Each file is first tried in a child process, because a
 * damaged one could crash HDF5.  Everything is read now: what a run adds later is not seen.
 * Answers have exit, prediction, device and absent lanes in range; events rank, kind and peer;
 * units all; times differ by less than 2^62 ns.  Clocks of several hosts may make an event end
 * before it starts.
 * @param[out] file  to be closed; NULL on error
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT or EE_ERR_UNSUPPORTED with path and reason;
 *         EE_ERR_NOMEM
 */
ee_status ee_trace_open(const char *path, ee_trace_file **file);

/** Borrowed; lives until close.  Plan and team are what the run began with. */
const ee_trace_header *ee_trace_file_header(const ee_trace_file *file);

/** All answers, in order of arrival; the file owns them. */
const ee_answer *ee_trace_file_answers(const ee_trace_file *file, int64_t *n);

/** Logits of answer @p i, shape [n_classes]; NULL if they were not kept. */
const float *ee_trace_file_logits(const ee_trace_file *file, int64_t i);

/** All events, part by part; the file owns them. */
const ee_event *ee_trace_file_events(const ee_trace_file *file, int64_t *n);

/** Epoch records; their arrays belong to the file. */
const ee_epoch_record *ee_trace_file_epochs(const ee_trace_file *file, int *n);

/** Whether the run ended by itself and every part is here. */
int ee_trace_file_complete(const ee_trace_file *file);

/** Free everything and set to NULL.  *file may be NULL. */
void ee_trace_file_close(ee_trace_file **file);
