/* SPDX-License-Identifier: Apache-2.0 */
/* What an idle device names to be waited for. */
#include "ee/waiter.h"

#include "ee_test.h"

static void only_requests_under_way_are_waited_for(void) {
  MPI_Request none = MPI_REQUEST_NULL, open;
  MPI_Status  status;
  ee_waiter   w;
  int         number;
  ee_waiter_open(0, false, &w);
  MPI_Irecv(&number, 1, MPI_INT, MPI_ANY_SOURCE, 1, MPI_COMM_SELF, &open);
  ee_waiter_begin(&w);
  ee_waiter_add(&w, &none, NULL);
  CU_ASSERT_EQUAL(w.n, 0);
  ee_waiter_add(&w, &open, &status);
  CU_ASSERT_EQUAL(w.n, 1);
  CU_ASSERT_PTR_EQUAL(w.request[0], &open);
  CU_ASSERT_PTR_EQUAL(w.status[0], &status);
  CU_ASSERT_TRUE(ee_waiter_done(&none));
  CU_ASSERT_FALSE(ee_waiter_done(&open));
  MPI_Send(&(int){7}, 1, MPI_INT, 0, 1, MPI_COMM_SELF);
  while (!ee_waiter_done(&open)) continue;
  CU_ASSERT_EQUAL(number, 7);
  CU_ASSERT_TRUE(open == MPI_REQUEST_NULL && ee_waiter_done(&open));
}

static void the_earliest_time_counts(void) {
  ee_waiter w;
  ee_waiter_open(0, false, &w);
  ee_waiter_begin(&w);
  CU_ASSERT_EQUAL(w.until, INT64_MAX);
  ee_waiter_until(&w, 30);
  ee_waiter_until(&w, 20);
  ee_waiter_until(&w, 25);
  CU_ASSERT_EQUAL(w.until, 20);
  ee_waiter_begin(&w);
  CU_ASSERT_EQUAL(w.until, INT64_MAX);
}

/* None is forgotten: what finds no room is looked at again and again. */
static void with_too_many_requests_a_device_looks_again(void) {
  MPI_Request request[EE_WAITER_MOST + 1];
  ee_waiter   w;
  int         number;
  ee_waiter_open(0, false, &w);
  ee_waiter_begin(&w);
  for (int i = 0; i <= EE_WAITER_MOST; i++) {
    MPI_Irecv(&number, 1, MPI_INT, MPI_ANY_SOURCE, 2, MPI_COMM_SELF, &request[i]);
    CU_ASSERT_FALSE(w.looks);
    ee_waiter_add(&w, &request[i], NULL);
  }
  CU_ASSERT_EQUAL(w.n, EE_WAITER_MOST);
  CU_ASSERT_TRUE(w.looks);
  for (int i = 0; i <= EE_WAITER_MOST; i++) {
    MPI_Cancel(&request[i]);
    MPI_Wait(&request[i], MPI_STATUS_IGNORE);
  }
  ee_waiter_begin(&w);
  CU_ASSERT_FALSE(w.looks);
}

/* From a twentieth of the longest on, twice as long each time. */
static void naps_grow_until_something_is_done(void) {
  ee_waiter w;
  ee_waiter_open(2000, false, &w);
  for (int64_t nap = 100; nap < 4000; nap *= 2) {
    CU_ASSERT_EQUAL(w.nap, nap < 2000 ? nap : 2000);
    ee_waiter_begin(&w);
    ee_waiter_wait(&w, 0);
  }
  ee_waiter_was_busy(&w);
  CU_ASSERT_EQUAL(w.nap, 100);
  CU_ASSERT_EQUAL(w.slept, 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(only_requests_under_way_are_waited_for),
    EE_FACT(the_earliest_time_counts),
    EE_FACT(with_too_many_requests_a_device_looks_again),
    EE_FACT(naps_grow_until_something_is_done),
    {NULL, NULL},
};
