/* SPDX-License-Identifier: Apache-2.0 */
/* One frame, from its seed and id to its samples. */
#include <math.h>

#include "modulation_parts.h"

const char *const ee_modulation_name[EE_MODULATIONS] = {
    "BPSK", "QPSK", "8PSK", "QAM16", "QAM64", "PAM4", "GFSK", "CPFSK", "AM-DSB", "AM-SSB", "WBFM"};

/* Purposes are far apart as seeds, so that their random numbers are independent. */
ee_rng ee_modulation_rng(uint64_t seed, uint64_t id, ee_purpose purpose) {
  return ee_rng_at(seed ^ (uint64_t)purpose * 0xd1342543de82ef95u, id);
}

int ee_modulation_of_frame(uint64_t seed, uint64_t id) {
  ee_rng rng = ee_modulation_rng(seed, id, EE_FOR_LABEL);
  return (int)ee_rng_below(&rng, EE_MODULATIONS);
}

static void make_wave(ee_rng *rng, int modulation, ee_iq wave[EE_GRID_SAMPLES]) {
  if (modulation >= EE_AM_DSB) {
    ee_wave_analog(rng, modulation, wave);
  } else if (modulation >= EE_GFSK) {
    ee_wave_frequency(rng, modulation, wave);
  } else {
    ee_wave_linear(rng, modulation, wave);
  }
}

static void scale_to_unit_power(ee_iq frame[EE_FRAME_SAMPLES]) {
  double power = 0.0;
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    power += frame[k].i * frame[k].i + frame[k].q * frame[k].q;
  }
  double scale = 1.0 / sqrt(power / EE_FRAME_SAMPLES);
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    frame[k] = (ee_iq){frame[k].i * scale, frame[k].q * scale};
  }
}

void ee_modulation_frame(uint64_t seed, uint64_t id, int modulation, double snr,
                         float iq[2 * EE_FRAME_SAMPLES]) {
  ee_rng     signal = ee_modulation_rng(seed, id, EE_FOR_SIGNAL);
  ee_rng     noise  = ee_modulation_rng(seed, id, EE_FOR_NOISE);
  ee_iq      wave[EE_GRID_SAMPLES], frame[EE_FRAME_SAMPLES];
  ee_channel channel = ee_channel_draw(&signal);

  make_wave(&signal, modulation, wave);
  ee_channel_apply(&channel, wave, frame);
  scale_to_unit_power(frame);  // so that snr holds for this frame, whatever its fading
  ee_channel_noise(&noise, snr, frame);
  scale_to_unit_power(frame);
  for (int k = 0; k < EE_FRAME_SAMPLES; k++) {
    iq[k]                    = (float)frame[k].i;
    iq[EE_FRAME_SAMPLES + k] = (float)frame[k].q;
  }
}
