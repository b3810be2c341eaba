/* SPDX-License-Identifier: Apache-2.0 */
/* Constellations and waveforms against closed forms, and against a plain DFT. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee_test.h"
#include "modulation_parts.h"

#define PI 3.14159265358979323846
#define N EE_GRID_SAMPLES

/* Mean over @p waves waves of |DFT|^2 under a Hann window, shape [N], bin k at k / N turns per
 * sample; scaled to sum 1. */
static void spectrum(void (*make)(ee_rng *, int, ee_iq *), int modulation, int waves,
                     double *power) {
  double total = 0.0;
  memset(power, 0, N * sizeof *power);
  for (int w = 0; w < waves; w++) {
    ee_rng rng = ee_rng_at(11, (uint64_t)w);
    ee_iq  wave[N];
    make(&rng, modulation, wave);
    for (int k = 0; k < N; k++) {
      double complex sum = 0.0;
      for (int t = 0; t < N; t++) {
        double window = 0.5 - 0.5 * cos(2.0 * PI * t / N);
        sum += window * (wave[t].i + I * wave[t].q) * cexp(-2.0 * I * PI * ((k * t) % N) / N);
      }
      power[k] += creal(sum * conj(sum));
    }
  }
  for (int k = 0; k < N; k++) total += power[k];
  for (int k = 0; k < N; k++) power[k] /= total;
}

/* Bin of frequency k / N for k < 0 too. */
static double bin(const double *power, int k) {
  return power[(k + N) % N];
}

static double distance(ee_iq a, ee_iq b) {
  return hypot(a.i - b.i, a.q - b.q);
}

