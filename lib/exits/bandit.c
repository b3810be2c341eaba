/* SPDX-License-Identifier: Apache-2.0 */
/* Bandits on fixed-point sums.  A memory is an array of doubles: HEAD facts, then for each arm its
 * rounds, rewards and squared rewards in fixed point; with a window, the sums of its epochs after
 * them.  Integers stay exact in doubles up to 2^53. */
#include "bandit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "policy_keys.h"

enum { ROUNDS, BEST, UNTRIED, NEXT, KEPT, HEAD };  // NEXT, KEPT: of the window's ring

#define TWO_PI 6.283185307179586
#define TRIED 1e-9  // discounted rounds below this are none

static const char *const rule_name[] = {"ucb1",   "ucbv",     "ucb-tuned", "discounted",
                                        "window", "thompson", NULL};

ee_status ee_bandit_read(const char *policy, const char *text, const ee_policy_setting *setting,
                         int n_arms, ee_bandit *bandit) {
  int rule = EE_BANDIT_UCB1;
  *bandit  = (ee_bandit){
       .n_arms = n_arms, .c = 1.0, .gamma = 0.999, .window = 1000, .seed = setting->seed};
  if (n_arms < 1 || n_arms > EE_BANDIT_MAX_ARMS) {
    return EE_FAIL(EE_ERR_ARG, "policy %s has %d arms, expected 1 to %d", policy, n_arms,
                   EE_BANDIT_MAX_ARMS);
  }
  EE_TRY(ee_key_word(policy, text, "rule", rule_name, &rule));
  EE_TRY(ee_key_number(policy, text, "c", 0.0, 100.0, &bandit->c));
  EE_TRY(ee_key_number(policy, text, "gamma", 0.5, 1.0, &bandit->gamma));
  EE_TRY(ee_key_integer(policy, text, "window", 1, 100000, &bandit->window));
  bandit->rule = (ee_bandit_rule)rule;
  return EE_OK;
}

size_t ee_bandit_learned(const ee_bandit *bandit) {
  return 1 + 3 * (size_t)bandit->n_arms;
}

/* Epochs that a window can hold, each with a round at least, and the one that comes in. */
static size_t ring_slots(const ee_bandit *b) {
  return b->rule == EE_BANDIT_WINDOW ? (size_t)b->window + 1 : 0;
}

size_t ee_bandit_memory_bytes(const ee_bandit *bandit) {
  size_t sums = ee_bandit_learned(bandit);
  return (HEAD + sums - 1 + ring_slots(bandit) * sums) * sizeof(double);
}

int64_t ee_fixed(double x) {
  if (!(x >= -EE_REWARD_MAX)) x = -EE_REWARD_MAX;
  if (x > EE_REWARD_MAX) x = EE_REWARD_MAX;
  return llrint(x * EE_FIXED_ONE);
}

void ee_bandit_round(int64_t *sums) {
  sums[0]++;
}

void ee_bandit_reward(int arm, double reward, int64_t *sums) {
  int64_t  fixed = ee_fixed(reward);
  double   kept  = (double)fixed / EE_FIXED_ONE;
  int64_t *entry = sums + 1 + 3 * arm;
  entry[0]++;
  entry[1] += fixed;
  entry[2] += llrint(kept * kept * EE_FIXED_ONE);
}

static void add(const ee_bandit *b, double *m, const int64_t *sums, double sign) {
  m[ROUNDS] += sign * (double)sums[0];
  for (int k = 0; k < 3 * b->n_arms; k++) m[HEAD + k] += sign * (double)sums[1 + k];
}

/* Forget by one epoch of @p rounds rounds. */
static void discount(const ee_bandit *b, double *m, double rounds) {
  double keep = pow(b->gamma, rounds);
  m[ROUNDS] *= keep;
  for (int k = 0; k < 3 * b->n_arms; k++) m[HEAD + k] *= keep;
}

