/* SPDX-License-Identifier: Apache-2.0 */
/* Traces that were written as they should be. */
#include <sys/wait.h>
#include <unistd.h>

#include "ee/clock.h"
#include "trace_made.h"

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
  ee_plan after = {.n_layers = N_LAYERS, .n_devices = N_DEVICES, .n_stages = 3, .stage = moved};
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

/* Layers 0-1 on devices 2, 0 and 1 in this order, in the header and in an epoch. */
static void plans_with_several_devices_per_stage_come_back(void) {
  const char     *path     = ee_test_path("replicas.h5");
  ee_trace_header h        = header(0);
  ee_stage        stage[1] = {{0, N_LAYERS, 2}};
  ee_replica      more[2]  = {{0, 0}, {0, 1}};
  int             turns[]  = {3, 1, 2};
  ee_plan         shared   = {.n_layers   = N_LAYERS,
                              .n_devices  = N_DEVICES,
                              .n_stages   = 1,
                              .stage      = stage,
                              .n_replicas = 2,
                              .replica    = more,
                              .turns      = turns};
  ee_trace_sink   sink;
  int             n;
  h.plan = &shared;
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &h, &sink), EE_OK);
  write_epoch(&sink, 0, &shared);
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);

  ee_trace_file         *file = reopen(path);
  const ee_epoch_record *e    = ee_trace_file_epochs(file, &n);
  CU_ASSERT_EQUAL_FATAL(n, 1);
  CU_ASSERT_TRUE(ee_plan_equal(ee_trace_file_header(file)->plan, &shared));
  CU_ASSERT_TRUE(ee_plan_equal(e[0].after, &shared));
  CU_ASSERT_TRUE(ee_plan_equal(e[0].before, &plan));
  ee_trace_file_close(&file);
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
    EE_FACT(plans_with_several_devices_per_stage_come_back),
    EE_FACT(a_trace_is_read_while_it_is_written),
    EE_FACT(parts_are_read_as_one_trace),
    EE_FACT(a_missing_part_leaves_what_is_there),
    EE_FACT(wrong_records_are_told_at_the_end),
    EE_FACT(a_trace_that_cannot_be_made_is_an_error),
    {NULL, NULL},
};
