/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a trace while the run goes on: records wait in memory, and go to the file in blocks that
 * a concurrent reader, or one after a crash, can see (HDF5's single writer, multiple readers).
 * SWMR allows no new object once it has begun, so everything is created at the start. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ee/clock.h"
#include "ee/log.h"
#include "h5_array.h"
#include "h5_detach.h"
#include "h5_text.h"
#include "trace_format.h"
#include "trace_plan.h"
#include "trace_units.h"

#define CREATED_BY "edgeexit " EE_VERSION
#define FLUSH_NS INT64_C(250000000)  // oldest that a waiting record may get
#define BLOCK_BYTES (256 << 10)      // written at once when so much waits
#define CHUNK_BYTES (32 << 10)       // of a dataset
#define SMALL_CHUNK_BYTES (8 << 10)  // of one with a row per epoch

/* One dataset and the rows that wait for it. */
typedef struct table {
  ee_trace_table which;
  hid_t          set, type;  // type of an element in memory
  hsize_t        written;    // rows in the file
  size_t         row_bytes;
  size_t         n, capacity;  // rows that wait, and room for
  char          *waiting;      // shape [capacity, row_bytes]
} table;

typedef struct trace_writer {
  ee_h5          h5;
  ee_trace_shape shape;
  table          tables[EE_TABLE_COUNT];
  hid_t          finished;  // dataset of one number
  int64_t        flushed;   // when last [ns]
  bool           any;       // whether anything waits
  ee_status      status;    // of the first failure, with its sentence
  char           reason[EE_MESSAGE_BYTES];
} trace_writer;

/* Remember the first failure; the run goes on without more of the trace. */
static void remember(trace_writer *writer, ee_status status) {
  if (status == EE_OK || writer->status != EE_OK) return;
  writer->status = status;
  if (status == EE_ERR_FILE) ee_h5_detach(&writer->h5);  // readers find what a kill would leave
  strncpy(writer->reason, ee_status_message(), sizeof writer->reason - 1);
  ee_log(EE_LOG_WARNING, "the trace ends here: %s", writer->reason);
}

static ee_status write_block(const ee_h5 *h5, const table *t, const ee_trace_shape *shape) {
  hsize_t width    = ee_trace_table_width(t->which, shape);
  int     rank     = ee_trace_table_rank(t->which);
  hsize_t size[]   = {t->written + t->n, width};
  hsize_t start[]  = {t->written, 0};
  hsize_t count[]  = {t->n, width};
  bool    extended = H5Dset_extent(t->set, size) >= 0;
  hid_t   memory   = H5Screate_simple(rank, count, NULL);
  hid_t   file     = H5Dget_space(t->set);
  bool    written  = extended &&
                 H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                 H5Dwrite(t->set, t->type, memory, file, H5P_DEFAULT, t->waiting) >= 0 &&
                 H5Dflush(t->set) >= 0;
  ee_status status = EE_OK;
  if (!written) status = ee_h5_fail(h5, EE_ERR_FILE, "write", ee_trace_table_name(t->which));
  ee_h5_release(file);
  ee_h5_release(memory);
  return status;
}

/* Write everything that waits. */
static void flush(trace_writer *writer) {
  for (int i = 0; i < EE_TABLE_COUNT; i++) {
    table *t = &writer->tables[i];
    if (t->n == 0) continue;
    if (writer->status == EE_OK) remember(writer, write_block(&writer->h5, t, &writer->shape));
    t->written += t->n;
    t->n = 0;
  }
  writer->any = false;
}

static ee_status make_room(table *t, const char *path) {
  size_t capacity = t->capacity > 0 ? 2 * t->capacity : 64;
  char  *bigger =
      capacity > SIZE_MAX / t->row_bytes ? NULL : realloc(t->waiting, capacity * t->row_bytes);
  if (bigger == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu records of %s", capacity, path);
  t->waiting  = bigger;
  t->capacity = capacity;
  return EE_OK;
}

/* Let one row wait.  After a failure nothing does any more. */
static void add_row(trace_writer *writer, ee_trace_table which, const void *row) {
  table *t = &writer->tables[which];
  if (writer->status == EE_OK && t->n == t->capacity) {
    remember(writer, make_room(t, writer->h5.path));
  }
  if (writer->status != EE_OK) return;
  memcpy(t->waiting + t->n * t->row_bytes, row, t->row_bytes);
  t->n++;
  writer->any = true;
}

static bool is_large(const trace_writer *writer, ee_trace_table which) {
  const table *t = &writer->tables[which];
  return t->n * t->row_bytes >= BLOCK_BYTES;
}

static void on_event(void *self, const ee_event *event) {
  trace_writer *writer = self;
  add_row(writer, EE_TABLE_EVENTS, event);
  if (is_large(writer, EE_TABLE_EVENTS)) flush(writer);
}

static void on_answer(void *self, const ee_answer *answer, const float *logits, int n_classes) {
  trace_writer *writer = self;
  if (writer->shape.with_logits) {
    if (logits == NULL || n_classes != writer->shape.n_classes) {
      remember(writer,
               EE_FAIL(EE_ERR_ARG, "%s: an answer came with %d logits, expected %d",
                       writer->h5.path, logits == NULL ? 0 : n_classes, writer->shape.n_classes));
      return;
    }
    add_row(writer, EE_TABLE_LOGITS, logits);
  }
  add_row(writer, EE_TABLE_SAMPLES, answer);
  if (is_large(writer, EE_TABLE_SAMPLES) || is_large(writer, EE_TABLE_LOGITS)) flush(writer);
}

/* Room for the three rows of a plan. */
static int32_t *plan_rows(const trace_writer *writer, int32_t **replica, int32_t **turns) {
  size_t   layers = (size_t)writer->shape.n_layers, devices = (size_t)writer->shape.n_devices;
  int32_t *device = malloc((layers + 2 * devices) * sizeof *device);
  if (device == NULL) return NULL;
  *replica = device + layers;
  *turns   = *replica + devices;
  return device;
}

/* The plan before an epoch, or the one after it. */
static void add_plan(trace_writer *writer, bool after, const ee_plan *plan, int32_t *device,
                     int32_t *replica, int32_t *turns) {
  ee_trace_plan_to_rows(plan, writer->shape.n_layers, writer->shape.n_devices, device, replica,
                        turns);
  add_row(writer, after ? EE_TABLE_AFTER : EE_TABLE_BEFORE, device);
  add_row(writer, after ? EE_TABLE_AFTER_REPLICAS : EE_TABLE_BEFORE_REPLICAS, replica);
  add_row(writer, after ? EE_TABLE_AFTER_TURNS : EE_TABLE_BEFORE_TURNS, turns);
}

static ee_status check_epoch(const trace_writer *writer, const ee_epoch_record *record) {
  const ee_trace_shape *shape   = &writer->shape;
  const ee_plan        *plans[] = {record->before, record->after};
  bool fits = record->n_exits == shape->n_exits && record->n_devices == shape->n_devices;
  for (int i = 0; i < 2; i++) {
    fits = fits && (plans[i] == NULL || (plans[i]->n_layers == shape->n_layers &&
                                         plans[i]->n_devices == shape->n_devices));
  }
  if (fits) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: epoch %d is not of %d exits, %d devices and %d layers",
                 writer->h5.path, record->epoch, shape->n_exits, shape->n_devices, shape->n_layers);
}

static void on_epoch(void *self, const ee_epoch_record *record) {
  trace_writer *writer = self;
  remember(writer, check_epoch(writer, record));
  if (writer->status != EE_OK) return;

  int32_t *replica = NULL, *turns = NULL, *row = plan_rows(writer, &replica, &turns);
  if (row == NULL) {
    remember(writer, EE_FAIL(EE_ERR_NOMEM, "for an epoch of %s", writer->h5.path));
    return;
  }
  add_row(writer, EE_TABLE_LEFT, record->left);
  add_row(writer, EE_TABLE_REACHED, record->reached);
  add_row(writer, EE_TABLE_BUSY, record->busy);
  add_plan(writer, false, record->before, row, replica, turns);
  add_plan(writer, true, record->after, row, replica, turns);
  add_row(writer, EE_TABLE_EPOCHS, record);
  free(row);
}

static void on_poll(void *self) {
  trace_writer *writer = self;
  if (!writer->any) return;
  int64_t now = ee_clock_ns();
  if (now - writer->flushed < FLUSH_NS) return;
  flush(writer);
  writer->flushed = now;
}

/* Rows that a crash leaves without contents read as all ones: -1 in each integer. */
static int set_fill(hid_t properties, hid_t type) {
  unsigned char ones[sizeof(ee_event) + sizeof(ee_answer) + sizeof(ee_epoch_record)];
  memset(ones, 0xff, sizeof ones);
  return H5Pset_fill_value(properties, type, ones);
}

static ee_status create_table(trace_writer *writer, ee_trace_table which) {
  table  *t      = &writer->tables[which];
  hsize_t width  = ee_trace_table_width(which, &writer->shape);
  size_t  target = which >= EE_TABLE_LEFT ? SMALL_CHUNK_BYTES : CHUNK_BYTES;
  t->which       = which;
  t->row_bytes   = ee_trace_row_bytes(which, &writer->shape);
  t->type        = ee_trace_memory_type(which);
  hsize_t rows   = t->row_bytes < target ? target / t->row_bytes : 1;
  hsize_t none[] = {0, width}, most[] = {H5S_UNLIMITED, width}, chunk[] = {rows, width};
  int     rank    = ee_trace_table_rank(which);
  hid_t   space   = H5Screate_simple(rank, none, most);
  hid_t   stored  = ee_trace_file_type(which, &writer->shape);
  hid_t   created = H5Pcreate(H5P_DATASET_CREATE);
  if (H5Pset_chunk(created, rank, chunk) >= 0 && set_fill(created, t->type) >= 0) {
    t->set = ee_h5_new_dataset(&writer->h5, ee_trace_table_name(which), stored, space, created);
  }
  ee_status status = EE_OK;
  if (t->set < 0)
    status = ee_h5_fail(&writer->h5, EE_ERR_FILE, "create", ee_trace_table_name(which));
  ee_h5_release(created);
  ee_h5_release(stored);
  ee_h5_release(space);
  return status;
}

static ee_status write_numbers(const ee_h5 *h5, const ee_trace_header *header) {
  for (const ee_trace_number *number = ee_trace_numbers; number->name != NULL; number++) {
    int value = *(const int *)((const char *)header + number->offset);
    EE_TRY(ee_h5_write_int_attribute(h5, "/", number->name, value));
  }
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "n_samples", (int64_t)header->n_samples));
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "seed", (int64_t)header->seed));
  return ee_h5_write_array(h5, "/run/started", EE_H5_F64, 0, NULL, &header->started);
}

