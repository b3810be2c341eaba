/* SPDX-License-Identifier: Apache-2.0 */
/* Shares since a jump against plain counting, and when jumps are noticed. */
#include "shares.h"

#include "ee_test.h"
#include "jump_stream.h"

/* Whenever a jump is seen the shares are the counts of the epochs since, and rest on just these. */
static void after_a_jump_shares_are_those_since(void) {
  ee_rng    rng = ee_rng_at(5, 5);
  ee_shares s;
  int64_t   left[400][2];
  int       longest = 0, jumps = 0;
  CU_ASSERT_EQUAL_FATAL(ee_shares_open(2, EE_JUMP_BOTH, &s), EE_OK);
  CU_ASSERT_EQUAL(s.share[1], 1.0);
  for (int k = 0; k < 400; k++) {
    double q   = k / 100 % 2 == 0 ? 0.25 : 0.55;
    left[k][0] = 0;
    for (int i = 0; i < 20; i++) left[k][0] += ee_rng_uniform(&rng) < q;
    left[k][1] = 20 - left[k][0];
    ee_shares_update(&s, left[k]);
    if (s.jumped == 0) continue;
    double first = 0.0;
    for (int i = k - s.jumped + 1; i <= k; i++) first += (double)left[i][0];
    CU_ASSERT_DOUBLE_EQUAL(s.share[0], first / (20.0 * s.jumped), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.share[0] + s.share[1], 1.0, 1e-12);
    CU_ASSERT_EQUAL(s.samples, 20.0 * s.jumped);
    CU_ASSERT_TRUE(s.sum[0].up + s.sum[0].down + s.sum[1].up + s.sum[1].down == 0.0);
    if (s.jumped > longest) longest = s.jumped;
    jumps++;
  }
  CU_ASSERT_TRUE(jumps >= 3 && jumps <= 6 && longest > 1);
  ee_shares_close(&s);
}

static void an_epoch_without_samples_changes_nothing(void) {
  ee_shares s;
  CU_ASSERT_EQUAL_FATAL(ee_shares_open(2, EE_JUMP_BOTH, &s), EE_OK);
  ee_shares_update(&s, (const int64_t[]){3, 1});
  ee_shares_update(&s, (const int64_t[]){0, 0});
  CU_ASSERT_EQUAL(s.share[0], 0.75);
  CU_ASSERT_EQUAL(s.samples, 4.0);
  CU_ASSERT_EQUAL(s.epochs, 1);
  ee_shares_close(&s);
}

/* Less than one stream of 200 epochs in 40 has an alarm of the sums, and less than one in 12 any:
 * what they are compared with is smoothed over the epochs itself, which makes alarms rarer than a
 * reference that stands still would. */
static void a_stream_that_stays_as_it_is_has_no_jump(void) {
  const int samples[] = {8, 20, 32, 128, 600};
  for (int i = 0; i < 5; i++) {
    CU_ASSERT_TRUE(jump_try(EE_JUMP_SUM, samples[i], 0.0, JUMP_QUIET, 400).noticed < 1.0 / 40);
    CU_ASSERT_TRUE(jump_try(EE_JUMP_BOTH, samples[i], 0.0, JUMP_QUIET, 400).noticed < 1.0 / 12);
  }
}

/* With small epochs, which are smoothed for long. */
static void sums_notice_what_one_epoch_cannot_show(void) {
  const int samples[] = {8, 32};
  for (int i = 0; i < 2; i++) {
    jump_result epoch = jump_try(EE_JUMP_EPOCH, samples[i], 2.0, JUMP_AFTER, 200);
    jump_result both  = jump_try(EE_JUMP_BOTH, samples[i], 2.0, JUMP_AFTER, 200);
    CU_ASSERT_TRUE(epoch.noticed < 0.1);
    CU_ASSERT_TRUE(both.noticed > 0.8);
    CU_ASSERT_TRUE(both.delay < 8.0);
    CU_ASSERT_TRUE(both.error < epoch.error);
  }
}

static void a_large_jump_is_seen_in_its_first_epoch(void) {
  const int samples[] = {32, 128, 600};
  for (int i = 0; i < 3; i++) {
    jump_result sum  = jump_try(EE_JUMP_SUM, samples[i], 8.0, JUMP_AFTER, 200);
    jump_result both = jump_try(EE_JUMP_BOTH, samples[i], 8.0, JUMP_AFTER, 200);
    CU_ASSERT_TRUE(both.noticed == 1.0 && both.delay < 1.05);
    CU_ASSERT_TRUE(both.error < sum.error);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(after_a_jump_shares_are_those_since),
    EE_FACT(an_epoch_without_samples_changes_nothing),
    EE_FACT(a_stream_that_stays_as_it_is_has_no_jump),
    EE_FACT(sums_notice_what_one_epoch_cannot_show),
    EE_FACT(a_large_jump_is_seen_in_its_first_epoch),
    {NULL, NULL},
};
