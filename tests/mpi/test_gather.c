/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment takes from its link: batches cut and merged, and messages that cannot be refused
 * with the name of their sender.  Each rank sends to itself. */
#include "segment.h"

#include <math.h>

#include "toy_stream.h"

typedef struct bench {
  toy_run            toy;
  ee_plan           *plan;
  ee_wire            wire;
  ee_pacer           pacer;
  ee_counters        counters;
  ee_lessons         lessons;  // zeroed: nothing is learned
  ee_resident       *resident;
  ee_device_totals   totals;
  ee_segment_context context;
  ee_segment        *segment;
  ee_outbox         *outbox;
} bench;

static void open_bench(bench *b, int batch_limit) {
  *b = (bench){.plan = NULL};
  toy_open(&b->toy, 100);
  b->toy.setup.batch_limit = batch_limit;
  b->toy.setup.slots       = 4;
  b->toy.setup.sink        = NULL;
  ee_wire_open(MPI_COMM_SELF, &b->wire);
  b->context = (ee_segment_context){.wire     = &b->wire,
                                    .setup    = &b->toy.setup,
                                    .pacer    = &b->pacer,
                                    .counters = &b->counters,
                                    .totals   = &b->totals,
                                    .lessons  = &b->lessons};
  size_t bytes;
  if (ee_plan_uniform(b->toy.model->n_layers, 1, &b->plan) != EE_OK ||
      ee_pacer_open(NULL, 0.0, 0, &b->pacer) != EE_OK ||
      ee_counters_open(3, 10, 1, &b->counters) != EE_OK ||
      ee_resident_create(b->toy.model, &ee_backend_ref, &b->resident) != EE_OK) {
    abort();
  }
  b->context.resident = b->resident;
  if (ee_segment_open(&b->context, b->plan, 0, &b->segment) != EE_OK) abort();
  b->segment->passed = 0;
  bytes              = ee_message_bytes(&b->segment->in, batch_limit);
  if (ee_outbox_open(&b->wire, 0, 0, 4, bytes, &b->pacer, &b->outbox) != EE_OK) abort();
}

static void close_bench(bench *b) {
  ee_segment_close(&b->segment);
  ee_outbox_close(&b->outbox);
  ee_resident_destroy(&b->resident);
  ee_counters_close(&b->counters);
  ee_pacer_close(&b->pacer);
  ee_wire_close(&b->wire);
  ee_plan_destroy(&b->plan);
  toy_close(&b->toy);
}

/* A message of samples with these ids; values say whose they are. */
static ee_message write_message(bench *b, int n, const uint64_t *id, uint64_t watermark, int last) {
  const ee_message_layout *layout = &b->segment->in;
  void                    *slot   = ee_outbox_slot(b->outbox);
  CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
  ee_message_begin(layout, slot, n, watermark, last ? EE_FOLLOWS_NOTHING : EE_FOLLOWS_BATCH);
  ee_message m        = ee_message_view(layout, slot, n);
  size_t     elements = layout->sample_bytes / sizeof(float);
  for (int i = 0; i < n; i++) {
    m.id[i]       = id[i];
    m.admitted[i] = (int64_t)id[i] * 7;
    for (size_t k = 0; k < elements; k++) {
      ((float *)(void *)m.values)[(size_t)i * elements + k] = (float)id[i] + (float)k / 1000.0f;
    }
  }
  return m;
}

static void send_message(bench *b, int n, const uint64_t *id, uint64_t watermark, int last) {
  write_message(b, n, id, watermark, last);
  ee_outbox_post(b->outbox, ee_message_bytes(&b->segment->in, n), 0);
}

static ee_status gather(bench *b) {
  bool      busy   = false;
  ee_status status = EE_OK;
  for (int i = 0; i < 50 && status == EE_OK; i++) {
    status = ee_segment_gather(b->segment, 5, &busy);
    ee_outbox_poll(b->outbox, 0);
  }
  return status;
}

static void batches_are_filled_up_and_cut_at_the_limit(void) {
  const uint64_t first[] = {0, 2, 3}, second[] = {5, 6, 8}, third[] = {11};
  bench          b;
  open_bench(&b, 4);
  send_message(&b, 3, first, 5, 0);
  send_message(&b, 3, second, 10, 0);
  send_message(&b, 1, third, 12, 1);
  CU_ASSERT_EQUAL(gather(&b), EE_OK);
  ee_segment    *s              = b.segment;
  const uint64_t expected[2][4] = {{0, 2, 3, 5}, {6, 8, 11}};
  for (int round = 0; round < 2; round++) {
    int          n = round == 0 ? 4 : 3;
    const float *x = ee_exec_value(s->exec, b.toy.model->input);
    CU_ASSERT_EQUAL_FATAL(s->filled, n);
    CU_ASSERT_EQUAL(s->watermark, round == 0 ? 6 : 12);
    CU_ASSERT_EQUAL(s->input_ended, round == 1);
    CU_ASSERT_TRUE(ee_segment_ready(s, 5));
    size_t elements = s->in.sample_bytes / sizeof(float);
    for (int i = 0; i < n; i++) {
      uint64_t id = expected[round][i];
      CU_ASSERT_EQUAL(s->id[i], id);
      CU_ASSERT_EQUAL(s->admitted[i], (int64_t)id * 7);
      CU_ASSERT_EQUAL(x[(size_t)i * elements + 3], (float)id + 3.0f / 1000.0f);
    }
    s->filled = 0;
    CU_ASSERT_EQUAL(gather(&b), EE_OK);
  }
  CU_ASSERT_TRUE(ee_outbox_settled(b.outbox));
  close_bench(&b);
}

