/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "answer_layout.h"
#include "answers.h"
#include "ee_test.h"

/**
 * @file answer_office.h
 * Boxes of answers and their collector, and what it has seen.
 */

enum { PER_RANK = 60, MOST_RANKS = 6, CLASSES = 3, EXITS = 2, BATCH = 4 };

typedef struct office_seen {
  int       times[PER_RANK * MOST_RANKS];
  ee_answer answer[PER_RANK * MOST_RANKS];
  float     logits[PER_RANK * MOST_RANKS][CLASSES];
} office_seen;

static inline void office_see(void *self, const ee_answer *answer, const float *logits,
                              int n_classes) {
  office_seen *s = self;
  s->times[answer->id]++;
  s->answer[answer->id] = *answer;
  memcpy(s->logits[answer->id], logits, (size_t)n_classes * sizeof *logits);
}

typedef struct office {
  ee_wire        wire;
  ee_pacer       pacer;
  ee_trace_sink  sink;
  ee_answer_box *box;
  ee_collector  *collector;  // rank 0
  office_seen   *seen;
  int32_t        label[PER_RANK * MOST_RANKS];
} office;

static inline void open_office(office *o, MPI_Comm comm, const ee_fleet *fleet,
                               ee_deadline deadline) {
  ee_wire_open(comm, &o->wire);
  o->collector = NULL;
  o->seen      = calloc(1, sizeof *o->seen);
  o->sink      = (ee_trace_sink){.self = o->seen, .answer = office_see};
  for (int i = 0; i < PER_RANK * MOST_RANKS; i++) o->label[i] = i % CLASSES;
  ee_collector_setup setup = {.n_samples   = (uint64_t)(PER_RANK * o->wire.size),
                              .label       = o->label,
                              .n_exits     = EXITS,
                              .n_classes   = CLASSES,
                              .batch_limit = BATCH,
                              .with_logits = true,
                              .sink        = &o->sink,
                              .pacer       = &o->pacer,
                              .deadline    = deadline};
  if (o->seen == NULL || ee_pacer_open(fleet, 1e9, o->wire.rank, &o->pacer) != EE_OK ||
      ee_answer_box_open(&o->wire, 2, BATCH, CLASSES, true, &o->box) != EE_OK ||
      (o->wire.rank == 0 && ee_collector_open(&o->wire, &setup, &o->collector) != EE_OK)) {
    abort();
  }
}

static inline void close_office(office *o) {
  MPI_Barrier(o->wire.results);
  ee_answer_box_close(&o->box);
  ee_collector_close(&o->collector);
  ee_pacer_close(&o->pacer);
  ee_wire_close(&o->wire);
  free(o->seen);
}

static inline ee_answer_record record_of(uint64_t id, int prediction) {
  return (ee_answer_record){.id         = id,
                            .admitted   = (int64_t)id * 10,
                            .prediction = prediction,
                            .exit       = (int32_t)(id % EXITS),
                            .confidence = (float)id / 1000.0f,
                            .plan_epoch = 3,
                            .absent     = id << 50};
}

static inline void put(const ee_answer_batch *batch, ee_answer_record record) {
  int k            = (*batch->n)++;
  batch->record[k] = record;
  for (int c = 0; c < CLASSES; c++) {
    batch->logits[k * CLASSES + c] = (float)(record.id * 10) + (float)c;
  }
}

static inline ee_status poll_at(office *o, int64_t now) {
  bool busy = false;
  ee_answer_box_poll(o->box);
  return o->collector != NULL ? ee_collector_poll(o->collector, now, &busy) : EE_OK;
}

static inline ee_status poll_all(office *o) {
  return poll_at(o, 7);
}

/* Post a batch as soon as there is room. */
static inline void post_batch(office *o, const ee_answer_record *record, int n, int64_t now) {
  ee_answer_batch batch;
  while (!ee_answer_box_slot(o->box, &batch)) CU_ASSERT_EQUAL(poll_all(o), EE_OK);
  *batch.n = 0;
  for (int i = 0; i < n; i++) put(&batch, record[i]);
  ee_answer_box_post(o->box, now);
}

static inline void settle(office *o, int64_t expected) {
  while (!ee_answer_box_poll(o->box)) CU_ASSERT_EQUAL(poll_all(o), EE_OK);
  while (o->collector != NULL &&
         ee_collector_answered(o->collector) + ee_collector_duplicates(o->collector) < expected) {
    CU_ASSERT_EQUAL_FATAL(poll_all(o), EE_OK);
  }
}

/* Between any two ranks. */
static inline ee_fleet *office_fleet(double bandwidth, double latency) {
  ee_fleet *fleet = NULL;
  int       size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(size, &fleet), EE_OK);
  for (int i = 0; i < size * size; i++) {
    fleet->link[i] = (ee_link_spec){.bandwidth = bandwidth, .latency = latency};
  }
  return fleet;
}
