/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/modulation.h"
#include "ee/rng.h"

/**
 * @file modulation_parts.h
 * The steps from a modulation's name to a frame, and their parameters.
 *
 * A waveform is made on a grid longer than a frame, at the nominal sample rate; the channel then
 * reads the frame out of the grid at its own times.  Every step uses + - * / and sqrt only, which
 * IEEE 754 rounds in one way, so that a frame has the same bits everywhere.
 * docs/modulation.md says where each parameter comes from.
 */

#define EE_SAMPLE_RATE 200e3     // [Hz]
#define EE_SAMPLES_PER_SYMBOL 8  // so 25000 symbols/s
#define EE_ROLL_OFF 0.35         // of the root raised cosine
#define EE_RRC_REACH 5           // symbols to each side of the pulse's centre
#define EE_GFSK_INDEX 0.32       // frequency swing over symbol rate
#define EE_GFSK_BT 0.5           // bandwidth of the Gauss filter times symbol duration
#define EE_GFSK_REACH 8          // samples to each side of the Gauss filter's centre
#define EE_CPFSK_INDEX 0.5
#define EE_FORMANTS 3
#define EE_PARTIALS_PER_FORMANT 4
#define EE_PARTIALS (EE_FORMANTS * EE_PARTIALS_PER_FORMANT)
#define EE_AM_DEPTH_LOW 0.5  // of AM-DSB: peak of the message over the carrier
#define EE_AM_DEPTH_HIGH 1.0
#define EE_FM_DEVIATION_LOW 25e3  // of WBFM, at the message's peak [Hz]
#define EE_FM_DEVIATION_HIGH 75e3
#define EE_PATHS 3
#define EE_RICE_FACTOR 10.0          // direct over scattered power of the first path
#define EE_MAX_CARRIER_OFFSET 500.0  // [Hz]
#define EE_MAX_RATE_OFFSET 50.0      // [Hz]
#define EE_MAX_DOPPLER 1.0           // [Hz]

#define EE_MAX_POINTS 64  // of a constellation
// Room for the frame, a symbol of random start, the echoes and the interpolation's eight points.
#define EE_GRID_SAMPLES (EE_FRAME_SAMPLES + 4 * EE_SAMPLES_PER_SYMBOL)
#define EE_GRID_SYMBOLS (EE_GRID_SAMPLES / EE_SAMPLES_PER_SYMBOL)

/** The places of the names in ee_modulation_name. */
typedef enum ee_modulation {
  EE_BPSK,
  EE_QPSK,
  EE_8PSK,
  EE_QAM16,
  EE_QAM64,
  EE_PAM4,
  EE_GFSK,
  EE_CPFSK,
  EE_AM_DSB,
  EE_AM_SSB,
  EE_WBFM
} ee_modulation;

/** A complex sample: in phase and in quadrature. */
typedef struct ee_iq {
  double i, q;
} ee_iq;

/** e^(2 pi j @p turns); |turns| < 2^50; error below 1e-15 in each part. */
ee_iq ee_turn(double turns);

/** Natural logarithm of a finite x > 0; relative error below 1e-15. */
double ee_ln(double x);

/** e^x; relative error below 1e-14; 0 below -700, and x is taken as 700 above 700. */
double ee_exp(double x);

/** Two independent numbers, Gaussian with mean 0 and variance 1 (Marsaglia's polar method). */
ee_iq ee_gaussian(ee_rng *rng);

/** Uniform in [low, high). */
double ee_rng_between(ee_rng *rng, double low, double high);

/**
 * Constellation of a linear modulation, mean power 1 over its points.
 * @param[out] point  shape [EE_MAX_POINTS]; the first ones are filled
 * @return number of points; 0 if @p modulation is not linear
 */
int ee_constellation(int modulation, ee_iq point[EE_MAX_POINTS]);

/** Root raised cosine of roll-off EE_ROLL_OFF at @p t symbols from its centre; energy 1 per symbol
 *  duration.  4 EE_ROLL_OFF |t| = 1 is a removable pole and not allowed. */
double ee_root_raised_cosine(double t);

/** Random symbols of the constellation, shaped by the root raised cosine. */
void ee_wave_linear(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]);

/** Random bits on the frequency: GFSK or CPFSK.  |wave| = 1. */
void ee_wave_frequency(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]);

/** A voice on AM-DSB, AM-SSB or WBFM. */
void ee_wave_analog(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]);

/** What one frame meets on its way. */
typedef struct ee_channel {
  double start, step;      // grid position of the frame's first sample; positions per sample
  double delay[EE_PATHS];  // [sample]
  ee_iq  gain[EE_PATHS];   // at the frame's first sample
  double shift[EE_PATHS];  // carrier offset plus Doppler [turn/sample]
} ee_channel;

/** Draw a channel: symbol timing, offsets, phase, a Rician path and Rayleigh echoes. */
ee_channel ee_channel_draw(ee_rng *rng);

/** frame[k] = sum_p gain[p] e^(2 pi j shift[p] k) wave(start + step k - delay[p]), the wave
 *  between grid samples by Lagrange's polynomial through eight of them. */
void ee_channel_apply(const ee_channel *channel, const ee_iq wave[EE_GRID_SAMPLES],
                      ee_iq frame[EE_FRAME_SAMPLES]);

/** Add white Gaussian noise of power 10^(-snr / 10) to a frame of power 1; none if snr is
 *  INFINITY. */
void ee_channel_noise(ee_rng *rng, double snr, ee_iq frame[EE_FRAME_SAMPLES]);

/** The random numbers of frame @p id that serve one purpose. */
typedef enum ee_purpose { EE_FOR_LABEL = 1, EE_FOR_SNR, EE_FOR_SIGNAL, EE_FOR_NOISE } ee_purpose;
ee_rng ee_modulation_rng(uint64_t seed, uint64_t id, ee_purpose purpose);
