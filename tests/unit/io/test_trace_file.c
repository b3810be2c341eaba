/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/trace_file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ee/clock.h"
#include "ee/log.h"
#include "ee/rng.h"
#include "ee_test.h"

#define N_LAYERS 5
#define N_DEVICES 3
#define N_EXITS 2
#define N_CLASSES 4

static ee_stage stages[2] = {{0, 2, 2}, {2, 5, 0}};
static ee_plan  plan      = {N_LAYERS, N_DEVICES, 2, stages};

static ee_trace_header header(int with_logits) {
  return (ee_trace_header){.command       = "edgeexit run model.h5 \"data file.h5\"",
                           .model_path    = "model.h5",
                           .data_path     = "data file.h5",
                           .policy        = "threshold:0=0.5",
                           .clock         = "paced",
                           .host          = "node1",
                           .versions      = "EdgeExit 0.1.0",
                           .fleet_text    = "name: home\n",
                           .seed          = UINT64_MAX - 1,
                           .n_samples     = 1000,
                           .n_ranks       = N_DEVICES,
                           .n_exits       = N_EXITS,
                           .n_classes     = N_CLASSES,
                           .batch_limit   = 8,
                           .epoch_samples = 100,
                           .started       = 1.5e9,
                           .plan          = &plan,
                           .with_logits   = with_logits};
}

static ee_answer answer(int i) {
  return (ee_answer){.id         = (uint64_t)i,
                     .label      = i % N_CLASSES,
                     .prediction = (i + (i % 3 == 0)) % N_CLASSES,
                     .exit       = i % N_EXITS,
                     .plan_epoch = i / 500,
                     .confidence = (float)i / 1e4f,
                     .device     = i % N_DEVICES,
                     .admitted   = 1000 * (int64_t)i,
                     .answered   = 1000 * (int64_t)i + 77};
}

static ee_event event(int i) {
  return (ee_event){.rank       = i % N_DEVICES,
                    .kind       = i % EE_EVENT_COUNT,
                    .start      = 10 * (int64_t)i,
                    .end        = 10 * (int64_t)i + 9,
                    .first_id   = (uint64_t)i * 3,
                    .samples    = i % 8,
                    .plan_epoch = i / 500,
                    .bytes      = (int64_t)i << 20,
                    .peer       = i % 2 == 0 ? -1 : i % N_DEVICES,
                    .layer      = i % N_LAYERS - 1};
}

static float logit(int i, int k) {
  return (float)(i * 10 + k);
}

static void write_answers(ee_trace_sink *sink, int first, int last) {
  for (int i = first; i < last; i++) {
    ee_answer a = answer(i);
    float     logits[N_CLASSES];
    for (int k = 0; k < N_CLASSES; k++) logits[k] = logit(i, k);
    sink->answer(sink->self, &a, logits, N_CLASSES);
  }
}

static void write_events(ee_trace_sink *sink, int first, int last) {
  for (int i = first; i < last; i++) {
    ee_event e = event(i);
    sink->event(sink->self, &e);
  }
}

static void write_epoch(ee_trace_sink *sink, int epoch, const ee_plan *after) {
  int64_t         left[N_EXITS] = {epoch, 2 * epoch}, reached[N_EXITS] = {3 * epoch, 4 * epoch};
  double          busy[N_DEVICES] = {0.5, 0.25, epoch};
  ee_epoch_record record          = {.epoch            = epoch,
                                     .verdict          = EE_VERDICT_ADOPTED,
                                     .plan_epoch       = epoch / 2,
                                     .time             = epoch * INT64_C(1000000),
                                     .switch_id        = UINT64_MAX - (uint64_t)epoch,
                                     .period_measured  = 1e-3,
                                     .period_predicted = 2e-3,
                                     .period_best      = 0.5e-3,
                                     .moved_bytes      = 1e6,
                                     .n_exits          = N_EXITS,
                                     .n_devices        = N_DEVICES,
                                     .left             = left,
                                     .reached          = reached,
                                     .busy             = busy,
                                     .before           = &plan,
                                     .after            = after};
  sink->epoch(sink->self, &record);
}

