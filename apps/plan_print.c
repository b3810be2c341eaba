/* SPDX-License-Identifier: Apache-2.0 */
/* Prints plans as tables: one line for each number of devices, then one for each device. */
#include "plan_print.h"

#include <math.h>
#include <stdio.h>

#include "plan_text.h"

#define MB 1e6

static double most_bytes(const ee_promise *p) {
  double most = 0.0;
  for (int s = 0; s < p->plan->n_stages; s++) most = fmax(most, p->bytes[s]);
  return most;
}

static void print_plans(const ee_plan_question *q, const ee_promises *all) {
  char text[256], where[160];
  printf(
      "devices  samples/s  unloaded ms  of bound   most MB  bottleneck                plan (layers "
      "@device)\n");
  for (int i = 0; i < all->n; i++) {
    const ee_promise *p = &all->of[i];
    if (p->plan == NULL) {
      printf("%7d  no plan\n", i + 1);
      continue;
    }
    ee_plan_bottleneck(q, p, where, sizeof where);
    printf("%7d %10.1f %12.3f %8.1f%% %9.2f  %-24s  %s\n", i + 1, 1.0 / p->forecast.period,
           p->forecast.latency * 1e3, 100.0 * p->forecast.lower_bound / p->forecast.period,
           most_bytes(p) / MB, where, ee_plan_text(p->plan, text, sizeof text));
  }
}

static void print_latencies(const ee_plan_question *q, const ee_promises *all) {
  const ee_promise *best = &all->of[all->enough - 1], *last = &all->of[all->n - 1];
  if (last->plan != NULL) best = last;
  printf("unloaded ms until an answer of each exit, on %d:", best->plan->n_devices);
  for (int e = 0; e < q->setup->model->n_exits; e++) printf(" %.3f", best->latency[e] * 1e3);
  printf("\n");
}

/* Nothing where floats were asked for. */
static void print_links(const ee_plan_question *q, const ee_promises *all) {
  const ee_promise *p = &all->of[all->enough - 1];
  char              text[1024];
  if (ee_link_values_by_name(q->options->link.values) == EE_LINK_F32) return;
  if (p->plan->n_stages == 1) return;
  printf("links, on %d: %s\n", p->plan->n_devices, ee_plan_links(q, p, text, sizeof text));
}

static void print_device(const ee_plan_question *q, const ee_promises *all, int d) {
  const ee_device_worth *one = &all->judgement->device[d];
  const ee_promise      *p   = &all->of[all->enough - 1];
  char                   name[64], text[256], layers[32] = "-", room[32] = "-";
  ee_plan_device_name(q, d, name, sizeof name);
  ee_plan_device_worth(all, d, text, sizeof text);
  if (one->stage < 0) {
    printf("%-16s %9s %7s %10s %8s  %s\n", name, "-", "-", "-", "-", text);
    return;
  }
  const ee_stage *stage = &p->plan->stage[one->stage];
  snprintf(layers, sizeof layers, "%d-%d", stage->begin, stage->end - 1);
  if (p->memory[d] > 0.0) {
    snprintf(room, sizeof room, "%.2f", p->memory[d] / MB);
  }
  printf("%-16s %9s %6.1f%% %10.2f %8s  %s\n", name, layers,
         100.0 * one->seconds / all->judgement->forecast.period, one->bytes / MB, room, text);
}

static void print_warning(const char *warning, void *context) {
  (void)context;
  printf("warning: %s\n", warning);
}

void ee_promises_print_text(const ee_plan_question *q, const ee_promises *all) {
  const ee_forecast *f = &all->judgement->forecast;
  char               text[1024];
  print_plans(q, all);
  print_latencies(q, all);
  print_links(q, all);
  printf("\ndevice              layers    busy  memory MB    of MB  what it is worth\n");
  for (int d = 0; d < all->n; d++) print_device(q, all, d);
  printf("\nverdict: %s\n", ee_plan_verdict(q, all, text, sizeof text));
  printf("bound: no plan on these %d devices has more than %.2f times this throughput\n", all->n,
         f->period / f->lower_bound);
  if (all->heuristic) {
    printf("order: of so many kinds of devices, a good one; there may be better ones\n");
  }
  if (all->better != NULL) {
    printf("hint: --planner %s has %.2f times this throughput\n", all->better->name,
           f->period / all->better_period);
  }
  ee_plan_warnings(q, all, print_warning, NULL);
}
