/* SPDX-License-Identifier: Apache-2.0 */
/* The units of a fleet file and how a number is read with them. */
#include "fleet_units.h"

#include <stdlib.h>
#include <string.h>

const ee_unit ee_units_flops[] = {
    {"", 1.0},        {"k", 1e3},        {"M", 1e6},       {"G", 1e9},
    {"T", 1e12},      {"FLOP/s", 1.0},   {"kFLOP/s", 1e3}, {"MFLOP/s", 1e6},
    {"GFLOP/s", 1e9}, {"TFLOP/s", 1e12}, {NULL, 0.0},
};
const ee_unit ee_units_bytes[] = {
    {"B", 1.0},  {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0},
    {"kB", 1e3}, {"MB", 1e6},     {"GB", 1e9},        {NULL, 0.0},
};
const ee_unit ee_units_bandwidth[] = {
    {"bit/s", 0.125}, {"kbit/s", 125.0}, {"Mbit/s", 125e3}, {"Gbit/s", 125e6}, {"B/s", 1.0},
    {"kB/s", 1e3},    {"MB/s", 1e6},     {"GB/s", 1e9},     {NULL, 0.0},
};
const ee_unit ee_units_duration[] = {{"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {NULL, 0.0}};
const ee_unit ee_units_time[]   = {{"", 1.0}, {"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}, {NULL, 0.0}};
const ee_unit ee_units_number[] = {{"", 1.0}, {NULL, 0.0}};

/* Length of the decimal number that `text` starts with; 0 if none.  strtod alone would also take
 * "inf", "nan" and hexadecimal. */
static size_t number_length(const char *text, double *number) {
  size_t sign = text[0] == '-' || text[0] == '+';
  if (strchr("0123456789.", text[sign]) == NULL || text[sign] == '\0') return 0;
  if (text[sign] == '0' && (text[sign + 1] == 'x' || text[sign + 1] == 'X')) return 0;
  char *end;
  *number = strtod(text, &end);
  return (size_t)(end - text);
}

const char *ee_units_parse(const char *text, const ee_unit *units, double *value) {
  double number = 0.0;
  size_t length = number_length(text, &number);
  if (length == 0) return "is not a number";

  const char *suffix = text + length + strspn(text + length, " ");
  for (const ee_unit *unit = units; unit->suffix != NULL; unit++) {
    if (strcmp(unit->suffix, suffix) != 0) continue;
    *value = number * unit->factor;
    return NULL;
  }
  return suffix[0] == '\0' ? "lacks its unit" : "has an unknown unit";
}
