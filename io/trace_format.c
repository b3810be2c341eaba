/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a trace file as tables: datasets, members of records, entries of the header. */
#include "trace_format.h"

#include <string.h>

#include "h5_util.h"

/* A member of a record. */
typedef struct member {
  const char *name;
  size_t      offset;
  ee_h5_kind  kind;
  bool        natural;  // a 64-bit integer without sign
} member;

static const member answer_members[] = {
    {"id", offsetof(ee_answer, id), EE_H5_I64, true},
    {"label", offsetof(ee_answer, label), EE_H5_I32, false},
    {"prediction", offsetof(ee_answer, prediction), EE_H5_I32, false},
    {"exit", offsetof(ee_answer, exit), EE_H5_I32, false},
    {"plan_epoch", offsetof(ee_answer, plan_epoch), EE_H5_I32, false},
    {"confidence", offsetof(ee_answer, confidence), EE_H5_F32, false},
    {"device", offsetof(ee_answer, device), EE_H5_I32, false},
    {"decided_at", offsetof(ee_answer, decided_at), EE_H5_I32, false},
    {"way", offsetof(ee_answer, way), EE_H5_I32, false},
    {"arm", offsetof(ee_answer, arm), EE_H5_I32, false},
    {"reward", offsetof(ee_answer, reward), EE_H5_F32, false},
    {"admitted", offsetof(ee_answer, admitted), EE_H5_I64, false},
    {"answered", offsetof(ee_answer, answered), EE_H5_I64, false},
    {EE_TRACE_ABSENT, offsetof(ee_answer, absent), EE_H5_I64, true},
    {0},
};
static const member event_members[] = {
    {"rank", offsetof(ee_event, rank), EE_H5_I32, false},
    {"kind", offsetof(ee_event, kind), EE_H5_I32, false},
    {"start", offsetof(ee_event, start), EE_H5_I64, false},
    {"end", offsetof(ee_event, end), EE_H5_I64, false},
    {"first_id", offsetof(ee_event, first_id), EE_H5_I64, true},
    {"samples", offsetof(ee_event, samples), EE_H5_I32, false},
    {"plan_epoch", offsetof(ee_event, plan_epoch), EE_H5_I32, false},
    {"bytes", offsetof(ee_event, bytes), EE_H5_I64, false},
    {"peer", offsetof(ee_event, peer), EE_H5_I32, false},
    {"layer", offsetof(ee_event, layer), EE_H5_I32, false},
    {0},
};
static const member epoch_members[] = {
    {"epoch", offsetof(ee_epoch_record, epoch), EE_H5_I32, false},
    {"verdict", offsetof(ee_epoch_record, verdict), EE_H5_I32, false},
    {"plan_epoch", offsetof(ee_epoch_record, plan_epoch), EE_H5_I32, false},
    {"time", offsetof(ee_epoch_record, time), EE_H5_I64, false},
    {"switch_id", offsetof(ee_epoch_record, switch_id), EE_H5_I64, true},
    {"period_measured", offsetof(ee_epoch_record, period_measured), EE_H5_F64, false},
    {"period_predicted", offsetof(ee_epoch_record, period_predicted), EE_H5_F64, false},
    {"period_best", offsetof(ee_epoch_record, period_best), EE_H5_F64, false},
    {"by_latency", offsetof(ee_epoch_record, by_latency), EE_H5_I32, false},
    {"latency_predicted", offsetof(ee_epoch_record, latency_predicted), EE_H5_F64, false},
    {"latency_best", offsetof(ee_epoch_record, latency_best), EE_H5_F64, false},
    {"moved_bytes", offsetof(ee_epoch_record, moved_bytes), EE_H5_F64, false},
    {"offload_cost", offsetof(ee_epoch_record, offload_cost), EE_H5_F64, false},
    {0},
};

/* A table: records have members and the size of their struct, arrays a kind and where their width
 * stands in the shape. */
typedef struct table_layout {
  const char   *name;
  const member *members;
  size_t        bytes;
  ee_h5_kind    kind;
  size_t        width;
} table_layout;

static const table_layout layouts[EE_TABLE_COUNT] = {
    [EE_TABLE_LOGITS]  = {"/logits", NULL, 0, EE_H5_F32, offsetof(ee_trace_shape, n_classes)},
    [EE_TABLE_SAMPLES] = {"/samples", answer_members, sizeof(ee_answer), EE_H5_U8, 0},
    [EE_TABLE_EVENTS]  = {"/events", event_members, sizeof(ee_event), EE_H5_U8, 0},
    [EE_TABLE_LEFT]    = {"/epoch/left", NULL, 0, EE_H5_I64, offsetof(ee_trace_shape, n_exits)},
    [EE_TABLE_REACHED] = {"/epoch/reached", NULL, 0, EE_H5_I64, offsetof(ee_trace_shape, n_exits)},
    [EE_TABLE_BUSY]    = {"/epoch/busy", NULL, 0, EE_H5_F64, offsetof(ee_trace_shape, n_devices)},
    [EE_TABLE_BEFORE]  = {"/epoch/before", NULL, 0, EE_H5_I32, offsetof(ee_trace_shape, n_layers)},
    [EE_TABLE_AFTER]   = {"/epoch/after", NULL, 0, EE_H5_I32, offsetof(ee_trace_shape, n_layers)},
    [EE_TABLE_BEFORE_REPLICAS] = {"/epoch/before_replicas", NULL, 0, EE_H5_I32,
                                  offsetof(ee_trace_shape, n_devices)},
    [EE_TABLE_AFTER_REPLICAS]  = {"/epoch/after_replicas", NULL, 0, EE_H5_I32,
                                  offsetof(ee_trace_shape, n_devices)},
    [EE_TABLE_BEFORE_TURNS]    = {"/epoch/before_turns", NULL, 0, EE_H5_I32,
                                  offsetof(ee_trace_shape, n_devices)},
    [EE_TABLE_AFTER_TURNS]     = {"/epoch/after_turns", NULL, 0, EE_H5_I32,
                                  offsetof(ee_trace_shape, n_devices)},
    [EE_TABLE_EPOCHS]          = {"/epochs", epoch_members, sizeof(ee_epoch_record), EE_H5_U8, 0},
};

