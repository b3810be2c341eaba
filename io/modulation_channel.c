/* SPDX-License-Identifier: Apache-2.0 */
/* The way through the air: timing, offsets, fading over three paths, white noise. */
#include <math.h>

#include "modulation_parts.h"

#define POINTS 8  // of the interpolation, positions -3 .. 4 around the time that is asked for
#define BEFORE 3
#define MARGIN 8.0  // grid samples before the earliest frame: the longest delay and BEFORE

static const double path_delay[EE_PATHS] = {0.0, 0.9, 1.7};  // [sample]
static const double path_power[EE_PATHS] = {1.0, 0.158489319246111, 0.0398107170553497};

/* The direct path is Rician: a steady part and a scattered part.  Echoes are Rayleigh. */
static ee_iq draw_gain(ee_rng *rng, int path) {
  double steady    = path == 0 ? sqrt(EE_RICE_FACTOR / (EE_RICE_FACTOR + 1.0)) : 0.0;
  double scattered = sqrt(0.5 * (path_power[path] - steady * steady));
  ee_iq  z = ee_gaussian(rng), phase = ee_turn(ee_rng_uniform(rng));
  z = (ee_iq){steady + scattered * z.i, scattered * z.q};
  return (ee_iq){z.i * phase.i - z.q * phase.q, z.i * phase.q + z.q * phase.i};
}

ee_channel ee_channel_draw(ee_rng *rng) {
  ee_channel channel;
  double     carrier = ee_rng_between(rng, -EE_MAX_CARRIER_OFFSET, EE_MAX_CARRIER_OFFSET);
  double     rate    = ee_rng_between(rng, -EE_MAX_RATE_OFFSET, EE_MAX_RATE_OFFSET);
  channel.start      = MARGIN + ee_rng_between(rng, 0.0, EE_SAMPLES_PER_SYMBOL);
  channel.step       = 1.0 + rate / EE_SAMPLE_RATE;
  for (int p = 0; p < EE_PATHS; p++) {
    double arrival   = ee_turn(ee_rng_uniform(rng)).i;  // cosine of the angle of arrival
    channel.delay[p] = path_delay[p];
    channel.gain[p]  = draw_gain(rng, p);
    channel.shift[p] = (carrier + EE_MAX_DOPPLER * arrival) / EE_SAMPLE_RATE;
  }
  return channel;
}

/* w[j] = prod_(m != j) (u - x_m) / (x_j - x_m) at x_j = j - BEFORE. */
static void lagrange_weights(double u, double w[POINTS]) {
  static const double scale[POINTS] = {-1.0 / 5040, 1.0 / 720, -1.0 / 240, 1.0 / 144,
                                       -1.0 / 144,  1.0 / 240, -1.0 / 720, 1.0 / 5040};
  double              left = 1.0, right = 1.0;
  for (int j = 0; j < POINTS; j++) {
    w[j] = scale[j] * left;
    left *= u - (j - BEFORE);
  }
  for (int j = POINTS - 1; j >= 0; j--) {
    w[j] *= right;
    right *= u - (j - BEFORE);
  }
}

static ee_iq wave_at(const ee_iq wave[EE_GRID_SAMPLES], double position) {
  int    whole = (int)position;
  double w[POINTS];
  ee_iq  sum = {0.0, 0.0};
  lagrange_weights(position - whole, w);
  for (int j = 0; j < POINTS; j++) {
    sum.i += w[j] * wave[whole - BEFORE + j].i;
    sum.q += w[j] * wave[whole - BEFORE + j].q;
  }
  return sum;
}

void ee_channel_apply(const ee_channel *channel, const ee_iq wave[EE_GRID_SAMPLES],
                      ee_iq frame[EE_FRAME_SAMPLES]) {
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) frame[k] = (ee_iq){0.0, 0.0};
  for (int p = 0; p < EE_PATHS; p++) {
    ee_iq gain = channel->gain[p], step = ee_turn(channel->shift[p]);
    for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
      ee_iq x = wave_at(wave, channel->start + channel->step * k - channel->delay[p]);
      frame[k].i += gain.i * x.i - gain.q * x.q;
      frame[k].q += gain.i * x.q + gain.q * x.i;
      gain = (ee_iq){gain.i * step.i - gain.q * step.q, gain.i * step.q + gain.q * step.i};
    }
  }
}

/* Half the power on each axis. */
void ee_channel_noise(ee_rng *rng, double snr, ee_iq frame[EE_FRAME_SAMPLES]) {
  const double ln_10 = 2.30258509299404568402;
  double       scale = sqrt(0.5 * ee_exp(-snr / 10.0 * ln_10));
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    ee_iq z = ee_gaussian(rng);
    frame[k].i += scale * z.i;
    frame[k].q += scale * z.q;
  }
}
