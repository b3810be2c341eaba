/* SPDX-License-Identifier: Apache-2.0 */
/* The vector that ranks add up: where things stand, readiness and the proof of one plan. */
#include <string.h>

#include "ee_test.h"
#include "sums.h"

static void the_vector_is_laid_out_as_documented(void) {
  ee_sums sums;
  CU_ASSERT_EQUAL_FATAL(ee_sums_open(3, 2, 0, 1, &sums), EE_OK);
  CU_ASSERT_EQUAL(sums.length, 3 + 3 + 3 + 2 * EE_DEVICE_SUMS);
  for (int i = 0; i < sums.length; i++) sums.all[i] = 100 + i;
  for (int e = 0; e < 3; e++) {
    CU_ASSERT_EQUAL(ee_sums_reached(&sums)[e], 103 + e);
    CU_ASSERT_EQUAL(ee_sums_left(&sums)[e], 106 + e);
  }
  for (int d = 0, at = 109; d < 2; d++) {
    for (int k = 0; k < EE_DEVICE_SUMS; k++, at++) {
      CU_ASSERT_EQUAL(ee_sums_device(&sums, d, (ee_device_sum)k), at);
    }
  }
  ee_sums_close(&sums);
}

static void all_are_ready_when_each_rank_adds_one(void) {
  ee_sums sums;
  CU_ASSERT_EQUAL_FATAL(ee_sums_open(1, 4, 0, 1, &sums), EE_OK);
  sums.all[0] = 3;
  CU_ASSERT_FALSE(ee_sums_all_ready(&sums));
  sums.all[0] = 4;
  CU_ASSERT_TRUE(ee_sums_all_ready(&sums));
  ee_sums_close(&sums);
}

/* What ranks add is not ours to know; so add up what a sum over one rank proves. */
static void one_other_hash_among_many_is_seen(void) {
  const uint64_t hash = 0xfedcba9876543210u, other = 0xfedcba9876543211u;
  for (int ranks = 1; ranks <= 1000; ranks = ranks * 10) {
    ee_sums sums;
    CU_ASSERT_EQUAL_FATAL(ee_sums_open(1, ranks, 0, 1, &sums), EE_OK);
    int64_t one = (int64_t)(hash & 0x7fffffff);  // as documented: 31 bits, so that sums fit
    sums.all[1] = one * ranks;
    CU_ASSERT_TRUE(ee_sums_same_hash(&sums, hash));
    sums.all[1] = one * (ranks - 1) + (int64_t)(other & 0x7fffffff);
    CU_ASSERT_FALSE(ee_sums_same_hash(&sums, hash));
    if (ranks > 1) CU_ASSERT_FALSE(ee_sums_same_hash(&sums, other));
    ee_sums_close(&sums);
  }
}

/* Each vector has its own integers; together they are what is added. */
static void vectors_of_a_sum_lie_behind_each_other(void) {
  ee_sums sums;
  CU_ASSERT_EQUAL_FATAL(ee_sums_open(2, 3, 4, 5, &sums), EE_OK);
  CU_ASSERT_EQUAL(sums.length, ee_sums_length(2, 3, 4));
  const int64_t *mine = sums.mine, *all = sums.all;
  for (int i = 4; i >= 0; i--) {
    ee_sums_select(&sums, i);
    CU_ASSERT_PTR_EQUAL(sums.mine, mine + i * sums.length);
    CU_ASSERT_PTR_EQUAL(sums.all, all + i * sums.length);
    memset(sums.mine, i + 1, (size_t)sums.length * sizeof *sums.mine);
    memset(sums.all, i + 6, (size_t)sums.length * sizeof *sums.all);
  }
  for (int i = 0; i < 10 * sums.length; i++) {
    const unsigned char *bytes = (const unsigned char *)&mine[i];
    CU_ASSERT_EQUAL(bytes[7], i / sums.length + 1);
  }
  ee_sums_close(&sums);
}

static void the_next_sum_has_as_many_epochs_as_rank_0_says_and_there_is_room_for(void) {
  const int64_t said[] = {-3, 0, 1, 2, 7, 8, 100};
  const int     next[] = {1, 1, 1, 2, 7, 7, 7};
  ee_sums       sums;
  CU_ASSERT_EQUAL_FATAL(ee_sums_open(2, 3, 0, 7, &sums), EE_OK);
  for (int i = 0; i < 7; i++) {
    ee_sums_set_next(&sums, said[i]);
    memcpy(sums.all, sums.mine, (size_t)sums.length * sizeof *sums.all);
    CU_ASSERT_EQUAL(ee_sums_next(&sums), next[i]);
  }
  ee_sums_close(&sums);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_vector_is_laid_out_as_documented),
    EE_FACT(all_are_ready_when_each_rank_adds_one),
    EE_FACT(one_other_hash_among_many_is_seen),
    EE_FACT(vectors_of_a_sum_lie_behind_each_other),
    EE_FACT(the_next_sum_has_as_many_epochs_as_rank_0_says_and_there_is_room_for),
    {NULL, NULL},
};