static void constellations_have_their_points_at_unit_mean_power(void) {
  static const int    points[]  = {2, 4, 8, 16, 64, 4};
  static const double nearest[] = {2.0,
                                   1.4142135623730951,   // sqrt 2
                                   0.7653668647301796,   // 2 sin(pi / 8)
                                   0.6324555320336759,   // 2 / sqrt 10
                                   0.3086066999241838,   // 2 / sqrt 42
                                   0.8944271909999159};  // 2 / sqrt 5
  for (int m = EE_BPSK; m <= EE_PAM4; m++) {
    ee_iq  p[EE_MAX_POINTS], mean = {0.0, 0.0};
    double power = 0.0, least = 10.0;
    int    n = ee_constellation(m, p);
    CU_ASSERT_EQUAL_FATAL(n, points[m]);
    for (int a = 0; a < n; a++) {
      power += (p[a].i * p[a].i + p[a].q * p[a].q) / n;
      mean = (ee_iq){mean.i + p[a].i, mean.q + p[a].q};
      for (int b = 0; b < a; b++) least = fmin(least, distance(p[a], p[b]));
    }
    CU_ASSERT_DOUBLE_EQUAL(power, 1.0, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(hypot(mean.i, mean.q), 0.0, 1e-13);
    CU_ASSERT_DOUBLE_EQUAL(least, nearest[m], 1e-14);
  }
  for (int m = EE_GFSK; m <= EE_WBFM; m++) {
    CU_ASSERT_EQUAL(ee_constellation(m, (ee_iq[EE_MAX_POINTS]){{0}}), 0);
  }
}

/* Two root raised cosines in a row have no interference at whole symbols: 1, 0, 0, ... */
static void the_pulse_through_its_matched_filter_is_free_of_interference(void) {
  int reach = 200 * EE_SAMPLES_PER_SYMBOL;
  for (int lag = 0; lag < 6; lag++) {
    double sum = 0.0;
    for (int k = -reach; k <= reach; k++) {
      double t = (double)k / EE_SAMPLES_PER_SYMBOL;
      sum += ee_root_raised_cosine(t) * ee_root_raised_cosine(t - lag) / EE_SAMPLES_PER_SYMBOL;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum, lag == 0 ? 1.0 : 0.0, 1e-5);
  }
}

/* What the matched filter sees at the centre of the symbol at grid sample @p centre. */
static ee_iq matched(const ee_iq *wave, int centre) {
  int   reach = EE_RRC_REACH * EE_SAMPLES_PER_SYMBOL;
  ee_iq sum   = {0.0, 0.0};
  for (int k = -reach; k <= reach; k++) {
    double t = (double)k / EE_SAMPLES_PER_SYMBOL;
    double h = ee_root_raised_cosine(t) / EE_SAMPLES_PER_SYMBOL;
    sum      = (ee_iq){sum.i + h * wave[centre + k].i, sum.q + h * wave[centre + k].q};
  }
  return sum;
}

static void a_matched_filter_finds_every_point_of_the_constellation(void) {
  for (int m = EE_BPSK; m <= EE_PAM4; m++) {
    ee_iq  p[EE_MAX_POINTS], wave[N];
    int    n = ee_constellation(m, p), hits[EE_MAX_POINTS] = {0}, found = 0;
    double worst = 0.0;
    for (uint64_t w = 0; w < 100; w++) {
      ee_rng rng = ee_rng_at(5, w);
      ee_wave_linear(&rng, m, wave);
      for (int k = EE_RRC_REACH; k < EE_GRID_SYMBOLS - EE_RRC_REACH; k++) {
        ee_iq z    = matched(wave, k * EE_SAMPLES_PER_SYMBOL);
        int   best = 0;
        for (int a = 1; a < n; a++) best = distance(z, p[a]) < distance(z, p[best]) ? a : best;
        hits[best]++;
        worst = fmax(worst, distance(z, p[best]));
      }
    }
    for (int a = 0; a < n; a++) found += hits[a] > 0;
    CU_ASSERT_EQUAL(found, n);
    CU_ASSERT_TRUE(worst < 0.05);  // what the cut of the pulse at five symbols leaves
  }
}

/* Raised cosine: half the density at half the symbol rate, none beyond (1 + b) / 2 of it; within
 * half the symbol rate 1 - b (1/2 - 1/pi) of the power. */
static void shaped_symbols_keep_to_their_band(void) {
  double power[N], inside = 0.0, half_rate = 0.0;
  int    half = N / EE_SAMPLES_PER_SYMBOL / 2;
  spectrum(ee_wave_linear, EE_QPSK, 200, power);
  int edge = (int)ceil((1.0 + EE_ROLL_OFF) * half) + 2;  // two bins for the window
  for (int k = -edge; k <= edge; k++) inside += bin(power, k);
  for (int k = -half; k <= half; k++) half_rate += bin(power, k) * (abs(k) == half ? 0.5 : 1.0);
  CU_ASSERT_TRUE(inside > 0.9999);
  CU_ASSERT_DOUBLE_EQUAL(half_rate, 1.0 - EE_ROLL_OFF * (0.5 - 1.0 / PI), 0.01);

  double flat = 0.0, at_half = 0.5 * (bin(power, half) + bin(power, -half));
  for (int k = -4; k <= 4; k++) flat += bin(power, k) / 9;
  CU_ASSERT_DOUBLE_EQUAL(at_half / flat, 0.5, 0.1);
}

/* Turns from one sample to the next. */
static double turned(const ee_iq *wave, int t) {
  double complex a = wave[t].i + I * wave[t].q, b = wave[t + 1].i + I * wave[t + 1].q;
  return carg(b * conj(a)) / (2.0 * PI);
}

static void keyed_frequencies_have_a_constant_envelope(void) {
  for (int m = EE_GFSK; m <= EE_CPFSK; m++) {
    for (uint64_t w = 0; w < 50; w++) {
      ee_rng rng = ee_rng_at(3, w);
      ee_iq  wave[N];
      ee_wave_frequency(&rng, m, wave);
      for (int t = 0; t < N; t++) CU_ASSERT_DOUBLE_EQUAL(hypot(wave[t].i, wave[t].q), 1.0, 1e-14);
    }
  }
}

/* Each symbol turns the phase by half the index, forwards or backwards. */
static void cpfsk_turns_by_half_its_index_per_symbol(void) {
  double step = 0.5 * 0.5 / EE_SAMPLES_PER_SYMBOL;
  int    up   = 0;
  for (uint64_t w = 0; w < 50; w++) {
    ee_rng rng = ee_rng_at(4, w);
    ee_iq  wave[N];
    ee_wave_frequency(&rng, EE_CPFSK, wave);
    for (int t = 0; t < N - 1; t++) {
      CU_ASSERT_DOUBLE_EQUAL(fabs(turned(wave, t)), step, 1e-13);
      if (t % EE_SAMPLES_PER_SYMBOL > 0) {
        CU_ASSERT_DOUBLE_EQUAL(turned(wave, t), turned(wave, t - 1), 1e-13);
      } else {
        up += turned(wave, t) > 0.0;
      }
    }
  }
  CU_ASSERT_DOUBLE_EQUAL(up, 500, 5.0 * sqrt(250.0));
}

/* Where two bits of one kind follow two of the other, the frequency is the error function of a
 * Gaussian of standard deviation sqrt(ln 2) / (2 pi BT) symbols, but for its eight samples a
 * symbol. */
static void gfsk_passes_between_bits_as_the_error_function(void) {
  double sigma = sqrt(log(2.0)) / (2.0 * PI * 0.5) * EE_SAMPLES_PER_SYMBOL;
  double peak  = 0.5 * 0.32 / EE_SAMPLES_PER_SYMBOL;
  int    met = 0, half = EE_SAMPLES_PER_SYMBOL / 2;
  for (uint64_t w = 0; w < 50; w++) {
    ee_rng rng = ee_rng_at(6, w);
    ee_iq  wave[N];
    ee_wave_frequency(&rng, EE_GFSK, wave);
    for (int edge = 2 * EE_SAMPLES_PER_SYMBOL; edge < N - 2 * EE_SAMPLES_PER_SYMBOL;
         edge += EE_SAMPLES_PER_SYMBOL) {
      double before = turned(wave, edge - half), after = turned(wave, edge + half);
      double first = turned(wave, edge - 3 * half), last = turned(wave, edge + 3 * half);
      if (first * before < 0.0 || before * after > 0.0 || after * last < 0.0) continue;
      met++;
      for (int t = -half; t < half; t++) {
        double expected = peak * erf((t + 0.5) / (sigma * sqrt(2.0))) * (after > 0.0 ? 1.0 : -1.0);
        CU_ASSERT_DOUBLE_EQUAL(turned(wave, edge + t), expected, 0.01 * peak);
      }
    }
  }
  CU_ASSERT_TRUE(met > 50);
}

static void am_dsb_is_a_carrier_whose_size_carries_the_message(void) {
  for (uint64_t w = 0; w < 500; w++) {
    ee_rng rng = ee_rng_at(7, w);
    ee_iq  wave[N];
    double least = 10.0, most = -10.0;
    ee_wave_analog(&rng, EE_AM_DSB, wave);
    for (int t = 0; t < N; t++) {
      CU_ASSERT_TRUE(wave[t].q == 0.0);
      least = fmin(least, wave[t].i);
      most  = fmax(most, wave[t].i);
    }
    CU_ASSERT_DOUBLE_EQUAL(most + least, 2.0, 1e-12);
    CU_ASSERT_TRUE(most - 1.0 >= 0.5 - 1e-12 && most - 1.0 <= 1.0 + 1e-12);
  }
}

/* Bins +-3 are at +-3750 Hz, the edge of the voice. */
static void am_ssb_has_no_lower_sideband(void) {
  double power[N], below = 0.0, above = 0.0;
  spectrum(ee_wave_analog, EE_AM_SSB, 200, power);
  for (int k = 3; k < N / 2; k++) {
    below += bin(power, -k);
    above += bin(power, k);
  }
  CU_ASSERT_TRUE(above > 0.05);
  CU_ASSERT_TRUE(below < 0.01 * above);
}

/* The message fills its range, so its derivative of the phase does so too. */
static void wbfm_swings_by_its_deviation_both_ways(void) {
  for (uint64_t w = 0; w < 500; w++) {
    ee_rng rng = ee_rng_at(8, w);
    ee_iq  wave[N];
    double least = 10.0, most = -10.0;
    ee_wave_analog(&rng, EE_WBFM, wave);
    for (int t = 0; t < N - 1; t++) {
      CU_ASSERT_DOUBLE_EQUAL(hypot(wave[t].i, wave[t].q), 1.0, 1e-14);
      least = fmin(least, turned(wave, t));
      most  = fmax(most, turned(wave, t));
    }
    CU_ASSERT_TRUE(most <= 75e3 / 200e3 && least >= -75e3 / 200e3);
    CU_ASSERT_TRUE(most >= 0.9 * 25e3 / 200e3 && least <= -0.9 * 25e3 / 200e3);
    CU_ASSERT_DOUBLE_EQUAL(most + least, 0.0, 0.1 * most);  // the last sample may hold a peak
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(constellations_have_their_points_at_unit_mean_power),
    EE_FACT(the_pulse_through_its_matched_filter_is_free_of_interference),
    EE_FACT(a_matched_filter_finds_every_point_of_the_constellation),
    EE_FACT(shaped_symbols_keep_to_their_band),
    EE_FACT(keyed_frequencies_have_a_constant_envelope),
    EE_FACT(cpfsk_turns_by_half_its_index_per_symbol),
    EE_FACT(gfsk_passes_between_bits_as_the_error_function),
    EE_FACT(am_dsb_is_a_carrier_whose_size_carries_the_message),
    EE_FACT(am_ssb_has_no_lower_sideband),
    EE_FACT(wbfm_swings_by_its_deviation_both_ways),
    {NULL, NULL},
};
