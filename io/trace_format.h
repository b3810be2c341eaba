/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <hdf5.h>
#include <stdbool.h>

#include "ee/trace_file.h"

/**
 * @file trace_format.h
 * The layout of a trace file, shared by its writer and its reader.
 *
 * A table is a dataset that grows by rows.  A record table has one compound element per row; an
 * array table has `width` numbers per row and belongs to the record table whose rows it extends.
 */

#define EE_TRACE_FORMAT "edgeexit-trace"
#define EE_TRACE_VERSION 1
#define EE_TRACE_MAX_RANKS (1 << 20)    // more are taken for damage
#define EE_TRACE_MAX_LAYERS (1 << 20)   // the same
#define EE_TRACE_MAX_EXITS (1 << 16)    // the same
#define EE_TRACE_MAX_CLASSES (1 << 24)  // the same

/** All tables, in the order in which they are written: what extends a record stands before it, so
 *  that a record that is in the file has all that belongs to it. */
typedef enum {
  EE_TABLE_LOGITS,
  EE_TABLE_SAMPLES,
  EE_TABLE_EVENTS,
  EE_TABLE_LEFT,
  EE_TABLE_REACHED,
  EE_TABLE_BUSY,
  EE_TABLE_BEFORE,
  EE_TABLE_AFTER,
  EE_TABLE_BEFORE_REPLICAS,
  EE_TABLE_AFTER_REPLICAS,
  EE_TABLE_BEFORE_TURNS,
  EE_TABLE_AFTER_TURNS,
  EE_TABLE_EPOCHS,
  EE_TABLE_COUNT
} ee_trace_table;

#define EE_TRACE_REPLICAS "/run/replicas"
#define EE_TRACE_TURNS "/run/turns"
#define EE_TRACE_ABSENT "absent"  // a member of answers

/** Widths of the array tables, and what is kept. */
typedef struct ee_trace_shape {
  int  n_exits, n_classes, n_layers, n_devices;
  bool with_logits;
  bool with_replicas;  // false in traces from before stages could have several devices
  bool with_turns;     // false in traces from before these could be unequal
  bool with_absent;    // false in traces from before answers told of absent lanes
} ee_trace_shape;

/** Shape that @p header asks for. */
ee_trace_shape ee_trace_shape_of(const ee_trace_header *header);

/** Absolute name of the dataset. */
const char *ee_trace_table_name(ee_trace_table table);

/** Whether a file of this shape has the table. */
bool ee_trace_table_used(ee_trace_table table, const ee_trace_shape *shape);

/** Dimensions of the dataset: 1 for records, 2 for arrays. */
int ee_trace_table_rank(ee_trace_table table);

/** Elements per row; 1 for records. */
hsize_t ee_trace_table_width(ee_trace_table table, const ee_trace_shape *shape);

/** Bytes of one row in memory; a record's is the size of its struct. */
size_t ee_trace_row_bytes(ee_trace_table table, const ee_trace_shape *shape);

/** Type of one element in a file of this shape or in memory; to be released. */
hid_t ee_trace_file_type(ee_trace_table table, const ee_trace_shape *shape);
hid_t ee_trace_memory_type(ee_trace_table table);

/** Numbers of the header, kept as attributes of the root; `offset` is that of an int. */
typedef struct ee_trace_number {
  const char *name;
  size_t      offset;
  int         low, high;
} ee_trace_number;
extern const ee_trace_number ee_trace_numbers[];  // ended by {NULL}

/** Texts of the header, kept as datasets; `offset` is that of a const char *. */
typedef struct ee_trace_text {
  const char *name;
  size_t      offset;
} ee_trace_text;
extern const ee_trace_text ee_trace_texts[];  // ended by {NULL}
#define EE_TRACE_N_TEXTS 8
