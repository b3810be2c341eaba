/* SPDX-License-Identifier: Apache-2.0 */
/* The channel on a pure tone, where each of its steps has a closed form, and what it draws. */
#include <complex.h>
#include <math.h>

#include "ee_test.h"
#include "modulation_parts.h"

#define PI 3.14159265358979323846
#define TONE 0.04  // turns per sample

static double complex at(ee_iq z) {
  return z.i + I * z.q;
}

static void tone(ee_iq wave[EE_GRID_SAMPLES]) {
  for (int t = 0; t < EE_GRID_SAMPLES; t++) {
    wave[t] = (ee_iq){cos(2.0 * PI * TONE * t), sin(2.0 * PI * TONE * t)};
  }
}

/* Largest difference of the frame from sum_p g_p e^(2 pi j (s_p k + TONE (start + step k - d_p))).
 */
static double error_on_a_tone(const ee_channel *channel) {
  ee_iq  wave[EE_GRID_SAMPLES], frame[EE_FRAME_SAMPLES];
  double worst = 0.0;
  tone(wave);
  ee_channel_apply(channel, wave, frame);
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    double complex expected = 0.0;
    for (int p = 0; p < EE_PATHS; p++) {
      double time = channel->start + channel->step * k - channel->delay[p];
      expected += at(channel->gain[p]) * cexp(2.0 * I * PI * (channel->shift[p] * k + TONE * time));
    }
    worst = fmax(worst, cabs(at(frame[k]) - expected));
  }
  return worst;
}

static void an_empty_channel_hands_on_the_wave(void) {
  ee_channel channel = {.start = 8.0, .step = 1.0, .gain = {{1.0, 0.0}}};
  ee_iq      wave[EE_GRID_SAMPLES], frame[EE_FRAME_SAMPLES];
  tone(wave);
  ee_channel_apply(&channel, wave, frame);
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    CU_ASSERT_TRUE(frame[k].i == wave[k + 8].i && frame[k].q == wave[k + 8].q);
  }
}

static void time_between_samples_is_interpolated(void) {
  for (int part = 0; part < 10; part++) {
    ee_channel channel = {.start = 8.0 + 0.1 * part, .step = 1.00025, .gain = {{1.0, 0.0}}};
    CU_ASSERT_TRUE(error_on_a_tone(&channel) < 1e-6);
  }
}

static void gain_and_carrier_offset_turn_the_wave(void) {
  ee_channel channel = {
      .start = 10.0, .step = 1.0, .gain = {{0.6, -0.8}}, .shift = {500.0 / EE_SAMPLE_RATE}};
  CU_ASSERT_TRUE(error_on_a_tone(&channel) < 1e-12);
}

static void echoes_add_up_at_their_delays(void) {
  ee_channel channel = {.start = 9.3,
                        .step  = 0.99975,
                        .delay = {0.0, 0.9, 1.7},
                        .gain  = {{1.0, 0.1}, {-0.3, 0.2}, {0.05, 0.2}},
                        .shift = {1e-3, 1.1e-3, 0.9e-3}};
  CU_ASSERT_TRUE(error_on_a_tone(&channel) < 1e-6);
}

static void every_channel_drawn_reads_inside_the_grid(void) {
  double least = 1e9, most = -1e9;
  for (uint64_t id = 0; id < 20000; id++) {
    ee_rng     rng     = ee_rng_at(1, id);
    ee_channel channel = ee_channel_draw(&rng);
    least              = fmin(least, channel.start - channel.delay[EE_PATHS - 1]);
    most               = fmax(most, channel.start + channel.step * (EE_FRAME_SAMPLES - 1));
    CU_ASSERT_TRUE(fabs(channel.shift[0]) <= 501.0 / 200e3);
    CU_ASSERT_TRUE(fabs(channel.step - 1.0) <= 50.0 / 200e3);
    CU_ASSERT_TRUE(fabs(channel.shift[2] - channel.shift[0]) <= 2.0 / 200e3);
  }
  CU_ASSERT_TRUE(least >= 3.0);                      // three points before
  CU_ASSERT_TRUE(most < EE_GRID_SAMPLES - 1 - 4.0);  // four points after
}

/* Powers 0, -8, -14 dB.  E|g|^4 / (E|g|^2)^2 is (K^2 + 4 K + 2) / (K + 1)^2 for Rice's
 * distribution and 2 for Rayleigh's. */
static void gains_have_the_moments_of_rice_and_rayleigh(void) {
  static const double decibel[] = {0.0, -8.0, -14.0}, fourth[] = {142.0 / 121.0, 2.0, 2.0};
  double              power[EE_PATHS] = {0}, squared[EE_PATHS] = {0};
  int                 n    = 40000;
  double complex      mean = 0.0;
  for (int id = 0; id < n; id++) {
    ee_rng     rng     = ee_rng_at(2, (uint64_t)id);
    ee_channel channel = ee_channel_draw(&rng);
    mean += at(channel.gain[0]) / n;
    for (int p = 0; p < EE_PATHS; p++) {
      double x = cabs(at(channel.gain[p])) * cabs(at(channel.gain[p]));
      power[p] += x / n;
      squared[p] += x * x / n;
    }
  }
  for (int p = 0; p < EE_PATHS; p++) {
    CU_ASSERT_DOUBLE_EQUAL(10.0 * log10(power[p]), decibel[p], 0.12);
    CU_ASSERT_DOUBLE_EQUAL(squared[p] / (power[p] * power[p]), fourth[p], 0.05 * fourth[p]);
  }
  CU_ASSERT_DOUBLE_EQUAL(cabs(mean), 0.0, 0.025);  // every phase is as likely
}

static void noise_has_the_power_that_was_asked_for(void) {
  for (int snr = -20; snr <= 20; snr += 10) {
    double power = 0.0, in_phase = 0.0;
    int    frames = 500;
    for (int f = 0; f < frames; f++) {
      ee_rng rng                     = ee_rng_at(3, (uint64_t)f);
      ee_iq  frame[EE_FRAME_SAMPLES] = {{0}};
      ee_channel_noise(&rng, snr, frame);
      for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
        power += frame[k].i * frame[k].i + frame[k].q * frame[k].q;
        in_phase += frame[k].i * frame[k].i;
      }
    }
    double expected = pow(10.0, -snr / 10.0);
    CU_ASSERT_DOUBLE_EQUAL(power / frames / EE_FRAME_SAMPLES, expected, 0.02 * expected);
    CU_ASSERT_DOUBLE_EQUAL(in_phase / power, 0.5, 0.01);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(an_empty_channel_hands_on_the_wave),
    EE_FACT(time_between_samples_is_interpolated),
    EE_FACT(gain_and_carrier_offset_turn_the_wave),
    EE_FACT(echoes_add_up_at_their_delays),
    EE_FACT(every_channel_drawn_reads_inside_the_grid),
    EE_FACT(gains_have_the_moments_of_rice_and_rayleigh),
    EE_FACT(noise_has_the_power_that_was_asked_for),
    {NULL, NULL},
};
