/* SPDX-License-Identifier: Apache-2.0 */
#include "duel.h"

#include <math.h>
#include <stdlib.h>

#include "passes.h"

#define LEAST_ROUNDS 5
#define MOST_ROUNDS 15
#define MOST_PASSES 200  // of a turn

/* Rounds under way; a row of `ratio` has all rounds of one part, the last row those of the whole.
 */
typedef struct fight {
  ee_whole    *side[2];
  const float *input;
  int          n_rows, n_rounds, passes;
  double      *ratio;       // shape [n_rows, n_rounds]
  double       cpu_shares;  // of all turns together
} fight;

static ee_status take_turn(const fight *f, int side, ee_pass_times *times) {
  const ee_pass_options options = {
      .by_layer = true, .early_heads = true, .cpu_time = true, .warm = true, .repeats = f->passes};
  return ee_passes_measure(f->side[side], f->input, &options, times);
}

static double ratio_of(ee_timing second, ee_timing first) {
  return first.median > 0.0 ? second.median / first.median : (double)NAN;
}

static void note_round(fight *f, int r, const ee_pass_times of[2]) {
  int rows = f->n_rows - 1;
  for (int i = 0; i < rows; i++) {
    f->ratio[i * f->n_rounds + r] = ratio_of(of[1].layer[i], of[0].layer[i]);  // heads follow
  }
  f->cpu_shares += of[0].cpu_share + of[1].cpu_share;
  f->ratio[rows * f->n_rounds + r] = ratio_of(of[1].cpu, of[0].cpu);
}

/* Who begins alternates. */
static ee_status fight_round(fight *f, int r) {
  ee_pass_times of[2]  = {0};
  int           begins = r % 2;
  ee_status     status = take_turn(f, begins, &of[begins]);
  if (status == EE_OK) status = take_turn(f, 1 - begins, &of[1 - begins]);
  if (status == EE_OK) note_round(f, r, of);
  for (int side = 0; side < 2; side++) ee_pass_times_free(&of[side]);
  return status;
}

/* A turn is a pass that does not count, and pairs of passes: of the whole, and layer by layer. */
static ee_status choose_numbers(fight *f, double seconds) {
  ee_pass_times times[2] = {0};
  f->passes              = 1;
  EE_TRY(take_turn(f, 1, &times[1]));
  ee_status status = take_turn(f, 0, &times[0]);
  double    pass   = times[0].cpu.median;
  for (int side = 0; side < 2; side++) ee_pass_times_free(&times[side]);
  EE_TRY(status);
  f->n_rounds = ee_repeats_for(2.0 * 3.0 * pass, seconds, LEAST_ROUNDS, MOST_ROUNDS);
  f->passes   = ee_repeats_for(2.0 * 2.0 * f->n_rounds * pass, seconds, 1, MOST_PASSES);
  return EE_OK;
}

static int compare_ratios(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static ee_ratio sum_up_rounds(double *ratio, int n) {
  for (int i = 0; i < n; i++) {
    if (isnan(ratio[i])) return (ee_ratio){NAN, NAN};
  }
  qsort(ratio, (size_t)n, sizeof *ratio, compare_ratios);
  return (ee_ratio){.median = (ratio[(n - 1) / 2] + ratio[n / 2]) / 2.0, .upper = ratio[3 * n / 4]};
}

bool ee_duel_is_won(ee_ratio ratio, double gain) {
  return ratio.median <= 1.0 - gain && ratio.upper < 1.0;
}

static ee_status sum_up(const fight *f, ee_duel *duel) {
  int rows   = f->n_rows - 1;
  duel->part = calloc((size_t)rows, sizeof *duel->part);
  if (duel->part == NULL) return EE_FAIL(EE_ERR_NOMEM, "to compare %d layers and heads", rows);
  duel->n_rounds  = f->n_rounds;
  duel->cpu_share = f->cpu_shares / (2.0 * f->n_rounds);
  for (int i = 0; i < rows; i++) {
    duel->part[i] = sum_up_rounds(f->ratio + i * f->n_rounds, f->n_rounds);
  }
  duel->whole = sum_up_rounds(f->ratio + rows * f->n_rounds, f->n_rounds);
  return EE_OK;
}

ee_status ee_duel_fight(ee_whole *first, ee_whole *second, const float *input, double seconds,
                        ee_duel *duel) {
  const ee_model *m = first->model;
  fight f = {.side = {first, second}, .input = input, .n_rows = m->n_layers + m->n_exits + 1};
  *duel   = (ee_duel){0};
  EE_TRY(choose_numbers(&f, seconds));
  f.ratio          = calloc((size_t)f.n_rows * (size_t)f.n_rounds, sizeof *f.ratio);
  ee_status status = f.ratio != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %d rounds", f.n_rounds);
  for (int r = 0; r < f.n_rounds && status == EE_OK; r++) status = fight_round(&f, r);
  if (status == EE_OK) status = sum_up(&f, duel);
  free(f.ratio);
  return status;
}

void ee_duel_free(ee_duel *duel) {
  free(duel->part);
  *duel = (ee_duel){0};
}
