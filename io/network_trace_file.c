/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded networks from lines of numbers: delays, bandwidths, or packets by the millisecond. */
#include "ee/network_trace_file.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text_table.h"

#define BLANK " \t,\r"
#define PACKET_BITS 12000.0    // 1500 bytes
#define LAST_MILLISECOND 1e12  // of a Mahimahi trace; doubles are exact up to here
#define BITS_PER_MEGABIT 1e6
#define TIME_MAX 1e12    // [s]
#define RATE_MAX 1e12    // [Mbit/s]
#define RATE_LEAST 1e-6  // unless nothing crosses; a run with less would never end [Mbit/s]

/* Lines of a text, taken apart in place. */
typedef struct lines {
  const char *path;
  char       *next;
  int64_t     line;  // last taken, from 1
} lines;

/* Rows read so far: time [s] and value of each. */
typedef struct rows {
  double *at, *value;  // shape [room]
  int     n, room;
} rows;

static ee_status keep(rows *r, double at, double value) {
  if (r->n == r->room) {
    int     room = r->room == 0 ? 1024 : r->room < INT_MAX / 4 ? 2 * r->room : 0;
    double *more = room > 0 ? realloc(r->at, ((size_t)room + 1) * sizeof *more) : NULL;
    if (more != NULL) r->at = more;
    double *too = more != NULL ? realloc(r->value, (size_t)room * sizeof *too) : NULL;
    if (too == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the rows of a network's trace");
    r->value = too;
    r->room  = room;
  }
  r->at[r->n]      = at;
  r->value[r->n++] = value;
  return EE_OK;
}

/* The next line without what follows #; NULL behind the last. */
static char *next_line(lines *l) {
  char *line = l->next;
  if (*line == '\0') return NULL;
  char *end = line + strcspn(line, "\n");
  l->next   = *end == '\n' ? end + 1 : end;
  l->line++;
  *end                       = '\0';
  line[strcspn(line, "#\n")] = '\0';
  return line;
}

/* Up to two finite numbers of a line; *n tells how many there are. */
static ee_status take_numbers(const lines *l, const char *text, double x[2], int *n) {
  *n = 0;
  for (text += strspn(text, BLANK); *text != '\0'; text += strspn(text, BLANK)) {
    char *end = NULL;
    if (*n == 2)
      return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: there are more than two numbers, expected one or two",
                     l->path, (long long)l->line);
    x[*n] = isspace((unsigned char)*text) ? NAN : strtod(text, &end);
    if (!isfinite(x[*n]) || end == text || strcspn(end, BLANK) > 0)
      return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: '%.*s' stands where a number is expected", l->path,
                     (long long)l->line, (int)fmin(40.0, (double)strcspn(text, BLANK)), text);
    text = end;
    ++*n;
  }
  return EE_OK;
}

/* Numbers of the next line that has some; *n is 0 behind the last. */
static ee_status next_numbers(lines *l, double x[2], int *n) {
  char *text = NULL;
  *n         = 0;
  while (*n == 0 && (text = next_line(l)) != NULL) EE_TRY(take_numbers(l, text, x, n));
  return EE_OK;
}

static ee_status check_columns(const lines *l, int n, int expected) {
  if (n == expected) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: the line has %d %s, expected %d", l->path,
                 (long long)l->line, n, n == 1 ? "number" : "numbers", expected);
}

/* A row of two columns; @p what and @p most are of the second. */
static ee_status take_pair(const lines *l, const double x[2], const char *what, double most,
                           double start, rows *r) {
  double at = x[0] - start;
  if (!(fabs(x[0]) <= TIME_MAX) || (r->n > 0 && !(at > r->at[r->n - 1])))
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: the time is %.15g s, expected %s", l->path,
                   (long long)l->line, x[0],
                   r->n > 0 ? "more than in the row before" : "up to 1e12");
  if (!(x[1] >= 0.0 && x[1] <= most))
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: the %s is %g, expected 0 to %g", l->path,
                   (long long)l->line, what, x[1], most);
  return keep(r, at, x[1]);
}

/* A bandwidth so small that it can only be a slip. */
static ee_status check_rate(const lines *l, double rate) {
  if (rate <= 0.0 || rate >= RATE_LEAST) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: the bandwidth is %g Mbit/s, expected 0 or at least %g",
                 l->path, (long long)l->line, rate, RATE_LEAST);
}

/* All rows of two columns, of which the first is in @p x, and the end of the last one.  The second
 * column has delays, or bandwidths. */
