/* SPDX-License-Identifier: Apache-2.0 */
/* Traces of killed runs and full disks, damaged ones, and what is no trace. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ee/clock.h"
#include "ee/rng.h"
#include "trace_made.h"

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

const ee_fact ee_facts[] = {
    EE_FACT(the_trace_of_a_killed_run_is_read_up_to_the_last_flush),
    EE_FACT(flipped_bits_are_an_error_and_not_a_crash),
    EE_FACT(a_truncated_trace_is_an_error),
    EE_FACT(values_out_of_range_are_damage),
    EE_FACT(what_is_no_trace_is_refused),
    EE_FACT(another_format_is_named),
    EE_FACT(a_full_disk_is_told_at_the_end_and_leaves_what_was_written),
    {NULL, NULL},
};
