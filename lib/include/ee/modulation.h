/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/status.h"

/**
 * @file modulation.h
 * Labelled radio frames for automatic modulation classification, made by formula.
 *
 * Eleven modulations as in RadioML 2016.10A (O'Shea and West, 2016), one frame = EE_FRAME_SAMPLES
 * complex samples: pulse shaping, fading over several paths, carrier and sample-rate offset, white
 * noise.  A frame depends on seed and id only and has the same bits on every platform.
 */

#define EE_FRAME_SAMPLES 128
#define EE_MODULATIONS 11

/** "BPSK", "QPSK", "8PSK", "QAM16", "QAM64", "PAM4", "GFSK", "CPFSK", "AM-DSB", "AM-SSB", "WBFM".
 */
extern const char *const ee_modulation_name[EE_MODULATIONS];

/** How the signal-to-noise ratio runs over a stream: SNR in dB at a share of the stream in [0, 1],
 *  linear between points; each frame draws uniformly within +- spread around it. */
typedef struct ee_snr_schedule {
  int    n;
  double at[16], low[16], high[16];  // SNR drawn uniformly from [low, high] [dB]
} ee_snr_schedule;

/**
 * Parse "LO:HI", "SNR", or "0=LO:HI,0.5=LO:HI,1=LO:HI" (share of the stream = range).
 * @return EE_OK; EE_ERR_ARG naming the part that is wrong
 */
ee_status ee_snr_schedule_parse(const char *text, ee_snr_schedule *schedule);

/** SNR of frame @p id of @p n in a stream [dB]. */
double ee_snr_of_frame(const ee_snr_schedule *schedule, uint64_t seed, uint64_t id, uint64_t n);

/**
 * Make one frame.
 * @param      modulation  in [0, EE_MODULATIONS)
 * @param      snr         signal power over noise power in the frame's band [dB]
 * @param[out] iq          shape [2, EE_FRAME_SAMPLES]: in phase, in quadrature; mean power 1
 */
void ee_modulation_frame(uint64_t seed, uint64_t id, int modulation, double snr,
                         float iq[2 * EE_FRAME_SAMPLES]);

/** Modulation of frame @p id: uniform over all eleven. */
int ee_modulation_of_frame(uint64_t seed, uint64_t id);

/** Write @p n frames with ids 0 .. n-1 to a data file [n, 2, 1, 128] with attribute `snr`. */
ee_status ee_generate_modulation(const char *out, uint64_t n, uint64_t seed,
                                 const ee_snr_schedule *schedule);