static ee_status write_texts(const ee_h5 *h5, const ee_trace_header *header) {
  for (const ee_trace_text *text = ee_trace_texts; text->name != NULL; text++) {
    const char *value = *(const char *const *)((const char *)header + text->offset);
    EE_TRY(ee_h5_write_text(h5, text->name, value != NULL ? value : ""));
  }
  return EE_OK;
}

static ee_status write_names(const ee_h5 *h5) {
  char list[512] = "";
  for (int i = 0; i < EE_EVENT_COUNT; i++) {
    strncat(list, i > 0 ? "," : "", sizeof list - strlen(list) - 1);
    strncat(list, ee_event_name(i), sizeof list - strlen(list) - 1);
  }
  EE_TRY(ee_h5_write_text_attribute(h5, "/events", "kinds", list));
  list[0] = '\0';
  for (int i = 0; i < EE_VERDICT_COUNT; i++) {
    strncat(list, i > 0 ? "," : "", sizeof list - strlen(list) - 1);
    strncat(list, ee_verdict_text(i), sizeof list - strlen(list) - 1);
  }
  return ee_h5_write_text_attribute(h5, "/epochs", "verdicts", list);
}

static ee_status write_plan(const trace_writer *writer, const ee_plan *plan) {
  const ee_h5 *h5      = &writer->h5;
  int32_t     *replica = NULL, *turns = NULL, *row = plan_rows(writer, &replica, &turns);
  hsize_t      layers  = (hsize_t)writer->shape.n_layers;
  hsize_t      devices = (hsize_t)writer->shape.n_devices;
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a plan of %d layers", writer->shape.n_layers);
  ee_trace_plan_to_rows(plan, writer->shape.n_layers, writer->shape.n_devices, row, replica, turns);
  ee_status status = ee_h5_write_array(h5, "/run/plan", EE_H5_I32, 1, &layers, row);
  if (status == EE_OK) {
    status = ee_h5_write_array(h5, EE_TRACE_REPLICAS, EE_H5_I32, 1, &devices, replica);
  }
  if (status == EE_OK) {
    status = ee_h5_write_array(h5, EE_TRACE_TURNS, EE_H5_I32, 1, &devices, turns);
  }
  free(row);
  return status;
}