static ee_trace_sink create(const char *path, int with_logits) {
  ee_trace_header h = header(with_logits);
  ee_trace_sink   sink;
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &h, &sink), EE_OK);
  return sink;
}

static ee_trace_file *reopen(const char *path) {
  ee_trace_file *file   = NULL;
  ee_status      status = ee_trace_open(path, &file);
  if (status != EE_OK) printf("not read: %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  return file;
}

static int same_answer(const ee_answer *a, const ee_answer *b) {
  return a->id == b->id && a->label == b->label && a->prediction == b->prediction &&
         a->exit == b->exit && a->plan_epoch == b->plan_epoch && a->confidence == b->confidence &&
         a->device == b->device && a->admitted == b->admitted && a->answered == b->answered;
}

static int same_event(const ee_event *a, const ee_event *b) {
  return a->rank == b->rank && a->kind == b->kind && a->start == b->start && a->end == b->end &&
         a->first_id == b->first_id && a->samples == b->samples && a->plan_epoch == b->plan_epoch &&
         a->bytes == b->bytes && a->peer == b->peer && a->layer == b->layer;
}

/* That the file holds answers 0 .. expected - 1 and their logits, and nothing else. */
static void check_answers(const ee_trace_file *file, int expected, int with_logits) {
  int64_t          n;
  const ee_answer *answers = ee_trace_file_answers(file, &n);
  int              good    = 0;
  CU_ASSERT_EQUAL_FATAL(n, expected);
  for (int i = 0; i < expected; i++) {
    ee_answer    a      = answer(i);
    const float *logits = ee_trace_file_logits(file, i);
    int          same   = same_answer(&answers[i], &a) && (logits != NULL) == with_logits;
    for (int k = 0; k < N_CLASSES && with_logits && same; k++) same = logits[k] == logit(i, k);
    good += same;
  }
  CU_ASSERT_EQUAL(good, expected);
}

static void check_events(const ee_trace_file *file, int expected) {
  int64_t         n;
  const ee_event *events = ee_trace_file_events(file, &n);
  int             good   = 0;
  CU_ASSERT_EQUAL_FATAL(n, expected);
  for (int i = 0; i < expected; i++) {
    ee_event e = event(i);
    good += same_event(&events[i], &e);
  }
  CU_ASSERT_EQUAL(good, expected);
}

static void records_come_back_as_they_were(void) {
  const char   *path = ee_test_path("records.h5");
  ee_trace_sink sink = create(path, 1);
  for (int i = 0; i < 10; i++) {  // 20,000 events are more than a block
    write_answers(&sink, 100 * i, 100 * (i + 1));
    write_events(&sink, 2000 * i, 2000 * (i + 1));
    sink.poll(sink.self);
  }
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);

  ee_trace_file *file = reopen(path);
  check_answers(file, 1000, 1);
  check_events(file, 20000);
  CU_ASSERT_TRUE(ee_trace_file_complete(file));
  ee_trace_file_close(&file);
  CU_ASSERT_PTR_NULL(file);
}

static void the_header_comes_back(void) {
  const char     *path      = ee_test_path("header.h5");
  ee_trace_header h         = header(0);
  char           *long_text = calloc(1, 100001);
  CU_ASSERT_PTR_NOT_NULL_FATAL(long_text);
  memset(long_text, 'x', 100000);
  h.fleet_text = h.command = long_text;
  h.policy                 = NULL;
  ee_trace_sink sink;
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &h, &sink), EE_OK);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);

  ee_trace_file         *file = reopen(path);
  const ee_trace_header *r    = ee_trace_file_header(file);
  CU_ASSERT_STRING_EQUAL(r->command, long_text);
  CU_ASSERT_STRING_EQUAL(r->fleet_text, long_text);
  CU_ASSERT_STRING_EQUAL(r->data_path, "data file.h5");
  CU_ASSERT_STRING_EQUAL(r->policy, "");
  CU_ASSERT_STRING_EQUAL(r->host, "node1");
  CU_ASSERT_STRING_EQUAL(r->clock, "paced");
  CU_ASSERT_STRING_EQUAL(r->versions, "EdgeExit 0.1.0");
  CU_ASSERT_EQUAL(r->seed, UINT64_MAX - 1);
  CU_ASSERT_EQUAL(r->n_samples, 1000);
  CU_ASSERT_EQUAL(r->n_ranks, N_DEVICES);
  CU_ASSERT_EQUAL(r->n_exits, N_EXITS);
  CU_ASSERT_EQUAL(r->n_classes, N_CLASSES);
  CU_ASSERT_EQUAL(r->batch_limit, 8);
  CU_ASSERT_EQUAL(r->epoch_samples, 100);
  CU_ASSERT_EQUAL(r->started, 1.5e9);
  CU_ASSERT_TRUE(ee_plan_equal(r->plan, &plan));
  check_answers(file, 0, 0);
  ee_trace_file_close(&file);
  free(long_text);
}

