/* SPDX-License-Identifier: Apache-2.0 */
/* Why no plan fits into the memory of the devices, in figures. */
#include "no_room.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* Devices of @p memory bytes that all layers need at least: F(j) = min F(i) + 1 over stages [i, j)
 * that fit.  0 if there is no room to find out. */
static int fewest_devices(const ee_loads *loads, double memory) {
  int  n      = loads->chain->n_layers;
  int *fewest = calloc((size_t)n + 1, sizeof *fewest);
  if (fewest == NULL) return 0;
  for (int j = 1; j <= n; j++) {
    fewest[j] = INT_MAX;
    for (int i = j - 1; i >= 0 && loads->weight[j] - loads->weight[i] <= memory; i--) {
      bool fits = fewest[i] < INT_MAX && ee_stage_bytes(loads, i, j) <= memory;
      if (fits && fewest[i] + 1 < fewest[j]) fewest[j] = fewest[i] + 1;
    }
  }
  int all = fewest[n] < INT_MAX ? fewest[n] : 0;
  free(fewest);
  return all;
}

/* The layers fit one by one, but there are too few devices. */
static ee_status too_few(const ee_loads *loads, double largest, double room, int devices) {
  int    n     = loads->chain->n_layers;
  int    needs = fewest_devices(loads, largest);
  double whole = ee_stage_bytes(loads, 0, n);
  if (needs == 0) {
    return EE_FAIL(EE_ERR_ARG,
                   "no plan fits: one device would need %.0f byte for all layers and what it takes "
                   "to run them; the %d devices here have %.0f byte in all, the largest %.0f",
                   whole, devices, room, largest);
  }
  return EE_FAIL(
      EE_ERR_ARG,
      "no plan fits: one device would need %.0f byte for all layers and what it takes to run them "
      "(weights as they come and packed: %.0f byte), or %d devices %.0f byte each, which is the "
      "largest memory here; the %d devices here have %.0f byte in all",
      whole, loads->weight[n], needs, largest, devices, room);
}

ee_status ee_no_room(const ee_loads *loads) {
  const ee_chain *chain = loads->chain;
  double          room = 0.0, largest = 0.0;
  int             devices = 0;
  for (int d = 0; d < chain->n_devices; d++) {
    if (!ee_chain_present(chain, d)) continue;
    devices++;
    room += chain->memory[d];
    largest = fmax(largest, chain->memory[d]);
  }
  for (int l = 0; l < chain->n_layers; l++) {
    double need = ee_stage_bytes(loads, l, l + 1), held = ee_chain_held_bytes(chain, l);
    if (need <= largest) continue;
    return EE_FAIL(
        EE_ERR_ARG,
        "no plan fits: layer %d needs %.0f byte alone (weights as they come and packed %.0f, "
        "values while it runs %.0f, messages %.0f), the largest memory of a device is %.0f byte",
        l, need, held, ee_chain_run_bytes(chain, l, l + 1),
        ee_partition_message_bytes(chain, l, l + 1), largest);
  }
  return too_few(loads, largest, room, devices);
}
