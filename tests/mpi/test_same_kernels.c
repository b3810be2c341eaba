/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that would compute a layer differently are refused, told of, or made equal. */
#include "ee/same_kernels.h"

#include <stdio.h>
#include <string.h>

#include "../unit/nn/graph_maker.h"
#include "ee/tuning.h"
#include "ee/winograd.h"
#include "ee_test.h"

static int rank, size;

/* A convolution that Winograd's method fits, and a classifier; tuned here. */
static ee_model *tuned_model(void) {
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  ee_model *m = maker_begin(3, SHAPE(1, 16, 8, 8));
  maker_head(m, "final", maker_conv(m, "conv", m->input));
  if (ee_model_finish(m) != EE_OK) abort();
  ee_tuning_begin(m, 1);
  m->node[0].method = EE_METHOD_WINOGRAD_2;
  ee_tuning_set(true);
  return m;
}

static ee_status agree_on(const ee_model *m) {
  return ee_same_kernels(MPI_COMM_WORLD, m, &ee_backend_simd);
}

static const char *kernel_of(const ee_model *m) {
  return ee_backend_simd.kernel(m, &m->node[0], 1, NULL);
}

static void methods_that_all_ranks_share_count(void) {
  ee_model *m = tuned_model();
  CU_ASSERT_EQUAL(agree_on(m), EE_OK);
  CU_ASSERT_STRING_EQUAL(kernel_of(m), "Winograd 2x2");
  ee_model_destroy(&m);
}

/* The last rank has another processor, another file, or is told otherwise; it might as well be
 * rank 0. */
static void spoil(ee_model *m, int kind) {
  if (kind == 0) snprintf(m->tuning.cpu, sizeof m->tuning.cpu, "another");
  if (kind == 1) m->node[0].method = EE_METHOD_DIRECT_2;
  if (kind == 2) ee_tuning_set(false);
}

static void methods_that_one_rank_lacks_count_nowhere(void) {
  for (int kind = 0; kind < 3; kind++) {
    for (int bad = 0; bad < 2; bad++) {
      ee_model *m = tuned_model();
      if (size == 1) {
        ee_test_skip("one rank does not differ from itself");
      } else {
        if (rank == (bad == 0 ? 0 : size - 1)) spoil(m, kind);
        CU_ASSERT_EQUAL(agree_on(m), EE_OK);
        CU_ASSERT_STRING_EQUAL(kernel_of(m), "Winograd 4x4");
      }
      ee_model_destroy(&m);
    }
  }
  ee_tuning_set(true);
}

static void another_winograd_rule_is_refused_on_all_ranks(void) {
  ee_model *m   = tuned_model();
  bool      bad = rank == size - 1 && size > 1;
  char      expected[96];
  snprintf(expected, sizeof expected,
           "rank %d has backend simd and Winograd convolutions off, rank 0 has simd and on",
           size - 1);
  ee_winograd_set(bad ? EE_WINOGRAD_OFF : EE_WINOGRAD_ON);
  CU_ASSERT_EQUAL(agree_on(m), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), expected));
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  ee_model_destroy(&m);
}

/* Two rules that come to the same for this model. */
static void a_rule_that_changes_nothing_is_no_difference(void) {
  ee_model *m = tuned_model();
  ee_winograd_set(rank == 0 ? EE_WINOGRAD_BY_MODEL : EE_WINOGRAD_ON);
  CU_ASSERT_EQUAL(agree_on(m), EE_OK);
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  ee_model_destroy(&m);
}

static void another_backend_is_refused_on_all_ranks(void) {
  ee_model         *m       = tuned_model();
  const ee_backend *backend = rank == size - 1 && size > 1 ? &ee_backend_ref : &ee_backend_simd;
  CU_ASSERT_EQUAL(ee_same_kernels(MPI_COMM_WORLD, m, backend), size > 1 ? EE_ERR_MISMATCH : EE_OK);
  if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "has backend ref"));
  ee_model_destroy(&m);
}

/* They count on the backend int8 only. */
static void other_scales_are_refused_on_all_ranks(void) {
  ee_model *m      = tuned_model();
  bool      bad    = rank == size - 1 && size > 1;
  m->node[0].quant = (ee_quant){bad ? 0.25F : 0.5F, 3};
  CU_ASSERT_EQUAL(agree_on(m), EE_OK);
  CU_ASSERT_EQUAL(ee_same_kernels(MPI_COMM_WORLD, m, &ee_backend_int8),
                  size > 1 ? EE_ERR_MISMATCH : EE_OK);
  if (size > 1) CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "other scales"));
  m->node[0].quant = (ee_quant){0.5F, bad ? 4 : 3};
  CU_ASSERT_EQUAL(ee_same_kernels(MPI_COMM_WORLD, m, &ee_backend_int8),
                  size > 1 ? EE_ERR_MISMATCH : EE_OK);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(methods_that_all_ranks_share_count),
    EE_FACT(methods_that_one_rank_lacks_count_nowhere),
    EE_FACT(another_winograd_rule_is_refused_on_all_ranks),
    EE_FACT(a_rule_that_changes_nothing_is_no_difference),
    EE_FACT(another_backend_is_refused_on_all_ranks),
    EE_FACT(other_scales_are_refused_on_all_ranks),
    {NULL, NULL},
};
