/* SPDX-License-Identifier: Apache-2.0 */
/* Plans for a given order of devices, and a good order by trying: for fleets of so many types that
 * the best order is out of reach. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

#define MOST_WORK (1 << 24)  // of trying: plans times what one of them takes
#define MOST_TRIES 4000
#define LEAST_TRIES 16
#define SAME_PERIOD 1e-12  // relative

ee_status ee_permuted_create(const ee_chain *chain, ee_permuted *p) {
  size_t  n = (size_t)chain->n_devices;
  double *x = calloc(n + 1, 2 * n * sizeof *x);
  *p        = (ee_permuted){.chain = chain, .speed = x};
  if (x == NULL) return EE_FAIL(EE_ERR_NOMEM, "to order %d devices", chain->n_devices);
  p->memory    = x + n;
  p->bandwidth = x + 2 * n;
  p->latency   = p->bandwidth + n * n;
  return EE_OK;
}

void ee_permuted_destroy(ee_permuted *p) {
  free(p->speed);  // one block: all four arrays
  *p = (ee_permuted){0};
}

/* x, shape [n, n], with rows and columns in order; NULL stays NULL. */
static const double *permute_pairs(const double *x, const int *order, int n, double *permuted) {
  for (int a = 0; x != NULL && a < n; a++) {
    for (int b = 0; b < n; b++) {
      permuted[(size_t)a * (size_t)n + (size_t)b] =
          x[(size_t)order[a] * (size_t)n + (size_t)order[b]];
    }
  }
  return x != NULL ? permuted : NULL;
}

static ee_chain permute(const ee_permuted *p, const int *order) {
  const ee_chain *c     = p->chain;
  ee_chain        chain = *c;
  for (int k = 0; k < c->n_devices; k++) {
    p->speed[k] = c->speed[order[k]];
    if (c->memory != NULL) p->memory[k] = c->memory[order[k]];
    if (c->source == order[k]) chain.source = k;
  }
  chain.speed     = p->speed;
  chain.memory    = c->memory != NULL ? p->memory : NULL;
  chain.bandwidth = permute_pairs(c->bandwidth, order, c->n_devices, p->bandwidth);
  chain.latency   = permute_pairs(c->latency, order, c->n_devices, p->latency);
  return chain;
}

ee_status ee_permuted_plan(ee_permuted *p, const int *order, ee_plan **plan, double *period) {
  ee_chain    chain = permute(p, order);
  ee_forecast forecast;
  *period = INFINITY;
  EE_TRY(ee_partition_exact(&chain, plan));
  for (int s = 0; s < (*plan)->n_stages; s++) {
    (*plan)->stage[s].device = order[(*plan)->stage[s].device];
  }
  ee_status status = ee_partition_forecast(p->chain, *plan, &forecast);
  if (status != EE_OK) {
    ee_plan_destroy(plan);
    return status;
  }
  *period = forecast.period;
  return EE_OK;
}

/* What is left to try, and the best so far. */
typedef struct trial {
  ee_permuted *permuted;
  int         *order, *kept;  // shape [n_devices], in hand and the best so far
  int          n;             // devices
  int          left;          // plans that may still be made
  double       period;        // of the best so far [s]
} trial;

/* Plan in the order in hand; keep it if it is better, else go back to the best so far. */
static ee_status judge(trial *t, bool *better) {
  size_t    bytes = (size_t)t->permuted->chain->n_devices * sizeof *t->order;
  ee_plan  *plan  = NULL;
  double    period;
  ee_status status = ee_permuted_plan(t->permuted, t->order, &plan, &period);
  ee_plan_destroy(&plan);
  t->left--;
  *better = period < t->period * (1 - SAME_PERIOD);
  if (*better) {
    t->period = period;
    memcpy(t->kept, t->order, bytes);
  } else {
    memcpy(t->order, t->kept, bytes);
  }
  return status == EE_ERR_NOMEM ? status : EE_OK;  // an order in which nothing fits is a bad one
}

/* Swap the devices in places a and b, or move the one in place a to place b. */
static void change(int *order, int a, int b, bool swap) {
  int device = order[a];
  if (swap) {
    order[a] = order[b];
  } else if (a < b) {
    memmove(&order[a], &order[a + 1], (size_t)(b - a) * sizeof *order);
  } else {
    memmove(&order[b + 1], &order[b], (size_t)(a - b) * sizeof *order);
  }
  order[b] = device;
}

/* All swaps, then all moves. */
static ee_status pass(trial *t, bool *better) {
  for (int swap = 1; swap >= 0; swap--) {
    for (int a = 0; a < t->n; a++) {
      for (int b = swap ? a + 1 : 0; b < t->n && t->left > 0; b++) {
        bool here;
        if (a == b) continue;
        change(t->order, a, b, swap != 0);
        EE_TRY(judge(t, &here));
        *better |= here;
      }
    }
  }
  return EE_OK;
}

/* The source first if it is present, then the fastest, those that are away last. */
static void fastest_first(const ee_chain *chain, int *order) {
  for (int d = 0; d < chain->n_devices; d++) {
    int k = d;
    for (; k > 0; k--) {
      int  other = order[k - 1];
      bool first = d == chain->source && chain->speed[d] > 0.0;
      bool after = other == chain->source && chain->speed[other] > 0.0;
      if (after || (!first && chain->speed[other] >= chain->speed[d])) break;
      order[k] = other;
    }
    order[k] = d;
  }
}

static int tries_for(const ee_chain *chain) {
  double work = (double)chain->n_layers * chain->n_devices;
  if (chain->bandwidth != NULL || chain->latency != NULL) work *= chain->n_devices;
  return (int)fmin(MOST_TRIES, fmax(LEAST_TRIES, MOST_WORK / work));
}

static ee_status try_all(trial *t) {
  bool better = true;
  fastest_first(t->permuted->chain, t->order);
  EE_TRY(judge(t, &better));
  for (better = true; better && t->left > 0;) {
    better = false;
    EE_TRY(pass(t, &better));
  }
  return EE_OK;
}

ee_status ee_order_improve(ee_permuted *p, double period, int *order) {
  size_t bytes   = (size_t)p->chain->n_devices * sizeof *order;
  int   *in_hand = malloc(bytes);
  trial  t       = {.permuted = p,
                    .order    = in_hand,
                    .kept     = order,
                    .n        = p->chain->n_devices,
                    .left     = tries_for(p->chain),
                    .period   = period};
  if (in_hand == NULL) return EE_FAIL(EE_ERR_NOMEM, "to order %d devices", p->chain->n_devices);
  ee_status status = try_all(&t);
  free(in_hand);
  return status;
}