static void epochs_come_back_with_arrays_and_plans(void) {
  const char   *path     = ee_test_path("epochs.h5");
  ee_trace_sink sink     = create(path, 0);
  ee_stage      moved[3] = {{0, 1, 1}, {1, 4, 2}, {4, 5, 0}};
  ee_plan       after    = {N_LAYERS, N_DEVICES, 3, moved};
  for (int i = 0; i < 300; i++) write_epoch(&sink, i, i % 2 == 0 ? &after : NULL);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);

  ee_trace_file         *file = reopen(path);
  int                    n;
  const ee_epoch_record *e = ee_trace_file_epochs(file, &n);
  CU_ASSERT_EQUAL_FATAL(n, 300);
  for (int i = 0; i < n; i++) {
    CU_ASSERT_EQUAL(e[i].epoch, i);
    CU_ASSERT_EQUAL(e[i].verdict, EE_VERDICT_ADOPTED);
    CU_ASSERT_EQUAL(e[i].time, i * INT64_C(1000000));
    CU_ASSERT_EQUAL(e[i].switch_id, UINT64_MAX - (uint64_t)i);
    CU_ASSERT_EQUAL(e[i].period_best, 0.5e-3);
    CU_ASSERT_EQUAL(e[i].moved_bytes, 1e6);
    CU_ASSERT_EQUAL(e[i].n_exits, N_EXITS);
    CU_ASSERT_EQUAL(e[i].left[1], 2 * i);
    CU_ASSERT_EQUAL(e[i].reached[1], 4 * i);
    CU_ASSERT_EQUAL(e[i].busy[1], 0.25);
    CU_ASSERT_EQUAL(e[i].busy[2], i);
    CU_ASSERT_TRUE(ee_plan_equal(e[i].before, &plan));
    CU_ASSERT_EQUAL(e[i].after != NULL, i % 2 == 0);
    if (e[i].after != NULL) CU_ASSERT_TRUE(ee_plan_equal(e[i].after, &after));
  }
  ee_trace_file_close(&file);
}

