/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over ranks, all of which play the same part; rank 0 is the root of the tree. */
#include "tree_sum.h"

#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"

/* What a sum waits for, in this order. */
enum { IDLE, CHILDREN, RESULT, SENDS };

enum { TAG_UP, TAG_DOWN };

/* This rank's place in the tree. */
static void find_place(ee_tree_sum *s) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(s->comm, &rank));
  EE_MPI(MPI_Comm_size(s->comm, &size));
  s->parent = rank > 0 ? (rank - 1) / 2 : MPI_PROC_NULL;
  for (int child = 2 * rank + 1; child <= 2 * rank + 2 && child < size; child++) {
    s->child[s->n_children++] = child;
  }
}

ee_status ee_tree_sum_open(MPI_Comm comm, bool tree, int most, ee_tree_sum *sum) {
  ee_status status = EE_OK;
  *sum             = (ee_tree_sum){.tree = tree, .most = most};
  for (int i = 0; i < 3; i++) sum->request[i] = MPI_REQUEST_NULL;
  EE_MPI(MPI_Comm_dup(comm, &sum->comm));
  find_place(sum);
  if (tree && sum->n_children > 0) {
    sum->part = calloc((size_t)most, (size_t)sum->n_children * sizeof *sum->part);
    if (sum->part == NULL) status = EE_FAIL(EE_ERR_NOMEM, "for sums of %d integers", most);
  }
  status = ee_agree(sum->comm, status, most);
  if (status != EE_OK) ee_tree_sum_close(sum);
  return status;
}

static void begin_tree(ee_tree_sum *s) {
  memcpy(s->all, s->mine, (size_t)s->length * sizeof *s->all);
  for (int i = 0; i < s->n_children; i++) {
    EE_MPI(MPI_Irecv(s->part + (ptrdiff_t)i * s->length, s->length, MPI_INT64_T, s->child[i],
                     TAG_UP, s->comm, &s->request[i]));
  }
}

void ee_tree_sum_begin(ee_tree_sum *sum, int length, const int64_t *mine, int64_t *all) {
  sum->length = length;
  sum->mine   = mine;
  sum->all    = all;
  if (sum->tree) {
    sum->step = CHILDREN;
    begin_tree(sum);
  } else {
    sum->step = SENDS;
    EE_MPI(
        MPI_Iallreduce(mine, all, sum->length, MPI_INT64_T, MPI_SUM, sum->comm, &sum->request[0]));
  }
}

bool ee_tree_sum_active(const ee_tree_sum *sum) {
  return sum->step != IDLE;
}

/* All parts of the subtree are here: add them, and pass the sum on.  `part` carries the sum up,
 * since `all` receives the result. */
static void send_up(ee_tree_sum *s) {
  for (int i = 0; i < s->n_children; i++) {
    const int64_t *part = s->part + (ptrdiff_t)i * s->length;
    for (int k = 0; k < s->length; k++) s->all[k] += part[k];
  }
  if (s->parent == MPI_PROC_NULL) return;
  const int64_t *up = s->mine;
  if (s->n_children > 0) up = memcpy(s->part, s->all, (size_t)s->length * sizeof *s->part);
  EE_MPI(MPI_Isend(up, s->length, MPI_INT64_T, s->parent, TAG_UP, s->comm, &s->request[0]));
  EE_MPI(MPI_Irecv(s->all, s->length, MPI_INT64_T, s->parent, TAG_DOWN, s->comm, &s->request[1]));
}

static void send_down(ee_tree_sum *s) {
  for (int i = 0; i < s->n_children; i++) {
    EE_MPI(
        MPI_Isend(s->all, s->length, MPI_INT64_T, s->child[i], TAG_DOWN, s->comm, &s->request[i]));
  }
}

/* What the step waited for is here. */
static void advance(ee_tree_sum *s) {
  if (s->step == CHILDREN) send_up(s);
  if (s->step == RESULT) send_down(s);
  s->step = s->step == SENDS ? IDLE : s->step + 1;
}

bool ee_tree_sum_test(ee_tree_sum *sum) {
  while (sum->step != IDLE) {
    int done;
    EE_MPI(MPI_Testall(3, sum->request, &done, MPI_STATUSES_IGNORE));
    if (!done) return false;
    advance(sum);
  }
  return true;
}

bool ee_tree_sum_await(ee_tree_sum *sum, ee_waiter *waiter) {
  for (int i = 0; i < 3; i++) ee_waiter_add(waiter, &sum->request[i], NULL);
  return sum->tree || sum->step == IDLE;
}

void ee_tree_sum_wait(ee_tree_sum *sum) {
  while (sum->step != IDLE) {
    EE_MPI(MPI_Waitall(3, sum->request, MPI_STATUSES_IGNORE));
    advance(sum);
  }
}

void ee_tree_sum_close(ee_tree_sum *sum) {
  if (sum->comm != MPI_COMM_NULL) EE_MPI(MPI_Comm_free(&sum->comm));
  free(sum->part);
  *sum = (ee_tree_sum){.comm = MPI_COMM_NULL};
}
