/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a trace: one file or the parts that a master links, finished or not, as one whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ee/log.h"
#include "h5_text.h"
#include "regular_file.h"
#include "trace_link.h"
#include "trace_part.h"
#include "trace_plan.h"
#include "trace_probe.h"

#define READ_ATTEMPTS 24  // of a piece that may just be written: 2^24 ns of patience

struct ee_trace_file {
  ee_trace_part    whole;  // of all parts
  bool             complete;
  ee_epoch_record *epoch;  // shape [n epochs], with arrays in `whole`
  ee_plan        **plan;   // shape [2 * n epochs], before and after; owned
};

/* HDF5 files begin with these bytes; ours have nothing in front. */
static ee_status check_signature(const char *path) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char              head[8]      = {0};
  int                        fd;
  EE_TRY(ee_regular_file_open(path, &fd));
  ssize_t got = read(fd, head, sizeof head);
  int     why = errno;
  close(fd);
  if (got < 0) return EE_FAIL(EE_ERR_FILE, "cannot read %s: %s", path, strerror(why));
  if (got == (ssize_t)sizeof head && memcmp(head, signature, sizeof head) == 0) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s is no trace: it does not begin as an HDF5 file", path);
}

/* A writer that is at work or was killed leaves its mark, with which only SWMR readers may open.
 * They read a damaged piece again and again, sleeping twice as long each time; without a limit they
 * would never come back. */
static hid_t open_either_way(const char *path, hid_t access) {
  hid_t id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id >= 0 || H5Pset_metadata_read_attempts(access, READ_ATTEMPTS) < 0) return id;
  return H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
}

static ee_status open_h5(const char *path, ee_h5 *h5) {
  ee_h5_quiet();
  *h5 = (ee_h5){.id = H5I_INVALID_HID, .path = strdup(path)};
  if (h5->path == NULL) return EE_FAIL(EE_ERR_NOMEM, "for reading %s", path);

  ee_status status = EE_OK;
  hid_t     access = H5Pcreate(H5P_FILE_ACCESS);
  h5->id           = open_either_way(path, access);
  if (h5->id < 0) status = ee_h5_fail(h5, EE_ERR_FORMAT, "open", "the file");
  ee_h5_release(access);
  if (status != EE_OK) ee_h5_close(h5);
  return status;
}

/* Read what `path` holds: links or records. */
static ee_status read_file(const char *path, char ***link, int *n_links, ee_trace_part *part) {
  ee_h5 h5;
  *part    = (ee_trace_part){.finished = false};
  *link    = NULL;
  *n_links = 0;
  EE_TRY(open_h5(path, &h5));
  ee_status status = ee_trace_check_format(&h5);
  if (status == EE_OK) status = ee_trace_read_links(&h5, link, n_links);
  if (status == EE_OK && *n_links == 0) status = ee_trace_part_read(&h5, part);
  ee_h5_close(&h5);
  return status;
}

static ee_status try_file(const char *path) {
  char        **link;
  int           n_links;
  ee_trace_part part;
  ee_status     status = read_file(path, &link, &n_links, &part);
  ee_h5_free_texts(link, n_links);
  ee_trace_part_clear(&part);
  return status;
}

/* The same after all checks. */
static ee_status read_safely(const char *path, char ***link, int *n_links, ee_trace_part *part) {
  *part    = (ee_trace_part){.finished = false};
  *link    = NULL;
  *n_links = 0;
  EE_TRY(check_signature(path));
  EE_TRY(ee_trace_probe(path, try_file));
  return read_file(path, link, n_links, part);
}

