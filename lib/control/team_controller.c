/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/team_controller.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME 0.05      // a change of a speed or share for which no placement is looked for
#define PATIENCE 32.0  // looks in which a device with nothing to do is believed to be as it was

struct ee_team_controller {
  ee_placement_task          task;  // with arrays of its own: speed and reach are those below
  ee_team_controller_options options;
  int                        n_exits, n_devices;
  double                    *prior;        // shape [n_devices], speeds as given [FLOP/s]
  double                    *speed;        // shape [n_devices], as estimated [FLOP/s]
  double                    *patience;     // shape [n_devices], looks
  double                    *used;         // shape [n_devices], those of a device behind are 0
  double                    *reach;        // shape [n_exits]
  double                    *count;        // shape [n_exits], samples that left, by look
  int64_t                   *left, *busy;  // shape [n_exits], [n_devices]: at the last look
  double                    *work;         // shape [n_devices], likewise
  double *searched;  // shape [n_devices + n_exits], speeds and reach when nothing better was found
                     // the last time
  int better;        // looks in a row that found a better placement
  int rest;          // looks until the next one may be adopted
  int adopted;
};

static bool allocate(ee_team_controller *c) {
  size_t d = (size_t)c->n_devices, e = (size_t)c->n_exits;
  c->prior    = calloc(d, sizeof *c->prior);
  c->speed    = calloc(d, sizeof *c->speed);
  c->patience = calloc(d, sizeof *c->patience);
  c->used     = calloc(d, sizeof *c->used);
  c->reach    = calloc(e, sizeof *c->reach);
  c->count    = calloc(e, sizeof *c->count);
  c->searched = calloc(d + e, sizeof *c->searched);
  c->left     = calloc(e, sizeof *c->left);
  c->busy     = calloc(d, sizeof *c->busy);
  c->work     = calloc(d, sizeof *c->work);
  return c->prior != NULL && c->speed != NULL && c->patience != NULL && c->searched != NULL &&
         c->used != NULL && c->reach != NULL && c->count != NULL && c->left != NULL &&
         c->busy != NULL && c->work != NULL;
}

ee_status ee_team_controller_create(const ee_placement_task          *task,
                                    const ee_team_controller_options *options,
                                    ee_team_controller              **controller) {
  ee_team_controller *c = calloc(1, sizeof *c);
  *controller           = NULL;
  if (c != NULL) {
    c->task      = *task;
    c->options   = *options;
    c->n_exits   = task->units->whole->n_exits;
    c->n_devices = task->fleet.n_devices;
  }
  if (c == NULL || !allocate(c)) {
    ee_team_controller_destroy(&c);
    return EE_FAIL(EE_ERR_NOMEM, "for a controller of %d devices", task->fleet.n_devices);
  }
  memcpy(c->prior, task->fleet.speed, (size_t)c->n_devices * sizeof *c->prior);
  memcpy(c->speed, c->prior, (size_t)c->n_devices * sizeof *c->speed);
  memcpy(c->reach, task->reach, (size_t)c->n_exits * sizeof *c->reach);
  for (int d = 0; d < c->n_devices; d++) c->patience[d] = PATIENCE;
  c->task.reach       = c->reach;
  c->task.fleet.speed = c->used;
  *controller         = c;
  return EE_OK;
}

/* By how much devices that worked differ from what was thought of them; 1 if none did. */
static double common_factor(const ee_team_controller *c, const ee_team_news *news) {
  double sum = 0.0;
  int    n   = 0;
  for (int d = 0; d < c->n_devices; d++) {
    if (news->busy[d] <= c->busy[d] || c->prior[d] <= 0.0) continue;
    sum += log(c->speed[d] / c->prior[d]);
    n++;
  }
  return n > 0 ? exp(sum / n) : 1.0;
}

/* Of a device that did some work.  One that is found to be slow again is believed for twice as
 * long as the time before. */
static void measure(ee_team_controller *c, int d, double measured) {
  if (measured < 0.5 * c->speed[d]) c->patience[d] *= 2.0;
  if (measured > 0.5 * c->prior[d]) c->patience[d] = PATIENCE;
  c->speed[d] = measured;
}

/* Of a device that did none: back to what is thought of one that never did any. */
static void forget(ee_team_controller *c, int d, double usual) {
  bool ever = c->busy[d] > 0;
  c->speed[d] += (usual - c->speed[d]) / (ever ? c->patience[d] : 1.0);
}