/* Keep the epoch's sums in the ring, and drop the oldest until the window is not too wide. */
static void slide(const ee_bandit *b, double *m, const int64_t *sums) {
  size_t   n = ee_bandit_learned(b), slots = ring_slots(b), at = (size_t)m[NEXT];
  int64_t *ring = (int64_t *)(void *)(m + HEAD + n - 1);
  memcpy(ring + at * n, sums, n * sizeof *sums);
  m[NEXT] = (double)((at + 1) % slots);
  m[KEPT] += 1.0;
  while (m[ROUNDS] > b->window && m[KEPT] > 1.0) {
    size_t oldest = (at + 1 + slots - (size_t)m[KEPT]) % slots;
    add(b, m, ring + oldest * n, -1.0);
    m[KEPT] -= 1.0;
  }
}

static bool tried(const double *m, int arm) {
  return m[HEAD + 3 * arm] > TRIED;
}

double ee_bandit_index(const ee_bandit *bandit, const void *memory, int arm) {
  const double *m = memory, *entry = m + HEAD + 3 * arm;
  if (!tried(m, arm)) return INFINITY;

  double n = entry[0], mean = entry[1] / EE_FIXED_ONE / n, c = bandit->c;
  double l        = log(m[ROUNDS] + 1.0) / n;
  double variance = fmax(0.0, entry[2] / EE_FIXED_ONE / n - mean * mean);
  switch (bandit->rule) {
    case EE_BANDIT_UCBV:
      return mean + sqrt(2.0 * variance * c * l) + 3.0 * c * l;
    case EE_BANDIT_TUNED:
      return mean + c * sqrt(l * fmin(0.25, variance + sqrt(2.0 * l)));
    default:
      return mean + c * sqrt(l);
  }
}

/* Find out once per epoch what all its samples ask for. */
static void choose(const ee_bandit *b, double *m) {
  double best = -INFINITY;
  m[UNTRIED]  = 0.0;
  for (int a = 0; a < b->n_arms; a++) {
    double index = ee_bandit_index(b, m, a);
    m[UNTRIED] += !tried(m, a);
    if (index > best) {
      best    = index;
      m[BEST] = a;
    }
  }
}

void ee_bandit_epoch(const ee_bandit *bandit, const int64_t *sums, void *memory) {
  double *m = memory;
  if (sums[0] == 0) return;
  if (bandit->rule == EE_BANDIT_DISCOUNTED) discount(bandit, m, (double)sums[0]);
  add(bandit, m, sums, 1.0);
  if (bandit->rule == EE_BANDIT_WINDOW) slide(bandit, m, sums);
  choose(bandit, m);
}

/* Two independent normal numbers (Box and Muller, 1958). */
static void draw_normal(ee_rng *rng, double z[2]) {
  double radius = sqrt(-2.0 * log(1.0 - ee_rng_uniform(rng)));
  double angle  = TWO_PI * ee_rng_uniform(rng);
  z[0]          = radius * cos(angle);
  z[1]          = radius * sin(angle);
}

static int sample_arm(const ee_bandit *b, const double *m, uint64_t id) {
  ee_rng rng  = ee_rng_at(b->seed, id);
  double best = -INFINITY, z[2] = {0.0, 0.0};
  int    arm = 0;
  for (int a = 0; a < b->n_arms; a++) {
    const double *entry = m + HEAD + 3 * a;
    if (a % 2 == 0) draw_normal(&rng, z);
    double x = entry[1] / EE_FIXED_ONE / entry[0] + b->c / sqrt(entry[0]) * z[a % 2];
    if (x > best) {
      best = x;
      arm  = a;
    }
  }
  return arm;
}

/* The @p k-th arm without rounds. */
static int untried_arm(const ee_bandit *b, const double *m, uint64_t k) {
  int arm = 0;
  for (int a = 0; a < b->n_arms; a++) {
    if (tried(m, a)) continue;
    arm = a;
    if (k-- == 0) break;
  }
  return arm;
}

int ee_bandit_arm(const ee_bandit *bandit, const void *memory, uint64_t id) {
  const double *m = memory;
  if (id < (uint64_t)bandit->n_arms) return (int)id;
  if (m == NULL || m[ROUNDS] <= 0.0) return (int)(id % (uint64_t)bandit->n_arms);
  if (m[UNTRIED] > 0.0) return untried_arm(bandit, m, id % (uint64_t)m[UNTRIED]);
  if (bandit->rule == EE_BANDIT_THOMPSON) return sample_arm(bandit, m, id);
  return (int)m[BEST];
}
