/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file modulation.h
 * Labelled radio frames for automatic modulation classification, made by formula.
 *
 * The eleven modulations of RadioML 2016.10A (O'Shea and West, 2016) with parameters of our own,
 * which docs/modulation.md lists with their sources.  One frame is EE_FRAME_SAMPLES complex samples
 * at 200 kHz, 8 per symbol: pulse shaping, symbol timing, carrier and sample-rate offset, mild
 * fading over three paths, white noise.  A frame depends on seed, id, modulation and SNR only, and
 * has the same bits on every platform with IEEE 754 arithmetic.  No function here is collective.
 */

#define EE_FRAME_SAMPLES 128
#define EE_MODULATIONS 11

/** "BPSK", "QPSK", "8PSK", "QAM16", "QAM64", "PAM4", "GFSK", "CPFSK", "AM-DSB", "AM-SSB", "WBFM".
 */
extern const char *const ee_modulation_name[EE_MODULATIONS];

#define EE_SNR_POINTS 16    // most points of a schedule
#define EE_SNR_LIMIT 100.0  // a schedule stays within -EE_SNR_LIMIT and EE_SNR_LIMIT [dB]

/** How the signal-to-noise ratio runs over a stream: at each point, which stands at a share of the
 *  stream, a range to draw from; ranges are linear between points and constant outside them. */
typedef struct ee_snr_schedule {
  int    n;                   // points, 1 .. EE_SNR_POINTS
  double at[EE_SNR_POINTS];   // share of the stream in [0, 1], increasing
  double low[EE_SNR_POINTS];  // SNR drawn uniformly from [low, high) [dB]
  double high[EE_SNR_POINTS];
} ee_snr_schedule;

/**
 * Parse "LO:HI", "SNR", or "0=LO:HI,0.5=LO:HI,1=SNR" (share of the stream = range).
 * @param[out] schedule  unchanged on error
 * @return EE_OK; EE_ERR_USAGE naming the part that is wrong
 */
ee_status ee_snr_schedule_parse(const char *text, ee_snr_schedule *schedule);

/** SNR of frame @p id of a stream of @p n frames, at share id / (n - 1) of it [dB]. */
double ee_snr_of_frame(const ee_snr_schedule *schedule, uint64_t seed, uint64_t id, uint64_t n);

/**
 * Make one frame.
 * @param      modulation  in [0, EE_MODULATIONS)
 * @param      snr         mean power of this frame's signal over that of the noise, both in the
 *                         band of 200 kHz; >= -EE_SNR_LIMIT; INFINITY for no noise [dB]
 * @param[out] iq          shape [2, EE_FRAME_SAMPLES]: in phase, in quadrature; mean of i^2 + q^2
 *                         over the frame, noise included, is 1
 */
void ee_modulation_frame(uint64_t seed, uint64_t id, int modulation, double snr,
                         float iq[2 * EE_FRAME_SAMPLES]);

/** Modulation of frame @p id: uniform over all eleven. */
int ee_modulation_of_frame(uint64_t seed, uint64_t id);

/**
 * Write @p n frames with ids 0 .. n-1 to a data file [n, 2, 1, 128] with labels, class names and
 * attribute `snr` [dB].  Nothing is left at @p out on error.
 * @param n  in [1, 2^40]
 * @return EE_OK; EE_ERR_ARG; EE_ERR_NOMEM; EE_ERR_FILE
 */
ee_status ee_generate_modulation(const char *out, uint64_t n, uint64_t seed,
                                 const ee_snr_schedule *schedule);
