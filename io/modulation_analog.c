/* SPDX-License-Identifier: Apache-2.0 */
/* Waveforms of the analog modulations.  Their message is a voice that never pauses: a few partials
 * around each of three formants, pre-emphasised so that all formants are equally strong. */
#include "modulation_parts.h"

/* Ranges of the first three formants of vowels [Hz]. */
static const double formant_low[EE_FORMANTS]  = {300.0, 900.0, 2200.0};
static const double formant_high[EE_FORMANTS] = {900.0, 2200.0, 3400.0};

/* Add level * e^(2 pi j (start + rate t)) to the message. */
static void add_partial(double level, double start, double rate, ee_iq message[EE_GRID_SAMPLES]) {
  ee_iq z = ee_turn(start), step = ee_turn(rate);
  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    message[t].i += level * z.i;
    message[t].q += level * z.q;
    z = (ee_iq){z.i * step.i - z.q * step.q, z.i * step.q + z.q * step.i};
  }
}

/* The message and, in quadrature, its Hilbert transform.  Partials stand a pitch apart. */
static void make_voice(ee_rng *rng, ee_iq message[EE_GRID_SAMPLES]) {
  for (int t = 0; t < EE_GRID_SAMPLES; t++) message[t] = (ee_iq){0.0, 0.0};
  double pitch = ee_rng_between(rng, 80.0, 180.0);
  for (int f = 0; f < EE_FORMANTS; f++) {
    double centre = ee_rng_between(rng, formant_low[f], formant_high[f]);
    for (int k = 0; k < EE_PARTIALS_PER_FORMANT; k++) {
      double frequency = centre + pitch * (k - 0.5 * (EE_PARTIALS_PER_FORMANT - 1));
      double level     = ee_rng_between(rng, 0.5, 1.0);
      add_partial(level, ee_rng_uniform(rng), frequency / EE_SAMPLE_RATE, message);
    }
  }
}

/* Scale and shift the message itself to [-1, 1] over the grid, so that every frame carries it. */
static void fill_range(ee_iq message[EE_GRID_SAMPLES]) {
  double low = message[0].i, high = message[0].i;
  for (int t = 1; t < EE_GRID_SAMPLES; t++) {
    if (message[t].i < low) low = message[t].i;
    if (message[t].i > high) high = message[t].i;
  }
  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    message[t].i = (2.0 * message[t].i - low - high) / (high - low);
  }
}

void ee_wave_analog(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]) {
  make_voice(rng, wave);
  if (modulation == EE_AM_SSB) return;  // the analytic signal is the upper sideband

  fill_range(wave);
  double depth     = ee_rng_between(rng, EE_AM_DEPTH_LOW, EE_AM_DEPTH_HIGH);
  double deviation = ee_rng_between(rng, EE_FM_DEVIATION_LOW, EE_FM_DEVIATION_HIGH);
  double turns     = 0.0;
  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    double message = wave[t].i;
    wave[t]        = modulation == EE_WBFM ? ee_turn(turns) : (ee_iq){1.0 + depth * message, 0.0};
    turns += deviation / EE_SAMPLE_RATE * message;
  }
}
