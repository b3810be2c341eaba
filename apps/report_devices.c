/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of events: where each device's time went, and what links carried. */
#include <math.h>
#include <stdlib.h>

#include "report_parts.h"

static int compare_events(const void *a, const void *b) {
  const ee_event *x = *(const ee_event *const *)a, *y = *(const ee_event *const *)b;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return (x->kind > y->kind) - (x->kind < y->kind);
}

/* Add up each run of events of the same device and kind; `order` has them side by side. */
static void cover_runs(const ee_event *const *order, int64_t n, ee_interval *room,
                       ee_report_device *device) {
  for (int64_t first = 0, last; first < n; first = last) {
    for (last = first; last < n && compare_events(&order[first], &order[last]) == 0; last++) {
      room[last - first] = (ee_interval){order[last]->start, order[last]->end};
    }
    device[order[first]->rank].ns[order[first]->kind] = ee_covered(room, last - first);
  }
}

static ee_status summarise_sums(const ee_report_input *in, ee_report *report) {
  double *seconds = calloc((size_t)in->n_events + 1, sizeof *seconds);
  if (seconds == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld events", (long long)in->n_events);
  int64_t n = 0;
  for (int64_t i = 0; i < in->n_events; i++) {
    const ee_event *e = &in->event[i];
    if (e->kind == EE_EVENT_ALLREDUCE) seconds[n++] = (double)(e->end - e->start) * 1e-9;
  }
  report->allreduce = ee_summarise(seconds, n);
  free(seconds);
  return EE_OK;
}

static void add_energy(const ee_report_input *in, ee_report *report) {
  for (int d = 0; d < report->n_devices; d++) {
    ee_report_device *device = &report->device[d];
    const int64_t    *ns     = device->ns;
    double busy    = (double)(ns[EE_EVENT_COMPUTE] + ns[EE_EVENT_HEAD] + ns[EE_EVENT_PACE]) * 1e-9;
    bool   known   = in->fleet != NULL && d < in->fleet->n_devices && report->span > 0;
    double seconds = (double)report->span * 1e-9;
    device->energy = known ? ee_device_energy(&in->fleet->device[d], busy, seconds) : NAN;
    if (!isnan(device->energy)) report->energy += device->energy;
  }
}

ee_status ee_report_devices(const ee_report_input *in, ee_report *report) {
  size_t           n      = (size_t)in->n_events;
  const ee_event **order  = calloc(n + 1, sizeof *order);
  ee_interval     *room   = calloc(n + 1, sizeof *room);
  ee_status        status = EE_OK;
  if (order == NULL || room == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for %zu events", n);
  } else {
    for (size_t i = 0; i < n; i++) order[i] = &in->event[i];
    qsort(order, n, sizeof *order, compare_events);
    cover_runs(order, in->n_events, room, report->device);
  }
  free(order);
  free(room);
  if (status == EE_OK) add_energy(in, report);
  return status == EE_OK ? summarise_sums(in, report) : status;
}

/* One message as its sender or its receiver recorded it. */
typedef struct passage {
  int     from, to;
  bool    received;
  int64_t bytes;
} passage;

static int compare_passages(const void *a, const void *b) {
  const passage *x = a, *y = b;
  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  return (x->to > y->to) - (x->to < y->to);
}

static int64_t find_passages(const ee_report_input *in, passage *list) {
  int64_t n = 0;
  for (int64_t i = 0; i < in->n_events; i++) {
    const ee_event *e = &in->event[i];
    if (e->peer < 0) continue;
    if (e->kind == EE_EVENT_SEND) list[n++] = (passage){e->rank, e->peer, false, e->bytes};
    if (e->kind == EE_EVENT_RECEIVE) list[n++] = (passage){e->peer, e->rank, true, e->bytes};
  }
  qsort(list, (size_t)n, sizeof *list, compare_passages);
  return n;
}

/* One link from its passages [0, n), n >= 1. */
static ee_report_link sum_passages(const passage *list, int64_t n) {
  int64_t messages[2] = {0, 0}, bytes[2] = {0, 0};
  for (int64_t i = 0; i < n; i++) {
    messages[list[i].received]++;
    bytes[list[i].received] += list[i].bytes;
  }
  int side = bytes[1] > bytes[0] || (bytes[1] == bytes[0] && messages[1] > messages[0]);
  return (ee_report_link){list[0].from, list[0].to, messages[side], bytes[side]};
}

ee_status ee_report_links(const ee_report_input *in, ee_report *report) {
  passage *list = calloc((size_t)in->n_events + 1, sizeof *list);
  report->link  = calloc((size_t)in->n_events + 1, sizeof *report->link);
  if (list == NULL || report->link == NULL) {
    free(list);
    return EE_FAIL(EE_ERR_NOMEM, "for %lld events", (long long)in->n_events);
  }
  int64_t n = find_passages(in, list);
  for (int64_t first = 0, last; first < n; first = last) {
    for (last = first; last < n && compare_passages(&list[first], &list[last]) == 0;) last++;
    ee_report_link link             = sum_passages(list + first, last - first);
    report->link[report->n_links++] = link;
    if (link.from != link.to) report->device[link.from].bytes_sent += link.bytes;
  }
  free(list);
  return EE_OK;
}
