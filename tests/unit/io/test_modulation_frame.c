/* SPDX-License-Identifier: Apache-2.0 */
/* Whole frames: their power, their signal-to-noise ratio, their bits, their labels. */
#include <complex.h>
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "modulation_parts.h"

static double complex sample(const float *iq, int k) {
  return iq[k] + I * iq[EE_FRAME_SAMPLES + k];
}

/* sum_k conj(a_k) b_k. */
static double complex product(const float *a, const float *b) {
  double complex sum = 0.0;
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) sum += conj(sample(a, k)) * sample(b, k);
  return sum;
}

static void every_frame_has_mean_power_one(void) {
  for (uint64_t id = 0; id < 2000; id++) {
    float iq[2 * EE_FRAME_SAMPLES];
    ee_modulation_frame(1, id, (int)(id % EE_MODULATIONS), (double)(id % 60) - 30.0, iq);
    CU_ASSERT_DOUBLE_EQUAL(creal(product(iq, iq)) / EE_FRAME_SAMPLES, 1.0, 1e-6);
  }
}

static void the_ends_of_the_ranges_give_frames_too(void) {
  static const uint64_t end[] = {0, UINT64_MAX};
  static const double   snr[] = {-EE_SNR_LIMIT, EE_SNR_LIMIT, INFINITY};
  for (int k = 0; k < 2 * 2 * 3 * EE_MODULATIONS; k++) {
    float iq[2 * EE_FRAME_SAMPLES];
    ee_modulation_frame(end[k % 2], end[k / 2 % 2], k / 12, snr[k / 4 % 3], iq);
    CU_ASSERT_DOUBLE_EQUAL(creal(product(iq, iq)) / EE_FRAME_SAMPLES, 1.0, 1e-6);
  }
}

/* The noisy frame is c (signal + noise): c by projection on the frame without noise, which takes
 * one of the noise's 128 dimensions. */
static void frames_have_the_ratio_that_was_asked_for(void) {
  for (int m = 0; m < EE_MODULATIONS; m++) {
    for (int snr = 0; snr <= 20; snr += 10) {
      double ratio  = 0.0;
      int    frames = 400;
      for (int id = 0; id < frames; id++) {
        float clean[2 * EE_FRAME_SAMPLES], noisy[2 * EE_FRAME_SAMPLES];
        ee_modulation_frame(2, (uint64_t)id, m, INFINITY, clean);
        ee_modulation_frame(2, (uint64_t)id, m, snr, noisy);
        double projected = cabs(product(clean, noisy)) * cabs(product(clean, noisy)) /
                           creal(product(clean, clean));
        double left = creal(product(noisy, noisy)) - projected;
        ratio += left / (EE_FRAME_SAMPLES - 1) * EE_FRAME_SAMPLES / projected / frames;
      }
      CU_ASSERT_DOUBLE_EQUAL(10.0 * log10(ratio), -snr, 0.2);
    }
  }
}

static void the_same_seed_and_id_give_the_same_bits(void) {
  float a[2 * EE_FRAME_SAMPLES], b[2 * EE_FRAME_SAMPLES];
  for (uint64_t id = 0; id < 110; id++) {
    int m = (int)(id % EE_MODULATIONS);
    ee_modulation_frame(1, id, m, 10.0, a);
    ee_modulation_frame(2, id, m, 10.0, b);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    ee_modulation_frame(1, id + 1, m, 10.0, b);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    ee_modulation_frame(1, id, m, 10.0, b);
    CU_ASSERT_EQUAL(memcmp(a, b, sizeof a), 0);
  }
}

/* Two frames of one modulation without noise; neighbours must share neither symbols nor channel. */
static void neighbouring_frames_are_not_alike(void) {
  double alike = 0.0;
  for (uint64_t id = 0; id < 1000; id++) {
    float a[2 * EE_FRAME_SAMPLES], b[2 * EE_FRAME_SAMPLES];
    ee_modulation_frame(1, id, 1, INFINITY, a);
    ee_modulation_frame(1, id + 1, 1, INFINITY, b);
    alike += creal(product(a, b)) / EE_FRAME_SAMPLES / 1000;
  }
  CU_ASSERT_DOUBLE_EQUAL(alike, 0.0, 0.04);
}

/* FNV-1a over the bits of 1000 frames, low byte first.  The value was made by gcc and clang, with
 * and without optimisation, on x86-64; any other platform must find it too. */
static void the_bits_are_those_of_every_platform(void) {
  uint64_t hash = 14695981039346656037u;
  for (uint64_t id = 0; id < 1000; id++) {
    float iq[2 * EE_FRAME_SAMPLES];
    ee_modulation_frame(1, id, ee_modulation_of_frame(1, id), (double)(id % 31) - 10.0, iq);
    for (int k = 0; k < 2 * EE_FRAME_SAMPLES; k++) {
      uint32_t bits;
      memcpy(&bits, &iq[k], sizeof bits);
      for (int shift = 0; shift < 32; shift += 8) {
        hash = (hash ^ (bits >> shift & 0xff)) * 1099511628211u;
      }
    }
  }
  CU_ASSERT_EQUAL(hash, 0x39ead85b226ba6du);
}

/* Five standard deviations of a count around its mean. */
static void labels_are_uniform(void) {
  int count[EE_MODULATIONS] = {0}, repeats = 0, n = 110000;
  for (int id = 0; id < n; id++) {
    int m = ee_modulation_of_frame(1, (uint64_t)id);
    CU_ASSERT_TRUE_FATAL(m >= 0 && m < EE_MODULATIONS);
    count[m]++;
    repeats += m == ee_modulation_of_frame(1, (uint64_t)id + 1);
  }
  double mean = (double)n / EE_MODULATIONS, five = 5.0 * sqrt(mean * 10.0 / 11.0);
  for (int m = 0; m < EE_MODULATIONS; m++) CU_ASSERT_DOUBLE_EQUAL(count[m], mean, five);
  CU_ASSERT_DOUBLE_EQUAL(repeats, mean, five);
}

static void names_stand_where_their_waveforms_do(void) {
  static const char *const name[EE_MODULATIONS] = {
      [EE_BPSK] = "BPSK",     [EE_QPSK] = "QPSK",     [EE_8PSK] = "8PSK", [EE_QAM16] = "QAM16",
      [EE_QAM64] = "QAM64",   [EE_PAM4] = "PAM4",     [EE_GFSK] = "GFSK", [EE_CPFSK] = "CPFSK",
      [EE_AM_DSB] = "AM-DSB", [EE_AM_SSB] = "AM-SSB", [EE_WBFM] = "WBFM"};
  for (int m = 0; m < EE_MODULATIONS; m++) CU_ASSERT_STRING_EQUAL(ee_modulation_name[m], name[m]);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_frame_has_mean_power_one),
    EE_FACT(the_ends_of_the_ranges_give_frames_too),
    EE_FACT(frames_have_the_ratio_that_was_asked_for),
    EE_FACT(the_same_seed_and_id_give_the_same_bits),
    EE_FACT(neighbouring_frames_are_not_alike),
    EE_FACT(the_bits_are_those_of_every_platform),
    EE_FACT(labels_are_uniform),
    EE_FACT(names_stand_where_their_waveforms_do),
    {NULL, NULL},
};
