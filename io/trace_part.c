/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one trace file: header, tables, and the checks that make their values safe to use. */
#include "trace_part.h"

#include <stdlib.h>
#include <string.h>

#include "h5_array.h"
#include "h5_text.h"
#include "trace_plan.h"
#include "trace_units.h"

#define MAX_TIME (INT64_C(1) << 61)   // later is damage; differences of two times cannot overflow
#define MAX_BYTES (INT64_C(1) << 40)  // of one message; sums of them cannot overflow
#define MAX_ARM 65535                 // more are taken for damage

static ee_status damaged(const char *path, ee_trace_table table, int64_t row) {
  return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: row %lld of %s has values that cannot be", path,
                 (long long)row, ee_trace_table_name(table));
}

static bool is_within(int64_t value, int64_t low, int64_t high) {
  return value >= low && value <= high;
}

static bool is_time(int64_t t) {
  return is_within(t, -MAX_TIME, MAX_TIME);
}

static bool answer_is_good(const ee_answer *a, const ee_trace_header *header) {
  return a->label >= -1 && is_within(a->prediction, 0, header->n_classes - 1) &&
         is_within(a->exit, 0, header->n_exits - 1) && a->plan_epoch >= 0 &&
         is_within(a->device, 0, header->n_ranks - 1) && is_time(a->admitted) &&
         is_time(a->answered);
}

static bool decision_is_good(const ee_answer *a) {
  return is_within(a->decided_at, 0, a->exit) && is_within(a->way, EE_WAY_LEFT, EE_WAY_LATE) &&
         is_within(a->arm, -1, MAX_ARM);
}

/* Of a team, of which a lane at least is there. */
static bool absence_is_good(const ee_answer *a, const ee_trace_team *team) {
  if (team == NULL || a->absent == 0) return true;
  return __builtin_popcountll(a->absent) < team->n_lanes &&
         (team->n_lanes >= 64 || a->absent >> team->n_lanes == 0);
}

static bool event_is_good(const ee_event *e, const ee_trace_header *header) {
  return is_within(e->rank, 0, header->n_ranks - 1) && is_within(e->kind, 0, EE_EVENT_COUNT - 1) &&
         is_time(e->start) && is_time(e->end) && e->start <= e->end && e->samples >= 0 &&
         is_within(e->bytes, 0, MAX_BYTES) && is_within(e->peer, -1, header->n_ranks - 1);
}

static bool epoch_is_good(const ee_epoch_record *e) {
  return e->epoch >= 0 && is_within(e->verdict, 0, EE_VERDICT_COUNT - 1) && e->plan_epoch >= 0 &&
         is_time(e->time);
}

static ee_status check_records(const char *path, const ee_trace_part *part) {
  const ee_answer       *answer = (const void *)part->rows[EE_TABLE_SAMPLES];
  const ee_event        *event  = (const void *)part->rows[EE_TABLE_EVENTS];
  const ee_epoch_record *epoch  = (const void *)part->rows[EE_TABLE_EPOCHS];
  for (int64_t i = 0; i < part->n[EE_TABLE_SAMPLES]; i++) {
    if (!answer_is_good(&answer[i], &part->header) || !decision_is_good(&answer[i]) ||
        !absence_is_good(&answer[i], part->header.team)) {
      return damaged(path, EE_TABLE_SAMPLES, i);
    }
  }
  for (int64_t i = 0; i < part->n[EE_TABLE_EVENTS]; i++) {
    if (!event_is_good(&event[i], &part->header)) return damaged(path, EE_TABLE_EVENTS, i);
  }
  for (int64_t i = 0; i < part->n[EE_TABLE_EPOCHS]; i++) {
    if (!epoch_is_good(&epoch[i])) return damaged(path, EE_TABLE_EPOCHS, i);
  }
  return EE_OK;
}

/* Rows at the end whose contents a crash kept from the file: all ones, see the writer. */
static void drop_unwritten(ee_trace_part *part) {
  const ee_answer       *answer = (const void *)part->rows[EE_TABLE_SAMPLES];
  const ee_event        *event  = (const void *)part->rows[EE_TABLE_EVENTS];
  const ee_epoch_record *epoch  = (const void *)part->rows[EE_TABLE_EPOCHS];
  int64_t               *n      = part->n;
  while (n[EE_TABLE_SAMPLES] > 0 && answer[n[EE_TABLE_SAMPLES] - 1].device == -1) {
    n[EE_TABLE_SAMPLES]--;
  }
  while (n[EE_TABLE_EVENTS] > 0 && event[n[EE_TABLE_EVENTS] - 1].rank == -1) n[EE_TABLE_EVENTS]--;
  while (n[EE_TABLE_EPOCHS] > 0 && epoch[n[EE_TABLE_EPOCHS] - 1].epoch == -1) n[EE_TABLE_EPOCHS]--;
}