static void estimate_speeds(ee_team_controller *c, const ee_team_news *news) {
  for (int d = 0; d < c->n_devices; d++) {
    double seconds = (double)(news->busy[d] - c->busy[d]) * 1e-9, work = news->work[d] - c->work[d];
    if (seconds > 0.0 && work > 0.0) measure(c, d, work / seconds);
  }
  double factor = common_factor(c, news);
  for (int d = 0; d < c->n_devices; d++) {
    bool worked = news->busy[d] > c->busy[d];
    if (!worked) forget(c, d, c->prior[d] * factor);
    c->used[d] = news->behind[d] ? 0.0 : c->speed[d];
    c->busy[d] = news->busy[d];
    c->work[d] = news->work[d];
  }
}

static void estimate_reach(ee_team_controller *c, const ee_team_news *news) {
  double all = 0.0, gone = 0.0;
  for (int e = 0; e < c->n_exits; e++) {
    c->count[e] = 0.5 * c->count[e] + (double)(news->left[e] - c->left[e]);
    c->left[e]  = news->left[e];
    all += c->count[e];
  }
  for (int e = 0; e < c->n_exits && all > 0.0; e++) {
    c->reach[e] = fmax(1.0 - gone / all, 0.0);
    gone += c->count[e];
  }
}

static double goal(const ee_team_controller *c, const ee_placement_forecast *f) {
  return c->options.by_latency ? f->latency : f->period;
}

/* Whether @p wanted, which is filled in, is better than @p device by the least gain. */
static bool find_better(ee_team_controller *c, const int *device, int *wanted) {
  ee_placement_forecast now, then;
  c->task.beside = device;  // while the new one is loaded
  if (ee_placement_forecast_of(&c->task, device, &now) != EE_OK) return false;
  if (ee_placement_find(&c->task, c->options.by_latency, wanted) != EE_OK) return false;
  if (ee_placement_forecast_of(&c->task, wanted, &then) != EE_OK) return false;
  return goal(c, &then) < goal(c, &now) * (1.0 - c->options.min_gain);
}

static bool is_same(double a, double b) {
  return fabs(a - b) <= SAME * fmax(fabs(a), fabs(b));
}

/* Whether nothing better can be expected, since nothing changed since the last time. */
static bool is_as_searched(const ee_team_controller *c) {
  bool same = true;
  for (int d = 0; d < c->n_devices; d++) same &= is_same(c->used[d], c->searched[d]);
  for (int e = 0; e < c->n_exits; e++) same &= is_same(c->reach[e], c->searched[c->n_devices + e]);
  return same;
}

static void note_search(ee_team_controller *c) {
  memcpy(c->searched, c->used, (size_t)c->n_devices * sizeof *c->searched);
  memcpy(c->searched + c->n_devices, c->reach, (size_t)c->n_exits * sizeof *c->searched);
}

/* Whether units are where nobody will ever compute them. */
static bool has_lost_units(const ee_team_controller *c, const ee_team_news *news,
                           const int *device) {
  for (int u = 0; u < c->task.units->n; u++) {
    if (news->lost[device[u]]) return true;
  }
  return false;
}

static bool place(void *self, const ee_team_news *news, const int *device, int *wanted) {
  ee_team_controller *c = self;
  estimate_speeds(c, news);
  estimate_reach(c, news);
  bool urgent = has_lost_units(c, news, device);
  if (c->rest > 0 && !urgent) {
    c->rest--;
    return false;
  }
  if (c->better == 0 && is_as_searched(c) && !urgent) return false;
  c->better = find_better(c, device, wanted) ? c->better + 1 : 0;
  if (c->better == 0) note_search(c);
  if (c->better < (urgent ? 1 : c->options.hold)) return false;
  c->better = 0;
  c->rest   = c->options.cooldown;
  c->adopted++;
  return true;
}

ee_team_mover ee_team_controller_mover(ee_team_controller *controller) {
  return (ee_team_mover){.self = controller, .place = place};
}

int ee_team_controller_adopted(const ee_team_controller *controller) {
  return controller->adopted;
}

void ee_team_controller_destroy(ee_team_controller **controller) {
  ee_team_controller *c = *controller;
  if (c == NULL) return;
  free(c->prior);
  free(c->speed);
  free(c->patience);
  free(c->searched);
  free(c->used);
  free(c->reach);
  free(c->count);
  free(c->left);
  free(c->busy);
  free(c->work);
  free(c);
  *controller = NULL;
}