static ee_status append_rows(ee_trace_part *whole, const ee_trace_part *part,
                             ee_trace_table table) {
  size_t row  = ee_trace_row_bytes(table, &whole->shape);
  size_t have = (size_t)whole->n[table], more = (size_t)part->n[table];
  if (more == 0) return EE_OK;
  char *rows =
      more > SIZE_MAX / row - have ? NULL : realloc(whole->rows[table], (have + more) * row);
  if (rows == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the parts of a trace");
  memcpy(rows + have * row, part->rows[table], more * row);
  whole->rows[table] = rows;
  whole->n[table]    = (int64_t)(have + more);
  return EE_OK;
}

/* Of a team; 0 of a chain. */
static int lanes_of(const ee_trace_part *part) {
  return part->header.team != NULL ? part->header.team->n_lanes : 0;
}

/* Add a part's records; the first part gives the header. */
static ee_status merge_part(const char *path, ee_trace_part *whole, ee_trace_part *part) {
  if (whole->header.n_ranks == 0) {
    *whole = *part;
    *part  = (ee_trace_part){.finished = false};
    return EE_OK;
  }
  const ee_trace_shape *a = &whole->shape, *b = &part->shape;
  if (a->n_exits != b->n_exits || a->n_classes != b->n_classes || a->n_layers != b->n_layers ||
      a->n_devices != b->n_devices || a->with_logits != b->with_logits ||
      a->with_replicas != b->with_replicas || a->with_turns != b->with_turns ||
      whole->header.n_ranks != part->header.n_ranks || lanes_of(whole) != lanes_of(part)) {
    return EE_FAIL(EE_ERR_FORMAT, "%s is a part of another run", path);
  }
  for (int i = 0; i < EE_TABLE_COUNT; i++) EE_TRY(append_rows(whole, part, i));
  whole->finished = whole->finished && part->finished;
  return EE_OK;
}

static ee_status read_one_part(const char *path, ee_trace_part *whole) {
  char        **link;
  int           n_links;
  ee_trace_part part;
  ee_status     status = read_safely(path, &link, &n_links, &part);
  if (status == EE_OK && n_links > 0) {
    status = EE_FAIL(EE_ERR_FORMAT, "%s links to parts and is itself linked as one", path);
  }
  if (status == EE_OK) status = merge_part(path, whole, &part);
  ee_h5_free_texts(link, n_links);
  ee_trace_part_clear(&part);
  return status;
}

/* Parts that cannot be read are left out with a warning; one at least must be there. */
static ee_status read_parts(char *const *link, int n_links, ee_trace_file *file) {
  ee_status status = EE_OK;
  int       read   = 0;
  for (int i = 0; i < n_links; i++) {
    ee_status one = read_one_part(link[i], &file->whole);
    if (one == EE_ERR_NOMEM) return one;
    read += one == EE_OK;
    if (one == EE_OK) continue;
    status = one;
    ee_log(EE_LOG_WARNING, "part %d of the trace is left out: %s", i, ee_status_message());
  }
  file->complete = read == n_links && file->whole.finished;
  return read > 0 ? EE_OK : status;
}

/* Where an answer stands after sorting. */
typedef struct arrival {
  int64_t answered, row;
} arrival;

static int compare_arrivals(const void *a, const void *b) {
  const arrival *x = a, *y = b;
  if (x->answered != y->answered) return x->answered < y->answered ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

static ee_status permute(ee_trace_part *whole, ee_trace_table table, const arrival *order) {
  if (whole->rows[table] == NULL) return EE_OK;
  size_t n = (size_t)whole->n[table], row = ee_trace_row_bytes(table, &whole->shape);
  char  *sorted = calloc(n > 0 ? n : 1, row);
  if (sorted == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the answers of a trace");
  for (size_t i = 0; i < n; i++) {
    memcpy(sorted + i * row, whole->rows[table] + (size_t)order[i].row * row, row);
  }
  free(whole->rows[table]);
  whole->rows[table] = sorted;
  return EE_OK;
}

/* Bring the answers of several parts into the order of arrival, with their logits. */
static ee_status sort_answers(ee_trace_part *whole) {
  size_t           n      = (size_t)whole->n[EE_TABLE_SAMPLES];
  const ee_answer *answer = (const void *)whole->rows[EE_TABLE_SAMPLES];
  arrival         *order  = calloc(n > 0 ? n : 1, sizeof *order);
  if (order == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu answers", n);
  for (size_t i = 0; i < n; i++) order[i] = (arrival){answer[i].answered, (int64_t)i};
  qsort(order, n, sizeof *order, compare_arrivals);
  ee_status status = permute(whole, EE_TABLE_LOGITS, order);
  if (status == EE_OK) status = permute(whole, EE_TABLE_SAMPLES, order);
  free(order);
  return status;
}

/* The i-th row of a table of integers; NULL if the trace does not keep it. */
static const int32_t *row_of(const ee_trace_file *file, ee_trace_table table, int64_t i) {
  const ee_trace_shape *shape = &file->whole.shape;
  if (!ee_trace_table_used(table, shape)) return NULL;
  const int32_t *rows = (const void *)file->whole.rows[table];
  return rows + (size_t)i * (size_t)ee_trace_table_width(table, shape);
}

static ee_status attach_plans(const char *path, ee_trace_file *file, int64_t i) {
  static const ee_trace_table devices[]  = {EE_TABLE_BEFORE, EE_TABLE_AFTER};
  static const ee_trace_table replicas[] = {EE_TABLE_BEFORE_REPLICAS, EE_TABLE_AFTER_REPLICAS};
  static const ee_trace_table turns[]    = {EE_TABLE_BEFORE_TURNS, EE_TABLE_AFTER_TURNS};
  for (int after = 0; after < 2; after++) {
    EE_TRY(ee_trace_plan_of_rows(path, file->whole.shape.n_layers, file->whole.shape.n_devices,
                                 row_of(file, devices[after], i), row_of(file, replicas[after], i),
                                 row_of(file, turns[after], i), &file->plan[2 * i + after]));
  }
  file->epoch[i].before = file->plan[2 * i];
  file->epoch[i].after  = file->plan[2 * i + 1];
  return EE_OK;
}

/* Give each epoch record its arrays and plans. */
static ee_status build_epochs(const char *path, ee_trace_file *file) {
  ee_trace_part *whole = &file->whole;
  int64_t        n     = whole->n[EE_TABLE_EPOCHS];
  if (n > INT32_MAX) return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: too many epochs", path);
  file->plan = calloc(n > 0 ? 2 * (size_t)n : 1, sizeof *file->plan);
  if (file->plan == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld epochs", (long long)n);

  file->epoch            = (void *)whole->rows[EE_TABLE_EPOCHS];
  const int64_t *left    = (const void *)whole->rows[EE_TABLE_LEFT];
  const int64_t *reached = (const void *)whole->rows[EE_TABLE_REACHED];
  const double  *busy    = (const void *)whole->rows[EE_TABLE_BUSY];
  for (int64_t i = 0; i < n; i++) {
    ee_epoch_record *e = &file->epoch[i];
    e->n_exits         = whole->shape.n_exits;
    e->n_devices       = whole->shape.n_devices;
    e->left            = left + i * e->n_exits;
    e->reached         = reached + i * e->n_exits;
    e->busy            = busy + i * e->n_devices;
    EE_TRY(attach_plans(path, file, i));
  }
  return EE_OK;
}

static ee_status read_trace(const char *path, ee_trace_file *file) {
  char    **link;
  int       n_links;
  ee_status status = read_safely(path, &link, &n_links, &file->whole);
  if (status == EE_OK && n_links > 0) {
    status = read_parts(link, n_links, file);
    if (status == EE_OK) status = sort_answers(&file->whole);
  } else {
    file->complete = file->whole.finished;
  }
  ee_h5_free_texts(link, n_links);
  return status == EE_OK ? build_epochs(path, file) : status;
}

ee_status ee_trace_open(const char *path, ee_trace_file **file) {
  *file = calloc(1, sizeof **file);
  if (*file == NULL) return EE_FAIL(EE_ERR_NOMEM, "for reading %s", path);
  ee_status status = read_trace(path, *file);
  if (status != EE_OK) ee_trace_file_close(file);
  return status;
}

const ee_trace_header *ee_trace_file_header(const ee_trace_file *file) {
  return &file->whole.header;
}

const ee_answer *ee_trace_file_answers(const ee_trace_file *file, int64_t *n) {
  *n = file->whole.n[EE_TABLE_SAMPLES];
  return (const void *)file->whole.rows[EE_TABLE_SAMPLES];
}

const float *ee_trace_file_logits(const ee_trace_file *file, int64_t i) {
  if (!file->whole.shape.with_logits) return NULL;
  const float *logits = (const void *)file->whole.rows[EE_TABLE_LOGITS];
  return logits + i * file->whole.shape.n_classes;
}

const ee_event *ee_trace_file_events(const ee_trace_file *file, int64_t *n) {
  *n = file->whole.n[EE_TABLE_EVENTS];
  return (const void *)file->whole.rows[EE_TABLE_EVENTS];
}

const ee_epoch_record *ee_trace_file_epochs(const ee_trace_file *file, int *n) {
  *n = (int)file->whole.n[EE_TABLE_EPOCHS];
  return file->epoch;
}

int ee_trace_file_complete(const ee_trace_file *file) {
  return file->complete;
}

void ee_trace_file_close(ee_trace_file **file) {
  ee_trace_file *f = *file;
  if (f == NULL) return;
  for (int64_t i = 0; f->plan != NULL && i < 2 * f->whole.n[EE_TABLE_EPOCHS]; i++) {
    ee_plan_destroy(&f->plan[i]);
  }
  free(f->plan);
  ee_trace_part_clear(&f->whole);
  free(f);
  *file = NULL;
}