/* A record's arrays are written before it, so there is one row of each for every record. */
static ee_status match_rows(const char *path, ee_trace_part *part) {
  drop_unwritten(part);
  for (int i = 0; i < EE_TABLE_COUNT; i++) {
    if (ee_trace_table_rank(i) == 1 || !ee_trace_table_used(i, &part->shape)) continue;
    int64_t records = part->n[i == EE_TABLE_LOGITS ? EE_TABLE_SAMPLES : EE_TABLE_EPOCHS];
    if (part->n[i] < records) {
      return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: %s has %lld rows, expected %lld", path,
                     ee_trace_table_name(i), (long long)part->n[i], (long long)records);
    }
    part->n[i] = records;
  }
  return EE_OK;
}

static ee_status read_rows(const ee_h5 *h5, ee_trace_table which, hid_t set, hsize_t n,
                           ee_trace_part *part) {
  size_t row_bytes = ee_trace_row_bytes(which, &part->shape);
  if (n > SIZE_MAX / row_bytes || n > INT64_MAX) {
    return EE_FAIL(EE_ERR_NOMEM, "for %s of %s", ee_trace_table_name(which), h5->path);
  }
  part->rows[which] = calloc(n, row_bytes);
  if (part->rows[which] == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for %s of %s", ee_trace_table_name(which), h5->path);
  }
  ee_status status = EE_OK;
  hid_t     type   = ee_trace_memory_type(which);
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, part->rows[which]) < 0) {
    status = ee_h5_fail(h5, EE_ERR_FORMAT, "read", ee_trace_table_name(which));
  }
  ee_h5_release(type);
  part->n[which] = (int64_t)n;
  return status;
}

static ee_status read_table(const ee_h5 *h5, ee_trace_table which, ee_trace_part *part) {
  const char *name     = ee_trace_table_name(which);
  hsize_t     dim[2]   = {0, 1};
  hsize_t     expected = ee_trace_table_width(which, &part->shape);
  hid_t       set, type = ee_trace_file_type(which, &part->shape);
  ee_status   status = ee_h5_open_dataset(h5, name, type, ee_trace_table_rank(which), dim, &set);
  ee_h5_release(type);
  if (status != EE_OK) return status;

  if (dim[1] != expected) {
    status = EE_FAIL(EE_ERR_FORMAT, "%s: rows of %s have %llu numbers, expected %llu", h5->path,
                     name, (unsigned long long)dim[1], (unsigned long long)expected);
  } else if (dim[0] > 0) {
    status = read_rows(h5, which, set, dim[0], part);
  }
  ee_h5_release(set);
  return status;
}

/* Rows that the trace does not keep are NULL. */
static ee_status read_plan_rows(const ee_h5 *h5, const ee_trace_shape *shape, int32_t *device,
                                int32_t *replica, int32_t *turns) {
  hsize_t layers = (hsize_t)shape->n_layers, devices = (hsize_t)shape->n_devices;
  EE_TRY(ee_h5_read_array(h5, "/run/plan", EE_H5_I32, 1, &layers, device));
  if (replica != NULL) {
    EE_TRY(ee_h5_read_array(h5, EE_TRACE_REPLICAS, EE_H5_I32, 1, &devices, replica));
  }
  if (turns == NULL) return EE_OK;
  return ee_h5_read_array(h5, EE_TRACE_TURNS, EE_H5_I32, 1, &devices, turns);
}