static ee_status create_finished(trace_writer *writer) {
  int32_t none = 0;
  EE_TRY(ee_h5_write_array(&writer->h5, "/run/finished", EE_H5_I32, 0, NULL, &none));
  writer->finished = H5Dopen2(writer->h5.id, "/run/finished", H5P_DEFAULT);
  if (writer->finished >= 0) return EE_OK;
  return ee_h5_fail(&writer->h5, EE_ERR_FILE, "open", "/run/finished");
}

static ee_status write_start(trace_writer *writer, const ee_trace_header *header) {
  const ee_h5 *h5 = &writer->h5;
  EE_TRY(ee_h5_write_text_attribute(h5, "/", "format", EE_TRACE_FORMAT));
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "format_version", EE_TRACE_VERSION));
  EE_TRY(ee_h5_write_text_attribute(h5, "/", "created_by", CREATED_BY));
  EE_TRY(write_numbers(h5, header));
  EE_TRY(write_texts(h5, header));
  EE_TRY(write_plan(writer, header->plan));
  EE_TRY(ee_trace_units_write(h5, header->team));
  for (int i = 0; i < EE_TABLE_COUNT; i++) {
    if (ee_trace_table_used(i, &writer->shape)) EE_TRY(create_table(writer, i));
  }
  EE_TRY(write_names(h5));
  EE_TRY(create_finished(writer));
  if (H5Fstart_swmr_write(h5->id) >= 0) return EE_OK;
  return ee_h5_fail(h5, EE_ERR_FILE, "start SWMR in", "the file");
}

