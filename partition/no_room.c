/* SPDX-License-Identifier: Apache-2.0 */
/* Why no plan fits into the memory of the devices, in figures. */
#include "no_room.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
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

/* Each layer fits somewhere, but there are too few devices. */
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

/* Layers [begin, end) and what they need [byte]. */
typedef struct range {
  int    begin, end;
  double bytes;
} range;

/* For each layer the range with it that needs least: inside one, no message crosses a wide cut. */
static void find_least(const ee_loads *loads, range *least) {
  int n = loads->chain->n_layers;
  for (int l = 0; l < n; l++) least[l] = (range){.bytes = INFINITY};
  for (int i = 0; i < n; i++) {
    range best = {.bytes = INFINITY};  // of those that begin at i and hold layer j - 1
    for (int j = n; j > i; j--) {
      double bytes = ee_stage_bytes(loads, i, j);
      if (bytes <= best.bytes) best = (range){i, j, bytes};
      if (best.bytes <= least[j - 1].bytes) least[j - 1] = best;
    }
  }
}

/* Layer @p l does not fit, in no company. */
static ee_status no_room_for(const ee_loads *loads, int l, const range *r, double largest) {
  const ee_chain *chain     = loads->chain;
  char            which[96] = "alone";
  if (r->end - r->begin > 1) {
    snprintf(which, sizeof which, "at least, as one of layers %d to %d", r->begin, r->end - 1);
  }
  return EE_FAIL(
      EE_ERR_ARG,
      "no plan fits: layer %d needs %.0f byte %s (weights as they come and packed %.0f, values "
      "while it runs %.0f, messages %.0f), the largest memory of a device is %.0f byte",
      l, r->bytes, which, loads->weight[r->end] - loads->weight[r->begin],
      ee_chain_run_bytes(chain, r->begin, r->end),
      ee_partition_message_bytes(chain, r->begin, r->end), largest);
}

/* EE_OK if each layer, in company or alone, fits into @p largest bytes. */
static ee_status check_layers(const ee_loads *loads, double largest) {
  int       n      = loads->chain->n_layers;
  range    *least  = calloc((size_t)n, sizeof *least);
  ee_status status = EE_OK;
  if (least == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the memory of %d layers", n);
  find_least(loads, least);
  for (int l = 0; l < n && status == EE_OK; l++) {
    if (least[l].bytes > largest) status = no_room_for(loads, l, &least[l], largest);
  }
  free(least);
  return status;
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
  EE_TRY(check_layers(loads, largest));
  return too_few(loads, largest, room, devices);
}
