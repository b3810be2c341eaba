/* SPDX-License-Identifier: Apache-2.0 */
/* Prints bands: a line for each number of devices next to the chain, and the rows of the best. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan_bands.h"
#include "plan_text.h"

static void print_row(const ee_band_promise *p, int devices) {
  char                  text[256];
  const ee_band_choice *b = &p->bands;
  printf("%7d %10.3f %10.1f %10.1f %6.1f%%", devices, b->latency * 1e3, 1.0 / b->load.period,
         b->load.bytes / 1e3, 100.0 * ee_band_twice(b->plan));
  if (p->chain == NULL) {
    printf("  %10s %10s  no chain fits\n", "-", "-");
    return;
  }
  printf("  %10.3f %10.1f  %s\n", p->forecast.latency * 1e3, 1.0 / p->forecast.period,
         ee_plan_text(p->chain, text, sizeof text));
}

static const int64_t *rows_of(const ee_band_plan *plan, int k) {
  return plan->row + (size_t)k * ((size_t)plan->n_devices + 1);
}

static void print_range(const ee_plan_question *q, const ee_band_plan *plan, int k) {
  const int64_t *row = rows_of(plan, k);
  char           layers[32], name[64];
  snprintf(layers, sizeof layers, "%d-%d", plan->cut[k], plan->cut[k + 1] - 1);
  printf("%8s", layers);
  for (int d = 0; d < plan->n_devices; d++) {
    if (row[d] == row[d + 1]) continue;
    printf("  %s %lld-%lld", ee_plan_device_name(q, d, name, sizeof name), (long long)row[d],
           (long long)row[d + 1] - 1);
  }
  printf("\n");
}

static void print_memory(const ee_plan_question *q, const ee_band_promise *p) {
  char name[64];
  printf("memory MB:");
  for (int d = 0; d < p->bands.plan->n_devices; d++) {
    if (!ee_band_device_is_used(p->bands.units, d)) continue;
    printf(" %s %.2f", ee_plan_device_name(q, d, name, sizeof name),
           (double)ee_unit_room_bytes(p->bands.room[d]) / 1e6);
  }
  printf("\n");
}

static void print_best(const ee_plan_question *q, const ee_band_promises *all) {
  const ee_band_promise *p    = &all->of[all->enough - 1];
  const ee_band_plan    *plan = p->bands.plan;
  char                   name[64];
  int                    end = plan->cut[plan->n_ranges], layers = q->setup->model->n_layers;
  printf("\n  layers  rows at their end, on %d\n", all->enough);
  if (plan->cut[0] > 0) printf("%6d-%d  on the source\n", 0, plan->cut[0] - 1);
  for (int k = 0; k < plan->n_ranges; k++) print_range(q, plan, k);
  if (end < layers) {
    char text[32];
    snprintf(text, sizeof text, "%d-%d", end, layers - 1);
    printf("%8s  all on %s\n", text, ee_plan_device_name(q, plan->last, name, sizeof name));
  }
  printf("rows at borders: computed %s\n", p->bands.apart
                                               ? "behind the inner ones, while which they travel"
                                               : "with the others, once they are there");
  printf("ms until an answer of each exit:");
  for (int e = 0; e < q->setup->model->n_exits; e++) printf(" %.3f", p->bands.seconds[e] * 1e3);
  printf("\n");
  print_memory(q, p);
}

void ee_band_promises_print_text(const ee_plan_question *q, const ee_band_promises *all) {
  char text[1024];
  printf("                 in bands of rows                    as a chain (planner %s)\n",
         q->options->planner);
  printf(
      "devices         ms  samples/s    kB sent   twice          ms  samples/s  layers @device\n");
  for (int i = 0; i < all->n; i++) print_row(&all->of[i], i + 1);
  print_best(q, all);
  printf("\nverdict: %s\n", ee_band_verdict(q, all, text, sizeof text));
}

/* "camera, hub": those that compute, in order. */
static void list_devices(const ee_plan_question *q, const ee_band_promise *p, char *text,
                         size_t size) {
  char name[64];
  text[0] = '\0';
  for (int d = 0; d < p->bands.plan->n_devices; d++) {
    if (!ee_band_device_is_used(p->bands.units, d)) continue;
    size_t at = strlen(text);
    snprintf(text + at, size - at, "%s%s", at > 0 ? ", " : "",
             ee_plan_device_name(q, d, name, sizeof name));
  }
}

