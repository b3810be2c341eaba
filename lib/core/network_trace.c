/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded networks: where a time stands in the trace, and when enough bits have crossed. */
#include "ee/network_trace.h"

#include <math.h>
#include <stdlib.h>

/* The first row i, of n, with x[i + 1] >= @p value, or, if @p above, x[i + 1] > value; else the
 * last.  x has shape [n + 1] and does not fall. */
static int row_until(const double *x, int n, double value, int above) {
  int low = 0, high = n - 1;
  while (low < high) {
    int    middle = low + (high - low) / 2;
    double end    = x[middle + 1];
    if (end > value || (end >= value && !above))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* The value of y where x is @p at, in a row from which both grow evenly to the next. */
static double between(const double *x, const double *y, int row, double at) {
  double step = x[row + 1] - x[row];
  return step > 0.0 ? y[row] + (at - x[row]) / step * (y[row + 1] - y[row]) : y[row];
}

/* When @p more bits than until time @p phase of the trace have crossed, the first time that it is
 * so: @p more above 0 [s]. */
static double crossing_time(const ee_network_trace *t, double phase, double more) {
  double of_period = t->bits[t->n];
  double wanted    = between(t->at, t->bits, row_until(t->at, t->n, phase, 1), phase) + more;
  double whole     = fmax(ceil(wanted / of_period) - 1.0, 0.0);
  wanted           = fmin(fmax(wanted - whole * of_period, 0.0), of_period);
  return whole * t->at[t->n] + between(t->bits, t->at, row_until(t->bits, t->n, wanted, 0), wanted);
}

double ee_network_bits_until(const ee_network_trace *trace, double t) {
  double period = trace->at[trace->n], phase = fmod(t, period);
  double whole = floor((t - phase) / period + 0.5);
  int    row   = row_until(trace->at, trace->n, phase, 1);
  return whole * trace->bits[trace->n] + between(trace->at, trace->bits, row, phase);
}

double ee_network_delay(const ee_network_trace *trace, double bytes, double t) {
  double phase = fmod(t, trace->at[trace->n]);
  if (trace->delay != NULL) return trace->delay[row_until(trace->at, trace->n, phase, 1)];
  if (bytes <= 0.0) return 0.0;
  return fmax(crossing_time(trace, phase, 8.0 * bytes) - phase, 0.0);
}

void ee_network_trace_free(ee_network_trace *trace) {
  free(trace->at);
  free(trace->path);
  free(trace->delay);
  free(trace->bits);
  *trace = (ee_network_trace){.n = 0};
}