/* In a child: write a trace and die in the middle of it. */
static void write_and_die(const char *path) {
  pid_t child = fork();
  if (child == 0) {
    ee_trace_sink sink = create(path, 1);
    write_answers(&sink, 0, 500);
    write_events(&sink, 0, 700);
    write_epoch(&sink, 0, NULL);
    ee_clock_sleep(INT64_C(300000000));
    sink.poll(sink.self);            // old enough: goes to the file
    write_answers(&sink, 500, 600);  // dies in memory
    sink.poll(sink.self);
    raise(SIGKILL);
  }
  int ended = 0;
  CU_ASSERT_EQUAL_FATAL(waitpid(child, &ended, 0), child);
  CU_ASSERT_TRUE_FATAL(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
}

static void the_trace_of_a_killed_run_is_read_up_to_the_last_flush(void) {
  const char *path = ee_test_path("killed.h5");
  write_and_die(path);
  for (int again = 0; again < 2; again++) {  // reading changes nothing
    ee_trace_file *file = reopen(path);
    int            n_epochs;
    check_answers(file, 500, 1);
    check_events(file, 700);
    ee_trace_file_epochs(file, &n_epochs);
    CU_ASSERT_EQUAL(n_epochs, 1);
    CU_ASSERT_FALSE(ee_trace_file_complete(file));
    ee_trace_file_close(&file);
  }
}

static void a_trace_is_read_while_it_is_written(void) {
  const char *path = ee_test_path("live.h5");
  int         ready[2], go_on[2];
  char        byte = 0;
  CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
  CU_ASSERT_EQUAL_FATAL(pipe(go_on), 0);
  pid_t child = fork();
  if (child == 0) {
    alarm(60);  // does not outlive a parent that gave up
    ee_trace_sink sink = create(path, 1);
    for (int part = 0; part < 2; part++) {
      write_answers(&sink, 100 * part, 100 * (part + 1));
      ee_clock_sleep(INT64_C(300000000));
      sink.poll(sink.self);
      if (write(ready[1], &byte, 1) != 1 || read(go_on[0], &byte, 1) != 1) _exit(1);
    }
    _exit(ee_trace_close(&sink) == EE_OK ? 0 : 1);
  }
  for (int part = 0; part < 2; part++) {
    CU_ASSERT_EQUAL_FATAL(read(ready[0], &byte, 1), 1);
    ee_trace_file *file = reopen(path);
    check_answers(file, 100 * (part + 1), 1);
    CU_ASSERT_FALSE(ee_trace_file_complete(file));
    ee_trace_file_close(&file);
    CU_ASSERT_EQUAL_FATAL(write(go_on[1], &byte, 1), 1);
  }
  int ended = 1;
  CU_ASSERT_EQUAL(waitpid(child, &ended, 0), child);
  CU_ASSERT_EQUAL(ended, 0);
  for (int i = 0; i < 2; i++) close(ready[i]), close(go_on[i]);
}

static char *read_bytes(const char *path, size_t *n) {
  FILE *file = fopen(path, "rb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  char *bytes = malloc(1 << 22);
  CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
  *n = fread(bytes, 1, 1 << 22, file);
  fclose(file);
  return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(bytes, 1, n, file), n);
  CU_ASSERT_EQUAL(fclose(file), 0);
}

static void write_small(const char *path) {
  ee_trace_sink sink = create(path, 0);
  write_answers(&sink, 0, 50);
  write_events(&sink, 0, 50);
  write_epoch(&sink, 0, &plan);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);
}

/* Every answer is an error or a trace whose values are in range; the process lives. */
static void open_damaged(const char *path) {
  ee_trace_file *file   = NULL;
  ee_status      status = ee_trace_open(path, &file);
  if (status != EE_OK) {
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "damaged.h5"));
    return;
  }
  int64_t          n;
  const ee_answer *a = ee_trace_file_answers(file, &n);
  for (int64_t i = 0; i < n; i++) CU_ASSERT_TRUE(a[i].exit >= 0 && a[i].exit < N_EXITS);
  ee_trace_file_close(&file);
}

static void flipped_bits_are_an_error_and_not_a_crash(void) {
  const char *path = ee_test_path("damaged.h5");
  size_t      n;
  ee_rng      rng = ee_rng_at(1, 2);
  write_small(path);
  char *bytes = read_bytes(path, &n);
  for (int trial = 0; trial < 120; trial++) {
    char   kept[16];
    size_t place[16];
    size_t range = trial % 2 == 0 ? n : 4096;  // often where the structure is
    for (int i = 0; i < 16; i++) {
      place[i] = ee_rng_below(&rng, range);
      kept[i]  = bytes[place[i]];
      bytes[place[i]] ^= (char)(1 << ee_rng_below(&rng, 8));
    }
    write_bytes(path, bytes, n);
    open_damaged(path);
    for (int i = 15; i >= 0; i--) bytes[place[i]] = kept[i];
  }
  free(bytes);
}

static void a_truncated_trace_is_an_error(void) {
  const char *path = ee_test_path("damaged.h5");
  size_t      n;
  write_small(path);
  char *bytes = read_bytes(path, &n);
  for (int i = 0; i < 20; i++) {
    ee_trace_file *file = NULL;
    write_bytes(path, bytes, n * (size_t)i / 20);
    CU_ASSERT_EQUAL(ee_trace_open(path, &file), EE_ERR_FORMAT);
    CU_ASSERT_PTR_NULL(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), path));
  }
  free(bytes);
}

