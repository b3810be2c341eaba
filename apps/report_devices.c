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
    bool   known   = in->fleet != NULL && d < in->fleet->n_devices && report->end > 0;
    double seconds = (double)report->end * 1e-9;
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
  return (ee_report_link){list[0].from, list[0].to, messages[side], bytes[side], NAN};
}

static bool computes(const ee_event *e) {
  return e->kind == EE_EVENT_COMPUTE || e->kind == EE_EVENT_HEAD || e->kind == EE_EVENT_PACE;
}

/* Events by rank, with room for as many intervals. */
typedef struct by_rank {
  const ee_event **event;  // shape [n_events]
  int64_t         *first;  // shape [n_devices + 1], where each rank's begin
  ee_interval     *room;
} by_rank;

static void by_rank_free(by_rank *b) {
  free(b->event);
  free(b->first);
  free(b->room);
}

static ee_status by_rank_make(const ee_report_input *in, int n_devices, by_rank *b) {
  size_t n = (size_t)in->n_events, devices = (size_t)n_devices;
  *b = (by_rank){.event = calloc(n + 1, sizeof *b->event),
                 .first = calloc(devices + 2, sizeof *b->first),
                 .room  = calloc(n + 1, sizeof *b->room)};
  if (b->event == NULL || b->first == NULL || b->room == NULL) {
    by_rank_free(b);
    return EE_FAIL(EE_ERR_NOMEM, "for %zu events", n);
  }
  int64_t *next = b->first + 1;  // one place on, so that it ends as where each rank's begin
  for (size_t i = 0; i < n; i++) next[in->event[i].rank + 1]++;
  for (size_t d = 1; d <= devices; d++) next[d] += next[d - 1];
  for (size_t i = 0; i < n; i++) b->event[next[in->event[i].rank]++] = &in->event[i];
  return EE_OK;
}

/* Time covered by messages of the link (way 0), by its receiver's computing (1) or by any (2). */
static int64_t covered_by(const by_rank *b, const ee_report_link *link, int way) {
  int64_t n = 0;
  for (int64_t i = b->first[link->to]; i < b->first[link->to + 1]; i++) {
    const ee_event *e       = b->event[i];
    bool            message = e->kind == EE_EVENT_RECEIVE && e->peer == link->from;
    if ((way != 1 && message) || (way != 0 && computes(e))) {
      b->room[n++] = (ee_interval){e->start, e->end};
    }
  }
  return ee_covered(b->room, n);
}

/* Both at once is what each covers less what they cover together. */
static double overlap_of(const by_rank *b, const ee_report_link *link) {
  int64_t under_way = covered_by(b, link, 0), busy = covered_by(b, link, 1);
  int64_t any = covered_by(b, link, 2);
  return under_way > 0 ? (double)(under_way + busy - any) / (double)under_way : NAN;
}

static void add_links(const passage *list, int64_t n, const by_rank *b, ee_report *report) {
  for (int64_t first = 0, last; first < n; first = last) {
    for (last = first; last < n && compare_passages(&list[first], &list[last]) == 0;) last++;
    ee_report_link link             = sum_passages(list + first, last - first);
    link.overlap                    = overlap_of(b, &link);
    report->link[report->n_links++] = link;
    if (link.from != link.to) report->device[link.from].bytes_sent += link.bytes;
  }
}

ee_status ee_report_links(const ee_report_input *in, ee_report *report) {
  by_rank b;
  EE_TRY(by_rank_make(in, report->n_devices, &b));
  passage *list = calloc((size_t)in->n_events + 1, sizeof *list);
  report->link  = calloc((size_t)in->n_events + 1, sizeof *report->link);
  if (list != NULL && report->link != NULL) {
    add_links(list, find_passages(in, list), &b, report);
  }
  bool room = list != NULL && report->link != NULL;
  free(list);
  by_rank_free(&b);
  return room ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %lld events", (long long)in->n_events);
}
