/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/band_plan.h"
#include "ee/units.h"

/**
 * @file band_units.h
 * Bands as units: what each device computes of a model whose middle is cut into bands of rows.
 *
 * Layers in front of the bands are a chain of units, which end behind exits and where the device
 * changes; so are those behind.  In between there is a unit for each band of each range, and one
 * for each exit attached where a range ends, which has a head and no layers.  What a unit behind
 * the bands reads comes from all bands, each with its rows.
 *
 * Pure functions; nothing here is collective.
 */

/** Who computes what is not in bands, and how bands begin. */
typedef struct ee_band_placing {
  const int *device;  // shape [n_layers], of layers outside of bands; of a layer where a range ends
                      // that of the heads attached to it; NULL: device 0 has all
  int  source;        // device that holds the network's input; -1: all do
  bool apart;  // rows that need nothing of other devices are a unit of their own, which can begin
               // while rows travel; those above and below are units too.  Bands of several layers
               // then compute rows of their inner layers on both sides
} ee_band_placing;

/**
 * Make the units of @p plan.  Lane i is the i-th device that has a band; a device of which all
 * bands are empty has none.  `held` is set in bands and in what reads from bands.
 * @param[in]  backend  as for ee_band_find()
 * @param[in]  plan     its device d is device d
 * @param[out] units    owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG as ee_bands_check(), or if a row or a range of the plan is none of the
 *         model's, or a device is below 0; EE_ERR_NOMEM
 */
ee_status ee_band_units(const ee_model *model, const ee_backend *backend, const ee_band_plan *plan,
                        const ee_band_placing *placing, ee_units **units);