static void values_out_of_range_are_damage(void) {
  const char   *path = ee_test_path("range.h5");
  ee_trace_sink sink = create(path, 0);
  ee_answer     a    = answer(1);
  a.exit             = N_EXITS;
  sink.answer(sink.self, &a, NULL, 0);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);
  ee_trace_file *file = NULL;
  CU_ASSERT_EQUAL(ee_trace_open(path, &file), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "row 0 of /samples"));
}

static void what_is_no_trace_is_refused(void) {
  const char    *path = ee_test_path("other.h5");
  ee_trace_file *file = NULL;
  write_bytes(path, "not HDF5 at all", 15);
  CU_ASSERT_EQUAL(ee_trace_open(path, &file), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "does not begin as an HDF5 file"));
  CU_ASSERT_EQUAL(ee_trace_open("no/such.h5", &file), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no/such.h5"));
  CU_ASSERT_EQUAL(ee_trace_open("/", &file), EE_ERR_FILE);
}

/* Structures of a master have no checksums, so that a test can change a text in them. */
static void another_format_is_named(void) {
  const char    *path   = ee_test_path("other.h5");
  const char    *part[] = {"nowhere.h5"};
  ee_trace_file *file   = NULL;
  size_t         n, at = 0;
  CU_ASSERT_EQUAL_FATAL(ee_trace_link_parts(path, part, 1), EE_OK);
  char *bytes = read_bytes(path, &n);
  while (at + 14 < n && memcmp(bytes + at, "edgeexit-trace", 14) != 0) at++;
  CU_ASSERT_TRUE_FATAL(at + 14 < n);
  memcpy(bytes + at, "edgeexit-other", 14);
  write_bytes(path, bytes, n);
  free(bytes);
  CU_ASSERT_EQUAL(ee_trace_open(path, &file), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "is of format edgeexit-other"));
}

/* Of odd and even answers, the first half of the events in one part, the rest in the other. */
static void write_parts(const char *a, const char *b) {
  ee_trace_sink sinks[2] = {create(a, 1), create(b, 1)};
  for (int i = 0; i < 200; i++) write_answers(&sinks[i % 2], i, i + 1);
  write_events(&sinks[0], 0, 50);
  write_events(&sinks[1], 50, 100);
  write_epoch(&sinks[1], 0, NULL);
  for (int i = 0; i < 2; i++) CU_ASSERT_EQUAL(ee_trace_close(&sinks[i]), EE_OK);
}

static void parts_are_read_as_one_trace(void) {
  const char *master = ee_test_path("master.h5");
  const char *part[] = {ee_test_path("part0.h5"), ee_test_path("part1.h5")};
  write_parts(part[0], part[1]);
  CU_ASSERT_EQUAL_FATAL(ee_trace_link_parts(master, part, 2), EE_OK);

  ee_trace_file *file = reopen(master);
  int            n_epochs;
  check_answers(file, 200, 1);
  check_events(file, 100);
  ee_trace_file_epochs(file, &n_epochs);
  CU_ASSERT_EQUAL(n_epochs, 1);
  CU_ASSERT_TRUE(ee_trace_file_complete(file));
  ee_trace_file_close(&file);
}

static void a_missing_part_leaves_what_is_there(void) {
  const char *master = ee_test_path("master.h5");
  const char *part[] = {ee_test_path("part0.h5"), ee_test_path("part1.h5")};
  int64_t     n;
  write_parts(part[0], part[1]);
  CU_ASSERT_EQUAL_FATAL(ee_trace_link_parts(master, part, 2), EE_OK);
  CU_ASSERT_EQUAL(unlink(part[0]), 0);

  ee_trace_file   *file    = reopen(master);
  const ee_answer *answers = ee_trace_file_answers(file, &n);
  CU_ASSERT_EQUAL_FATAL(n, 100);
  CU_ASSERT_EQUAL(answers[99].id, 199);
  CU_ASSERT_FALSE(ee_trace_file_complete(file));
  ee_trace_file_close(&file);

  CU_ASSERT_EQUAL(unlink(part[1]), 0);
  CU_ASSERT_EQUAL(ee_trace_open(master, &file), EE_ERR_FILE);
}

/* In a child, whose files may not grow beyond `limit` bytes: 0 if all went well, 1 if the trace
 * could not even be made, 2 if only closing told of it. */