/* What one device needs, if one can: "; pi0 alone takes 12.000 ms". */
static void say_alone(const ee_plan_question *q, const ee_band_promises *all, char *text,
                      size_t size) {
  char name[64];
  if (all->alone < 0) {
    snprintf(text, size, "; no device can hold all layers");
  } else {
    snprintf(text, size, "; %s alone takes %.3f ms",
             ee_plan_device_name(q, all->alone, name, sizeof name), all->alone_latency * 1e3);
  }
}

/* A stream may be better off otherwise than one sample. */
static void say_stream(const ee_band_promises *all, double period, char *text, size_t size) {
  double best = period;
  text[0]     = '\0';
  for (int i = 0; i < all->n; i++) {
    if (all->of[i].chain != NULL) best = fmin(best, all->of[i].forecast.period);
  }
  if (best * (1.0 + EE_JUDGEMENT_MARGIN) >= period) return;
  snprintf(text, size, "; for a stream a chain has %.2f times the throughput", period / best);
}

/* Why the rows' devices cannot hold what they would have to. */
static void say_crowded(const ee_plan_question *q, const ee_band_promises *all, char *text,
                        size_t size) {
  const ee_band_promise *p = &all->of[all->enough - 1];
  char                   name[64];
  text[0] = '\0';
  int d   = p->bands.crowded;
  if (d < 0) return;
  snprintf(text, size,
           "; no bands were found that fit: in the nearest %s needs %zu byte and has %.0f",
           ee_plan_device_name(q, d, name, sizeof name), ee_unit_room_bytes(p->bands.room[d]),
           q->setup->fleet->device[d].memory);
}

static const char *verdict_bands(const ee_plan_question *q, const ee_band_promises *all, char *text,
                                 size_t size) {
  const ee_band_promise *p = &all->of[all->enough - 1];
  char                   devices[512], alone[160], stream[160], gain[64] = "";
  list_devices(q, p, devices, sizeof devices);
  say_alone(q, all, alone, sizeof alone);
  say_stream(all, p->bands.load.period, stream, sizeof stream);
  if (all->alone >= 0) {
    snprintf(gain, sizeof gain, ", %.2f times as fast as alone",
             all->alone_latency / p->bands.latency);
  }
  snprintf(text, size, "bands: a sample takes %.3f ms on %d of %d devices (%s)%s%s%s",
           p->bands.latency * 1e3, ee_band_devices_used(&p->bands), all->n, devices, gain, alone,
           stream);
  return text;
}

const char *ee_band_verdict(const ee_plan_question *q, const ee_band_promises *all, char *text,
                            size_t size) {
  char name[64], alone[160], stream[160], crowded[160], plan[256];
  if (all->winner == EE_WINNER_BANDS) return verdict_bands(q, all, text, size);
  say_crowded(q, all, crowded, sizeof crowded);
  if (all->winner == EE_WINNER_ALONE) {
    say_stream(all, all->alone_period, stream, sizeof stream);
    snprintf(text, size,
             "one device: a sample takes %.3f ms on %s alone, and no less on several%s%s",
             all->alone_latency * 1e3, ee_plan_device_name(q, all->alone, name, sizeof name),
             crowded, stream);
    return text;
  }
  say_alone(q, all, alone, sizeof alone);
  if (all->winner == EE_WINNER_NONE) {
    snprintf(text, size, "nothing fits: no chain%s%s", alone, crowded);
    return text;
  }
  say_stream(all, all->forecast.period, stream, sizeof stream);
  snprintf(text, size, "a chain: a sample takes %.3f ms with %s%s%s%s", all->forecast.latency * 1e3,
           ee_plan_text(all->chain, plan, sizeof plan), alone, crowded, stream);
  return text;
}