static ee_status read_first_plan(const ee_h5 *h5, ee_trace_part *part) {
  size_t   layers = (size_t)part->shape.n_layers, devices = (size_t)part->shape.n_devices;
  int32_t *row = calloc(layers + 2 * devices, sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the plan of %s", h5->path);
  ee_plan  *plan    = NULL;
  int32_t  *replica = part->shape.with_replicas ? row + layers : NULL;
  int32_t  *turns   = part->shape.with_turns ? row + layers + devices : NULL;
  ee_status status  = read_plan_rows(h5, &part->shape, row, replica, turns);
  if (status == EE_OK)
    status = ee_trace_plan_of_rows(h5->path, part->shape.n_layers, part->shape.n_devices, row,
                                   replica, turns, &plan);
  if (status == EE_OK && plan == NULL && part->header.team == NULL) {
    status = EE_FAIL(EE_ERR_FORMAT, "%s: /run/plan names no device", h5->path);
  }
  part->header.plan = plan;
  free(row);
  return status;
}

static ee_status read_numbers(const ee_h5 *h5, ee_trace_part *part) {
  int64_t value = 0;
  for (const ee_trace_number *number = ee_trace_numbers; number->name != NULL; number++) {
    EE_TRY(ee_h5_read_int_attribute(h5, "/", number->name, number->low, number->high, &value));
    *(int *)((char *)&part->header + number->offset) = (int)value;
  }
  EE_TRY(ee_h5_read_int_attribute(h5, "/", "n_samples", 0, INT64_MAX, &value));
  part->header.n_samples = (uint64_t)value;
  EE_TRY(ee_h5_read_int_attribute(h5, "/", "seed", INT64_MIN, INT64_MAX, &value));
  part->header.seed         = (uint64_t)value;
  part->shape               = ee_trace_shape_of(&part->header);
  part->shape.with_replicas = ee_h5_exists(h5, EE_TRACE_REPLICAS);
  part->shape.with_turns    = ee_h5_exists(h5, EE_TRACE_TURNS);
  part->shape.with_absent =
      ee_h5_has_member(h5, ee_trace_table_name(EE_TABLE_SAMPLES), EE_TRACE_ABSENT);
  return EE_OK;
}

ee_status ee_trace_check_format(const ee_h5 *h5) {
  char    format[64];
  int64_t version;
  EE_TRY(ee_h5_read_text_attribute(h5, "/", "format", format, sizeof format));
  if (strcmp(format, EE_TRACE_FORMAT) != 0) {
    return EE_FAIL(EE_ERR_FORMAT, "%s is of format %s, expected " EE_TRACE_FORMAT, h5->path,
                   format);
  }
  EE_TRY(ee_h5_read_int_attribute(h5, "/", "format_version", 1, INT32_MAX, &version));
  if (version > EE_TRACE_VERSION) {
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s has format version %lld, this program reads up to %d",
                   h5->path, (long long)version, EE_TRACE_VERSION);
  }
  return EE_OK;
}

static ee_status read_team(const ee_h5 *h5, ee_trace_part *part) {
  ee_trace_team *team;
  EE_TRY(ee_trace_units_read(h5, &part->header, &team));
  part->header.team = team;
  return EE_OK;
}

static ee_status read_header(const ee_h5 *h5, ee_trace_part *part) {
  EE_TRY(read_numbers(h5, part));
  for (int i = 0; i < EE_TRACE_N_TEXTS; i++) {
    EE_TRY(ee_h5_read_text(h5, ee_trace_texts[i].name, &part->text[i]));
    *(const char **)((char *)&part->header + ee_trace_texts[i].offset) = part->text[i];
  }
  EE_TRY(ee_h5_read_array(h5, "/run/started", EE_H5_F64, 0, NULL, &part->header.started));
  EE_TRY(read_team(h5, part));
  EE_TRY(read_first_plan(h5, part));
  int32_t finished = 0;
  EE_TRY(ee_h5_read_array(h5, "/run/finished", EE_H5_I32, 0, NULL, &finished));
  part->finished = finished == 1;
  return EE_OK;
}

ee_status ee_trace_part_read(const ee_h5 *h5, ee_trace_part *part) {
  *part = (ee_trace_part){.finished = false};
  EE_TRY(read_header(h5, part));
  // Backwards: a run under way adds to the arrays first, so they never fall behind the records.
  for (int i = EE_TABLE_COUNT - 1; i >= 0; i--) {
    if (ee_trace_table_used(i, &part->shape)) EE_TRY(read_table(h5, i, part));
  }
  EE_TRY(match_rows(h5->path, part));
  return check_records(h5->path, part);
}

void ee_trace_part_clear(ee_trace_part *part) {
  ee_plan       *plan = (ee_plan *)part->header.plan;
  ee_trace_team *team = (ee_trace_team *)part->header.team;
  ee_plan_destroy(&plan);
  ee_trace_units_free(&team);
  for (int i = 0; i < EE_TRACE_N_TEXTS; i++) free(part->text[i]);
  for (int i = 0; i < EE_TABLE_COUNT; i++) free(part->rows[i]);
  *part = (ee_trace_part){.finished = false};
}