static int run_on_a_full_disk(const char *path, rlim_t limit) {
  struct rlimit   size = {limit, limit};
  ee_trace_header h    = header(1);
  ee_trace_sink   sink;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &size);
  if (ee_trace_create(path, &h, &sink) != EE_OK) return 1;
  write_answers(&sink, 0, 100);
  ee_clock_sleep(INT64_C(300000000));
  sink.poll(sink.self);
  write_events(&sink, 0, 4000);  // less than a block: goes to the file in closing
  write_answers(&sink, 100, 200);
  return ee_trace_close(&sink) == EE_OK ? 0 : 2;
}

static void a_full_disk_is_told_at_the_end_and_leaves_what_was_written(void) {
  const char *path    = ee_test_path("full.h5");
  int         seen[3] = {0, 0, 0};
  for (rlim_t limit = 0; limit < 560000; limit += 39989) {
    pid_t child = fork();
    if (child == 0) exit(run_on_a_full_disk(path, limit));
    int ended = 1;
    CU_ASSERT_EQUAL(waitpid(child, &ended, 0), child);
    CU_ASSERT_TRUE_FATAL(WIFEXITED(ended) && WEXITSTATUS(ended) <= 2);
    int outcome = WEXITSTATUS(ended);
    seen[outcome]++;
    CU_ASSERT_EQUAL(access(path, F_OK) == 0, outcome != 1);
    if (outcome == 1) continue;

    ee_trace_file *file = reopen(path);
    int64_t        n;
    ee_trace_file_answers(file, &n);
    CU_ASSERT_TRUE(n == 0 || n == 100 || n == 200);
    CU_ASSERT_EQUAL(ee_trace_file_complete(file), outcome == 0);
    ee_trace_file_close(&file);
  }
  CU_ASSERT_TRUE(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

static void wrong_records_are_told_at_the_end(void) {
  ee_trace_sink sink = create(ee_test_path("wrong.h5"), 1);
  ee_answer     a    = answer(0);
  sink.answer(sink.self, &a, NULL, 0);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_ERR_ARG);

  sink                   = create(ee_test_path("wrong.h5"), 0);
  ee_epoch_record record = {.n_exits = N_EXITS + 1, .n_devices = N_DEVICES};
  sink.epoch(sink.self, &record);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);  // closed already
}

static void a_trace_that_cannot_be_made_is_an_error(void) {
  ee_trace_header h = header(0);
  ee_trace_sink   sink;
  CU_ASSERT_EQUAL(ee_trace_create("no/such/folder/t.h5", &h, &sink), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no/such/folder/t.h5"));
  CU_ASSERT_PTR_NULL(sink.self);
  CU_ASSERT_EQUAL(ee_trace_create("/dev/null", &h, &sink), EE_ERR_FILE);
  h.n_exits = 0;
  CU_ASSERT_EQUAL(ee_trace_create(ee_test_path("t.h5"), &h, &sink), EE_ERR_ARG);
  h      = header(0);
  h.plan = NULL;
  CU_ASSERT_EQUAL(ee_trace_create(ee_test_path("t.h5"), &h, &sink), EE_ERR_ARG);
}

const ee_fact ee_facts[] = {
    EE_FACT(records_come_back_as_they_were),
    EE_FACT(the_header_comes_back),
    EE_FACT(epochs_come_back_with_arrays_and_plans),
    EE_FACT(the_trace_of_a_killed_run_is_read_up_to_the_last_flush),
    EE_FACT(a_trace_is_read_while_it_is_written),
    EE_FACT(flipped_bits_are_an_error_and_not_a_crash),
    EE_FACT(a_truncated_trace_is_an_error),
    EE_FACT(values_out_of_range_are_damage),
    EE_FACT(what_is_no_trace_is_refused),
    EE_FACT(another_format_is_named),
    EE_FACT(parts_are_read_as_one_trace),
    EE_FACT(a_missing_part_leaves_what_is_there),
    EE_FACT(a_full_disk_is_told_at_the_end_and_leaves_what_was_written),
    EE_FACT(wrong_records_are_told_at_the_end),
    EE_FACT(a_trace_that_cannot_be_made_is_an_error),
    {NULL, NULL},
};
