/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"
#include "trace_format.h"

/**
 * @file trace_part.h
 * Everything in one trace file, read and checked.
 */

typedef struct ee_trace_part {
  ee_trace_header header;                  // its texts are `text`; plan and team are owned
  char           *text[EE_TRACE_N_TEXTS];  // in the order of ee_trace_texts
  ee_trace_shape  shape;
  bool            finished;
  int64_t         n[EE_TABLE_COUNT];     // rows of each table
  char           *rows[EE_TABLE_COUNT];  // as in memory; NULL if there are none
} ee_trace_part;

/** EE_OK if the open file is a trace, or a master of traces, that this program can read;
 *  EE_ERR_FORMAT or EE_ERR_UNSUPPORTED otherwise. */
ee_status ee_trace_check_format(const ee_h5 *h5);

/**
 * Read all tables of an open trace.  Rows that a crash left without contents are dropped; array
 * tables have at least as many rows as the records they belong to, and are cut to as many.
 * @param[out] part  to be cleared, also after an error
 * @return EE_OK; EE_ERR_FORMAT with path and reason; EE_ERR_NOMEM
 */
ee_status ee_trace_part_read(const ee_h5 *h5, ee_trace_part *part);

/** Free everything; may be called on a zeroed one. */
void ee_trace_part_clear(ee_trace_part *part);
