/* SPDX-License-Identifier: Apache-2.0 */
/* Answers from all ranks to the collector: each once, whole, and not before their time. */
#include "answer_office.h"
#include "ee/rng.h"

/* Rank r answers ids r, r + size, ... in batches of any size; every third one again, otherwise. */
static void each_answer_is_kept_once_and_the_first_one_counts(void) {
  office o;
  open_office(&o, MPI_COMM_WORLD, NULL, (ee_deadline){0});
  ee_rng rng = ee_rng_at(3, (uint64_t)o.wire.rank);
  for (int i = 0; i < PER_RANK;) {
    ee_answer_record record[BATCH];
    int              n = (int)ee_rng_below(&rng, BATCH + 1);
    for (int k = 0; k < n; k++) {
      int id    = (i + k < PER_RANK ? i + k : PER_RANK - 1) * o.wire.size + o.wire.rank;
      record[k] = record_of((uint64_t)id, id % CLASSES);
    }
    if (n > PER_RANK - i) n = PER_RANK - i;
    post_batch(&o, record, n, 5);
    for (int k = 0; k < n; k++) {
      if ((i + k) % 3 != 0) continue;
      record[k].prediction = (record[k].prediction + 1) % CLASSES;
      post_batch(&o, &record[k], 1, 5);
    }
    i += n;
  }
  int again = (PER_RANK + 2) / 3;
  settle(&o, (PER_RANK + again) * o.wire.size);
  if (o.collector != NULL) {
    CU_ASSERT_EQUAL(ee_collector_answered(o.collector), PER_RANK * o.wire.size);
    CU_ASSERT_EQUAL(ee_collector_duplicates(o.collector), again * o.wire.size);
    for (int id = 0; id < PER_RANK * o.wire.size; id++) {
      const ee_answer *a = &o.seen->answer[id];
      CU_ASSERT_EQUAL(o.seen->times[id], 1);
      CU_ASSERT_EQUAL(a->prediction, id % CLASSES);
      CU_ASSERT_EQUAL(a->label, id % CLASSES);
      CU_ASSERT_EQUAL(a->exit, id % EXITS);
      CU_ASSERT_EQUAL(a->device, id % o.wire.size);
      CU_ASSERT_EQUAL(a->admitted, id * 10);
      CU_ASSERT_EQUAL(a->answered, 7);
      CU_ASSERT_EQUAL(a->plan_epoch, 3);
      CU_ASSERT_EQUAL(a->absent, (uint64_t)id << 50);
      CU_ASSERT_EQUAL(a->confidence, (float)id / 1000.0f);
      for (int c = 0; c < CLASSES; c++) {
        CU_ASSERT_EQUAL(o.seen->logits[id][c], (float)(id * 10) + (float)c);
      }
    }
  }
  close_office(&o);
}

static void a_batch_without_answers_is_not_sent(void) {
  office          o;
  ee_answer_batch batch;
  open_office(&o, MPI_COMM_SELF, NULL, (ee_deadline){0});
  for (int i = 0; i < 10; i++) {
    CU_ASSERT_TRUE(ee_answer_box_slot(o.box, &batch));
    *batch.n = 0;
    ee_answer_box_post(o.box, 5);
  }
  CU_ASSERT_TRUE(ee_answer_box_poll(o.box));
  close_office(&o);
}

/* Alone on its rank, so that every rank sees the same. */
static void answers_that_cannot_be_are_refused_by_name(void) {
  for (int bad = 0; bad < 6; bad++) {
    office o;
    open_office(&o, MPI_COMM_SELF, NULL, (ee_deadline){0});
    ee_answer_record r = record_of(1, 1);
    if (bad == 0) r.id = PER_RANK;
    if (bad == 1) r.id = UINT64_MAX;
    if (bad == 2) r.exit = EXITS;
    if (bad == 3) r.exit = -1;
    if (bad == 4) r.prediction = CLASSES;
    if (bad == 5) r.prediction = -1;
    post_batch(&o, &r, 1, 5);
    ee_status status = EE_OK;
    while (status == EE_OK) status = poll_all(&o);
    CU_ASSERT_EQUAL(status, EE_ERR_PEER);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rank 0"));
    CU_ASSERT_EQUAL(ee_collector_answered(o.collector), 0);
    while (!ee_answer_box_poll(o.box)) continue;
    close_office(&o);
  }
}

static void messages_that_are_no_answers_are_refused(void) {
  const struct {
    int n, bytes_more;
  } forged[] = {{1, -8}, {1, 8}, {-1, 0}, {BATCH + 1, 0}, {0, -12}};
  for (int i = 0; i < 5; i++) {
    office o;
    open_office(&o, MPI_COMM_SELF, NULL, (ee_deadline){0});
    unsigned char  *message = calloc(1, 4096);
    ee_answer_head *head    = (ee_answer_head *)(void *)message;
    head->n                 = forged[i].n;
    size_t bytes            = ee_answer_bytes(forged[i].n == 1 ? 1 : 0, CLASSES, true);
    MPI_Send(message, (int)bytes + forged[i].bytes_more, MPI_BYTE, 0, EE_TAG_ANSWER,
             o.wire.results);
    ee_status status = EE_OK;
    while (status == EE_OK) status = poll_all(&o);
    CU_ASSERT_EQUAL(status, EE_ERR_PEER);
    free(message);
    close_office(&o);
  }
}

/* 1 MB/s and 3 ms to the collector; the rank itself is at no distance. */
static void a_paced_answer_arrives_when_it_has_come_over(void) {
  ee_fleet *fleet = office_fleet(1e6, 0.003);
  office    o;
  int       size = fleet->n_devices;
  open_office(&o, MPI_COMM_WORLD, fleet, (ee_deadline){0});
  for (int k = 0; k < 3; k++) {
    ee_answer_record r = record_of((uint64_t)(k * size + o.wire.rank), 0);
    post_batch(&o, &r, 1, 1000);
  }
  settle(&o, 3 * size);
  if (o.collector != NULL) {
    int64_t one = (int64_t)ee_answer_bytes(1, CLASSES, true) * 1000, latest = 7;
    for (int id = 0; id < 3 * size; id++) {
      int64_t due = id % size == 0 ? 7 : 1000 + (id / size + 1) * one + 3000000;
      CU_ASSERT_EQUAL(o.seen->answer[id].answered, due);
      if (due > latest) latest = due;
    }
    CU_ASSERT_EQUAL(ee_collector_latest(o.collector), latest);
  }
  close_office(&o);
  ee_fleet_destroy(&fleet);
}

const ee_fact ee_facts[] = {
    EE_FACT(each_answer_is_kept_once_and_the_first_one_counts),
    EE_FACT(a_batch_without_answers_is_not_sent),
    EE_FACT(answers_that_cannot_be_are_refused_by_name),
    EE_FACT(messages_that_are_no_answers_are_refused),
    EE_FACT(a_paced_answer_arrives_when_it_has_come_over),
    {NULL, NULL},
};