static void a_batch_that_is_not_full_waits_as_long_as_it_may(void) {
  const uint64_t ids[] = {0, 1};
  bench          b;
  open_bench(&b, 4);
  b.toy.setup.merge_wait = 1e-6;
  CU_ASSERT_FALSE(ee_segment_ready(b.segment, 5));
  send_message(&b, 2, ids, 2, 0);
  CU_ASSERT_EQUAL(gather(&b), EE_OK);  // at time 5
  CU_ASSERT_FALSE(ee_segment_ready(b.segment, 1004));
  CU_ASSERT_TRUE(ee_segment_ready(b.segment, 1005));
  b.toy.setup.merge_wait = INFINITY;
  CU_ASSERT_FALSE(ee_segment_ready(b.segment, INT64_MAX / 2));
  send_message(&b, 0, NULL, 2, 1);
  CU_ASSERT_EQUAL(gather(&b), EE_OK);
  CU_ASSERT_TRUE(ee_segment_ready(b.segment, 6));  // nothing follows
  close_bench(&b);
}

/* The case's message after one good message of ids 0 to 2 under watermark 4. */
static void check_refused(int n, const uint64_t *id, uint64_t watermark) {
  const uint64_t good[] = {0, 1, 2};
  bench          b;
  open_bench(&b, 4);
  send_message(&b, 3, good, 4, 0);
  CU_ASSERT_EQUAL(gather(&b), EE_OK);
  b.segment->filled = 0;
  send_message(&b, n, id, watermark, 0);
  CU_ASSERT_EQUAL(gather(&b), EE_ERR_PEER);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rank 0"));
  close_bench(&b);
}

static void ids_out_of_their_place_are_refused(void) {
  check_refused(2, (const uint64_t[]){6, 5}, 8);   // falling
  check_refused(2, (const uint64_t[]){6, 6}, 8);   // twice
  check_refused(1, (const uint64_t[]){3}, 8);      // below the watermark before
  check_refused(1, (const uint64_t[]){8}, 8);      // not below its own
  check_refused(0, NULL, 3);                       // a watermark that goes back
  check_refused(1, (const uint64_t[]){101}, 105);  // beyond the stream
  check_refused(1, (const uint64_t[]){UINT64_MAX}, UINT64_MAX);
}

static void messages_of_another_plan_cut_or_length_are_refused(void) {
  const uint64_t ids[] = {0, 1};
  for (int bad = 0; bad < 4; bad++) {
    bench b;
    open_bench(&b, 4);
    ee_message m     = write_message(&b, 2, ids, 2, 0);
    size_t     bytes = ee_message_bytes(&b.segment->in, 2);
    if (bad == 0) m.header->plan_epoch = 1;
    if (bad == 1) m.header->cut = 3;
    if (bad == 2) bytes -= 4;
    if (bad == 3) bytes = 10;
    ee_outbox_post(b.outbox, bytes, 0);
    CU_ASSERT_EQUAL(gather(&b), EE_ERR_PEER);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rank 0"));
    close_bench(&b);
  }
}

static void bytes_are_counted_with_the_epoch_of_the_watermark(void) {
  const uint64_t ids[] = {10, 11};
  bench          b;
  open_bench(&b, 4);
  send_message(&b, 2, ids, 20, 0);  // the newest id below the watermark is 19, of epoch 1
  CU_ASSERT_EQUAL(gather(&b), EE_OK);
  int64_t bytes = (int64_t)ee_message_bytes(&b.segment->in, 2);
  CU_ASSERT_EQUAL(ee_counters_of(&b.counters, 10)->received_bytes, bytes);
  CU_ASSERT_EQUAL(ee_counters_of(&b.counters, 20)->received_bytes, 0);
  CU_ASSERT_EQUAL(b.totals.bytes_received, bytes);
  close_bench(&b);
}

const ee_fact ee_facts[] = {
    EE_FACT(batches_are_filled_up_and_cut_at_the_limit),
    EE_FACT(a_batch_that_is_not_full_waits_as_long_as_it_may),
    EE_FACT(ids_out_of_their_place_are_refused),
    EE_FACT(messages_of_another_plan_cut_or_length_are_refused),
    EE_FACT(bytes_are_counted_with_the_epoch_of_the_watermark),
    {NULL, NULL},
};
