/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file fleet_units.h
 * Numbers with units, as people write them in a fleet file: "40M", "64MiB", "100Mbit/s", "2 ms".
 */

/** One way to write a quantity. */
typedef struct ee_unit {
  const char *suffix;  // "": a bare number
  double      factor;  // to the quantity's own unit
} ee_unit;

/** Units of each quantity, ended by {NULL, 0}. */
extern const ee_unit ee_units_flops[];      // [FLOP/s]; bare allowed
extern const ee_unit ee_units_bytes[];      // [byte]
extern const ee_unit ee_units_bandwidth[];  // [byte/s]
extern const ee_unit ee_units_duration[];   // [s]
extern const ee_unit ee_units_time[];       // [s]; bare allowed
extern const ee_unit ee_units_number[];     // bare only

/**
 * Read a number and its unit.
 * @param[out] value  in the quantity's own unit; INFINITY if it is too large for a double
 * @return NULL, or what is wrong, as the end of the sentence "40Q ...": static storage
 */
const char *ee_units_parse(const char *text, const ee_unit *units, double *value);