const ee_trace_number ee_trace_numbers[] = {
    {"n_ranks", offsetof(ee_trace_header, n_ranks), 1, EE_TRACE_MAX_RANKS},
    {"n_exits", offsetof(ee_trace_header, n_exits), 1, EE_TRACE_MAX_EXITS},
    {"n_classes", offsetof(ee_trace_header, n_classes), 1, EE_TRACE_MAX_CLASSES},
    {"n_layers", offsetof(ee_trace_header, n_layers), 1, EE_TRACE_MAX_LAYERS},
    {"n_devices", offsetof(ee_trace_header, n_devices), 1, EE_TRACE_MAX_RANKS},
    {"batch_limit", offsetof(ee_trace_header, batch_limit), 0, INT32_MAX},
    {"epoch_samples", offsetof(ee_trace_header, epoch_samples), 0, INT32_MAX},
    {"with_logits", offsetof(ee_trace_header, with_logits), 0, 1},
    {0},
};

const ee_trace_text ee_trace_texts[EE_TRACE_N_TEXTS + 1] = {
    {"/run/command", offsetof(ee_trace_header, command)},
    {"/run/model", offsetof(ee_trace_header, model_path)},
    {"/run/data", offsetof(ee_trace_header, data_path)},
    {"/run/policy", offsetof(ee_trace_header, policy)},
    {"/run/clock", offsetof(ee_trace_header, clock)},
    {"/run/host", offsetof(ee_trace_header, host)},
    {"/run/versions", offsetof(ee_trace_header, versions)},
    {"/run/fleet", offsetof(ee_trace_header, fleet_text)},
    {0},
};

ee_trace_shape ee_trace_shape_of(const ee_trace_header *header) {
  return (ee_trace_shape){.n_exits       = header->n_exits,
                          .n_classes     = header->n_classes,
                          .n_layers      = header->n_layers,
                          .n_devices     = header->n_devices,
                          .with_logits   = header->with_logits != 0,
                          .with_replicas = true,
                          .with_turns    = true,
                          .with_absent   = true};
}

const char *ee_trace_table_name(ee_trace_table table) {
  return layouts[table].name;
}

bool ee_trace_table_used(ee_trace_table table, const ee_trace_shape *shape) {
  switch (table) {
    case EE_TABLE_LOGITS:
      return shape->with_logits;
    case EE_TABLE_BEFORE_REPLICAS:
    case EE_TABLE_AFTER_REPLICAS:
      return shape->with_replicas;
    case EE_TABLE_BEFORE_TURNS:
    case EE_TABLE_AFTER_TURNS:
      return shape->with_turns;
    default:
      return true;
  }
}

int ee_trace_table_rank(ee_trace_table table) {
  return layouts[table].members != NULL ? 1 : 2;
}

hsize_t ee_trace_table_width(ee_trace_table table, const ee_trace_shape *shape) {
  if (layouts[table].members != NULL) return 1;
  return (hsize_t) * (const int *)((const char *)shape + layouts[table].width);
}

size_t ee_trace_row_bytes(ee_trace_table table, const ee_trace_shape *shape) {
  if (layouts[table].members != NULL) return layouts[table].bytes;
  return (size_t)ee_trace_table_width(table, shape) * ee_h5_kind_bytes(layouts[table].kind);
}

/* The type of one member; without sign if it is natural. */
static hid_t member_type(const member *m, hid_t signed_type) {
  hid_t type = H5Tcopy(signed_type);
  if (m->natural) H5Tset_sign(type, H5T_SGN_NONE);
  return type;
}

static void insert(hid_t record, const char *name, size_t offset, hid_t type) {
  H5Tinsert(record, name, offset, type);
  ee_h5_release(type);
}

hid_t ee_trace_memory_type(ee_trace_table table) {
  const table_layout *layout = &layouts[table];
  if (layout->members == NULL) return H5Tcopy(ee_h5_memory_type(layout->kind));

  hid_t record = H5Tcreate(H5T_COMPOUND, layout->bytes);
  for (const member *m = layout->members; m->name != NULL; m++) {
    insert(record, m->name, m->offset, member_type(m, ee_h5_memory_type(m->kind)));
  }
  return record;
}

/* Whether a file of this shape has the member. */
static bool is_kept(const member *m, const ee_trace_shape *shape) {
  return shape->with_absent || strcmp(m->name, EE_TRACE_ABSENT) != 0;
}

hid_t ee_trace_file_type(ee_trace_table table, const ee_trace_shape *shape) {
  const table_layout *layout = &layouts[table];
  if (layout->members == NULL) return H5Tcopy(ee_h5_file_type(layout->kind));

  size_t bytes = 0;  // members stand side by side in the file
  for (const member *m = layout->members; m->name != NULL; m++) {
    if (is_kept(m, shape)) bytes += ee_h5_kind_bytes(m->kind);
  }
  hid_t record = H5Tcreate(H5T_COMPOUND, bytes);
  bytes        = 0;
  for (const member *m = layout->members; m->name != NULL; m++) {
    if (!is_kept(m, shape)) continue;
    insert(record, m->name, bytes, member_type(m, ee_h5_file_type(m->kind)));
    bytes += ee_h5_kind_bytes(m->kind);
  }
  return record;
}
