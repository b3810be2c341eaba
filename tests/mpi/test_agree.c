/* SPDX-License-Identifier: Apache-2.0 */
/* One status and one sentence for all ranks, and nothing left behind after a fault. */
#include "ee/agree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "ee_test.h"

static int rank, size;

static void meet(void) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
}

static void all_well_is_well(void) {
  meet();
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, EE_OK, 7), EE_OK);
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, EE_OK, INT_MIN), EE_OK);
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, EE_OK, INT_MAX), EE_OK);
}

static void a_fault_on_one_rank_is_its_sentence_on_all(void) {
  meet();
  for (int bad = 0; bad < size; bad++) {
    char      expected[64];
    ee_status status = EE_OK;
    if (rank == bad) status = EE_FAIL(EE_ERR_FILE, "fault %d", bad);
    CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, status, 0), EE_ERR_FILE);
    snprintf(expected, sizeof expected, "rank %d: fault %d", bad, bad);
    CU_ASSERT_STRING_EQUAL(ee_status_message(), size > 1 ? expected : "fault 0");
  }
}

static void a_fault_on_all_ranks_names_none(void) {
  meet();
  ee_status status = EE_FAIL(EE_ERR_NOMEM, "the same fault");
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, status, rank), EE_ERR_NOMEM);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "the same fault");
}

static void the_worst_fault_wins(void) {
  meet();
  ee_status status = EE_FAIL(EE_ERR_ARG, "not so bad");
  if (rank == size - 1) status = EE_FAIL(EE_ERR_PEER, "worse");
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, status, 0), EE_ERR_PEER);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "worse"));
}

static void keys_that_differ_are_a_mismatch(void) {
  meet();
  const int pairs[][2] = {{1, 2}, {INT_MIN, INT_MAX}, {0, INT_MIN}, {-1, 0}};
  for (int i = 0; i < 4; i++) {
    ee_status status = ee_agree(MPI_COMM_WORLD, EE_OK, pairs[i][rank == size - 1]);
    CU_ASSERT_EQUAL(status, size > 1 ? EE_ERR_MISMATCH : EE_OK);
  }
}

static void a_fault_counts_more_than_a_mismatch(void) {
  meet();
  ee_status status = rank == 0 ? EE_FAIL(EE_ERR_ARG, "first things first") : EE_OK;
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, status, rank), EE_ERR_ARG);
}

static void the_longest_sentence_is_shared(void) {
  char text[2 * EE_MESSAGE_BYTES];
  meet();
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  ee_status status      = rank == size - 1 ? EE_FAIL(EE_ERR_ARG, "%s", text) : EE_OK;
  CU_ASSERT_EQUAL(ee_agree(MPI_COMM_WORLD, status, 0), EE_ERR_ARG);
  CU_ASSERT_TRUE(strlen(ee_status_message()) > 900);
}

enum { LARGE = 300000, SENDS = 3 };  // too long to leave without a receiver

static MPI_Request sends[2 * SENDS];

static bool all_sent(void *self) {
  int done;
  (void)self;
  MPI_Testall(2 * SENDS, sends, &done, MPI_STATUSES_IGNORE);
  return done;
}

/* Large and small messages to the next rank, of which it has asked for one large one only. */
static void draining_ends_every_send_and_spares_posted_receives(void) {
  static unsigned char out[LARGE], in[LARGE];
  MPI_Comm             comm;
  MPI_Request          receive;
  int                  got = 0, left = 1;
  meet();
  MPI_Comm_dup(MPI_COMM_WORLD, &comm);
  memset(out, rank + 1, sizeof out);
  int next = (rank + 1) % size, before = (rank + size - 1) % size;
  MPI_Irecv(in, LARGE, MPI_BYTE, before, 1, comm, &receive);
  if (rank == 0) ee_clock_sleep(50000000);  // some may be done before it has sent anything
  for (int i = 0; i < SENDS; i++) {
    MPI_Isend(out, LARGE, MPI_BYTE, next, i, comm, &sends[2 * i]);
    MPI_Isend(out, 4, MPI_BYTE, next, 100 + i, comm, &sends[2 * i + 1]);
  }
  ee_drain(comm, all_sent, NULL);
  for (int i = 0; i < 2 * SENDS; i++) CU_ASSERT_EQUAL(sends[i], MPI_REQUEST_NULL);
  MPI_Test(&receive, &got, MPI_STATUS_IGNORE);
  CU_ASSERT_TRUE(got);
  CU_ASSERT_EQUAL(in[LARGE - 1], before + 1);
  MPI_Barrier(comm);
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &left, MPI_STATUS_IGNORE);
  CU_ASSERT_FALSE(left);
  MPI_Comm_free(&comm);
}

const ee_fact ee_facts[] = {
    EE_FACT(all_well_is_well),
    EE_FACT(a_fault_on_one_rank_is_its_sentence_on_all),
    EE_FACT(a_fault_on_all_ranks_names_none),
    EE_FACT(the_worst_fault_wins),
    EE_FACT(keys_that_differ_are_a_mismatch),
    EE_FACT(a_fault_counts_more_than_a_mismatch),
    EE_FACT(the_longest_sentence_is_shared),
    EE_FACT(draining_ends_every_send_and_spares_posted_receives),
    {NULL, NULL},
};
