/* SPDX-License-Identifier: Apache-2.0 */
/* Waveforms of the digital modulations: symbols through a root raised cosine, bits on the
 * frequency. */
#include <stdbool.h>

#include "modulation_parts.h"

#define PI 3.14159265358979323846
#define LN_2 0.69314718055994530942
#define PULSE_REACH (EE_RRC_REACH * EE_SAMPLES_PER_SYMBOL)   // samples
#define SHAPED_SYMBOLS (EE_GRID_SYMBOLS + 2 * EE_RRC_REACH)  // that touch the grid
#define KEYED_SAMPLES (EE_GRID_SAMPLES + 2 * EE_GFSK_REACH)  // bits that touch it

/* (sin(pi t (1 - b)) + 4 b t cos(pi t (1 + b))) / (pi t (1 - (4 b t)^2)), Proakis (2008), 9.2. */
double ee_root_raised_cosine(double t) {
  double b = EE_ROLL_OFF;
  if (t == 0.0) return 1.0 - b + 4.0 * b / PI;
  double s = ee_turn(0.5 * t * (1.0 - b)).q;
  double c = ee_turn(0.5 * t * (1.0 + b)).i;
  return (s + 4.0 * b * t * c) / (PI * t * (1.0 - 16.0 * b * b * t * t));
}

/* No grid point meets the pulse's pole: 4 * 0.35 * k / 8 = 1 has no whole solution. */
static void pulse_table(double pulse[2 * PULSE_REACH + 1]) {
  for (int k = 0; k <= PULSE_REACH; k++) {
    double value           = ee_root_raised_cosine((double)k / EE_SAMPLES_PER_SYMBOL);
    pulse[PULSE_REACH + k] = value;
    pulse[PULSE_REACH - k] = value;
  }
}

void ee_wave_linear(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]) {
  ee_iq  point[EE_MAX_POINTS], symbol[SHAPED_SYMBOLS];
  double pulse[2 * PULSE_REACH + 1];
  int    n = ee_constellation(modulation, point);
  for (int k = 0; k < SHAPED_SYMBOLS; k++) symbol[k] = point[ee_rng_below(rng, (uint64_t)n)];
  pulse_table(pulse);

  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    // Symbol k is centred at sample (k - EE_RRC_REACH) * EE_SAMPLES_PER_SYMBOL.
    int   first = t / EE_SAMPLES_PER_SYMBOL + (t % EE_SAMPLES_PER_SYMBOL != 0);
    int   last  = t / EE_SAMPLES_PER_SYMBOL + 2 * EE_RRC_REACH;
    ee_iq sum   = {0.0, 0.0};
    for (int k = first; k <= last; k++) {
      double h = pulse[t - k * EE_SAMPLES_PER_SYMBOL + 2 * PULSE_REACH];
      sum.i += h * symbol[k].i;
      sum.q += h * symbol[k].q;
    }
    wave[t] = sum;
  }
}

/* exp(-2 pi^2 (BT)^2 (t / T)^2 / ln 2), scaled to sum 1. */
static void gauss_table(double tap[2 * EE_GFSK_REACH + 1]) {
  double sum = 0.0;
  for (int k = -EE_GFSK_REACH; k <= EE_GFSK_REACH; k++) {
    double x               = PI * EE_GFSK_BT * k / EE_SAMPLES_PER_SYMBOL;
    tap[k + EE_GFSK_REACH] = ee_exp(-2.0 * x * x / LN_2);
    sum += tap[k + EE_GFSK_REACH];
  }
  for (int k = 0; k <= 2 * EE_GFSK_REACH; k++) tap[k] /= sum;
}

/* Bits +-1, each held for a symbol; the grid begins EE_GFSK_REACH samples in. */
static void keyed_bits(ee_rng *rng, double level[KEYED_SAMPLES]) {
  for (int t = 0; t < KEYED_SAMPLES; t++) {
    bool starts = t % EE_SAMPLES_PER_SYMBOL == 0;
    level[t]    = !starts ? level[t - 1] : ee_rng_below(rng, 2) == 0 ? -1.0 : 1.0;
  }
}

/* phase(t + 1) - phase(t) = index / 2 * frequency(t) / EE_SAMPLES_PER_SYMBOL turns. */
void ee_wave_frequency(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]) {
  double level[KEYED_SAMPLES], tap[2 * EE_GFSK_REACH + 1], turns = 0.0;
  double index = modulation == EE_GFSK ? EE_GFSK_INDEX : EE_CPFSK_INDEX;
  keyed_bits(rng, level);
  gauss_table(tap);
  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    double frequency = 0.0;
    for (int k = 0; k <= 2 * EE_GFSK_REACH; k++) frequency += tap[k] * level[t + k];
    if (modulation == EE_CPFSK) frequency = level[t + EE_GFSK_REACH];
    wave[t] = ee_turn(turns);
    turns += 0.5 * index * frequency / EE_SAMPLES_PER_SYMBOL;
  }
}