static ee_status take_pairs(lines *l, double x[2], bool delays, rows *r) {
  const char *what  = delays ? "delay" : "bandwidth";
  double      start = x[0], most = delays ? TIME_MAX : RATE_MAX;
  for (int n = 2; n > 0;) {
    EE_TRY(check_columns(l, n, 2));
    if (!delays) EE_TRY(check_rate(l, x[1]));
    EE_TRY(take_pair(l, x, what, most, start, r));
    EE_TRY(next_numbers(l, x, &n));
  }
  double last = r->at[r->n - 1];
  r->at[r->n] = last + (r->n > 1 ? last - r->at[r->n - 2] : 1.0);
  return EE_OK;
}

/* One packet at the end of millisecond @p stamp: a row of its own unless it has one, and one in
 * which nothing crosses in front of it if there is a gap.  *end is that of the last row [ms]. */
static ee_status take_packet(double stamp, double *end, rows *r) {
  double packet = PACKET_BITS * 1e3;  // [bit/s], for one millisecond
  if (r->n > 0 && stamp <= *end) {
    r->value[r->n - 1] += packet;
    return EE_OK;
  }
  if (stamp < 1.0) stamp = 1.0;
  if (stamp - 1.0 > *end) EE_TRY(keep(r, *end * 1e-3, 0.0));
  EE_TRY(keep(r, (stamp - 1.0) * 1e-3, packet));
  *end = stamp;
  return EE_OK;
}

static ee_status take_packets(lines *l, double x[2], rows *r) {
  double before = 0.0, end = 0.0;
  for (int n = 1; n > 0;) {
    EE_TRY(check_columns(l, n, 1));
    if (!(x[0] >= before && x[0] <= LAST_MILLISECOND && x[0] == floor(x[0])))
      return EE_FAIL(EE_ERR_FORMAT,
                     "%s:%lld: the millisecond is %.15g, expected a whole number from %.15g on",
                     l->path, (long long)l->line, x[0], before);
    before = x[0];
    EE_TRY(take_packet(x[0], &end, r));
    EE_TRY(next_numbers(l, x, &n));
  }
  r->at[r->n] = end * 1e-3;
  return EE_OK;
}

/* From bits per second in each row to those that have crossed at its beginning. */
static ee_status add_up(const char *path, const rows *r, double **bits) {
  *bits = calloc((size_t)r->n + 1, sizeof **bits);
  if (*bits == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d rows of %s", r->n, path);
  for (int i = 0; i < r->n; i++)
    (*bits)[i + 1] = (*bits)[i] + r->value[i] * (r->at[i + 1] - r->at[i]);
  if ((*bits)[r->n] > 0.0) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: nothing ever crosses; expected a bandwidth above 0", path);
}

/* Read rows of the kind that is wanted, and at their end the end of the last. */
static ee_status take_rows(lines *l, bool delays, rows *r) {
  double x[2];
  int    n;
  EE_TRY(next_numbers(l, x, &n));
  if (n == 0) return EE_FAIL(EE_ERR_FORMAT, "%s has no rows", l->path);
  if (delays) {
    EE_TRY(check_columns(l, n, 2));
    return take_pairs(l, x, true, r);
  }
  if (n == 1) return take_packets(l, x, r);
  EE_TRY(take_pairs(l, x, false, r));
  for (int i = 0; i < r->n; i++) r->value[i] *= BITS_PER_MEGABIT;
  return EE_OK;
}

static ee_status load(const char *path, bool delays, rows *r, ee_network_trace *trace) {
  char  *text = NULL;
  size_t n;
  EE_TRY(ee_text_read(path, &text, &n));
  lines     l      = {.path = path, .next = text};
  ee_status status = take_rows(&l, delays, r);
  free(text);
  if (status == EE_OK && !delays) status = add_up(path, r, &trace->bits);
  if (status != EE_OK) return status;
  trace->n  = r->n;
  trace->at = r->at;
  r->at     = NULL;
  if (!delays) return EE_OK;
  trace->delay = r->value;
  r->value     = NULL;
  return EE_OK;
}

static ee_status load_kind(const char *path, bool delays, ee_network_trace *trace) {
  rows r           = {.n = 0};
  *trace           = (ee_network_trace){.n = 0};
  ee_status status = load(path, delays, &r, trace);
  free(r.at);
  free(r.value);
  if (status == EE_OK) trace->path = strdup(path);
  if (status == EE_OK && trace->path == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to read %s", path);
  if (status != EE_OK) ee_network_trace_free(trace);
  return status;
}

ee_status ee_network_delays_load(const char *path, ee_network_trace *trace) {
  return load_kind(path, true, trace);
}

ee_status ee_network_bandwidth_load(const char *path, ee_network_trace *trace) {
  return load_kind(path, false, trace);
}