/* Close everything, also after a failure.  < 0 if something did not reach the file. */
static int close_writer(trace_writer *writer) {
  int done = ee_h5_release(writer->finished);
  for (int i = 0; i < EE_TABLE_COUNT; i++) {
    if (ee_h5_release(writer->tables[i].set) < 0) done = -1;
    ee_h5_release(writer->tables[i].type);
    free(writer->tables[i].waiting);
  }
  return ee_h5_close(&writer->h5) < 0 ? -1 : done;
}

/* HDF5 would not say why a path cannot be written. */
static ee_status check_path(const char *path) {
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
    return EE_FAIL(EE_ERR_FILE, "%s exists and is not a regular file", path);
  }
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(errno));
  close(fd);
  return EE_OK;
}

static ee_status open_new(trace_writer *writer, const char *path) {
  ee_h5_quiet();
  writer->h5.path = strdup(path);
  if (writer->h5.path == NULL) return EE_FAIL(EE_ERR_NOMEM, "for writing %s", path);
  EE_TRY(check_path(path));

  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0) {
    writer->h5.id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  }
  ee_status status = EE_OK;
  if (writer->h5.id < 0) status = ee_h5_fail(&writer->h5, EE_ERR_FILE, "create", "the file");
  ee_h5_release(access);
  return status;
}

static ee_status check_header(const char *path, const ee_trace_header *header) {
  const ee_plan *plan = header->plan;
  if ((plan == NULL) == (header->team == NULL)) {
    return EE_FAIL(EE_ERR_ARG, "%s: a run has a first plan or a team", path);
  }
  if (plan != NULL &&
      (plan->n_layers != header->n_layers || plan->n_devices != header->n_devices)) {
    return EE_FAIL(EE_ERR_ARG,
                   "%s: the first plan is of %d layers and %d devices, expected %d and %d", path,
                   plan->n_layers, plan->n_devices, header->n_layers, header->n_devices);
  }
  for (const ee_trace_number *number = ee_trace_numbers; number->name != NULL; number++) {
    int value = *(const int *)((const char *)header + number->offset);
    if (value < number->low || value > number->high) {
      return EE_FAIL(EE_ERR_ARG, "%s: %s is %d, expected %d to %d", path, number->name, value,
                     number->low, number->high);
    }
  }
  return EE_OK;
}

static trace_writer *new_writer(const ee_trace_header *header) {
  trace_writer *writer = calloc(1, sizeof *writer);
  if (writer == NULL) return NULL;
  writer->h5.id    = H5I_INVALID_HID;
  writer->finished = H5I_INVALID_HID;
  writer->shape    = ee_trace_shape_of(header);
  writer->flushed  = ee_clock_ns();
  for (int i = 0; i < EE_TABLE_COUNT; i++) {
    writer->tables[i].set = writer->tables[i].type = H5I_INVALID_HID;
  }
  return writer;
}

/* Give up a file that has not become a trace; what HDF5 refused to replace stays. */
static void discard(trace_writer *writer) {
  const char *path = writer->h5.path;
  struct stat info;
  if (writer->h5.id >= 0) ee_h5_detach(&writer->h5);
  bool ours = writer->h5.id >= 0 || (path != NULL && stat(path, &info) == 0 &&
                                     S_ISREG(info.st_mode) && info.st_size == 0);
  if (ours) unlink(path);
  close_writer(writer);
  free(writer);
}

ee_status ee_trace_create(const char *path, const ee_trace_header *header, ee_trace_sink *sink) {
  *sink = (ee_trace_sink){.self = NULL};
  EE_TRY(check_header(path, header));
  trace_writer *writer = new_writer(header);
  if (writer == NULL) return EE_FAIL(EE_ERR_NOMEM, "for writing %s", path);

  ee_status status = open_new(writer, path);
  if (status == EE_OK) status = write_start(writer, header);
  if (status != EE_OK) {
    discard(writer);
    return status;
  }
  *sink = (ee_trace_sink){
      .self = writer, .event = on_event, .answer = on_answer, .epoch = on_epoch, .poll = on_poll};
  return EE_OK;
}

/* Say in the file that the run ended by itself. */
static ee_status write_finished(const trace_writer *writer) {
  int32_t one = 1;
  if (H5Dwrite(writer->finished, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, &one) >= 0 &&
      H5Dflush(writer->finished) >= 0) {
    return EE_OK;
  }
  return ee_h5_fail(&writer->h5, EE_ERR_FILE, "write", "/run/finished");
}

ee_status ee_trace_close(ee_trace_sink *sink) {
  trace_writer *writer = sink->self;
  *sink                = (ee_trace_sink){.self = NULL};
  if (writer == NULL) return EE_OK;

  flush(writer);
  if (writer->status == EE_OK) remember(writer, write_finished(writer));
  if (writer->status == EE_OK) remember(writer, ee_h5_flush_or_detach(&writer->h5));
  int       closed = close_writer(writer);
  ee_status status = writer->status;
  if (status != EE_OK) {
    status = EE_FAIL(status, "%s", writer->reason);
  } else if (closed < 0) {
    status = EE_FAIL(EE_ERR_FILE, "the end of the trace cannot be written");
  }
  free(writer);
  return status;
}
