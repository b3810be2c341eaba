/* SPDX-License-Identifier: Apache-2.0 */
/* Says what plans are worth: bottlenecks by name, verdict and warnings. */
#include "plan_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST_NAMES 6  // devices that a sentence lists

const char *ee_plan_device_name(const ee_plan_question *q, int d, char *text, size_t size) {
  const ee_fleet *fleet = q->setup->fleet;
  if (fleet != NULL) {
    snprintf(text, size, "%s", fleet->device[d].name);
  } else {
    snprintf(text, size, "device %d", d);
  }
  return text;
}

/* Put more behind what is in the text. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...) {
  size_t  length = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + length, size - length, format, arguments);
  va_end(arguments);
}

/* "hub", or "hub and 2 more" where several share the stage. */
static const char *stage_devices(const ee_plan_question *q, const ee_plan *plan, int s, char *text,
                                 size_t size) {
  int more = ee_plan_width(plan, s) - 1;
  ee_plan_device_name(q, plan->stage[s].device, text, size);
  if (more > 0) append(text, size, " and %d more", more);
  return text;
}

const char *ee_plan_bottleneck(const ee_plan_question *q, const ee_promise *p, char *text,
                               size_t size) {
  char a[80], b[80];
  int  s = p->forecast.stage;
  if (p->forecast.link) {
    if (s >= 0) {
      stage_devices(q, p->plan, s, a, sizeof a);
    } else {
      ee_plan_device_name(q, 0, a, sizeof a);
    }
    snprintf(text, size, "link %s -> %s", a, stage_devices(q, p->plan, s + 1, b, sizeof b));
  } else if (p->head >= 0) {
    stage_devices(q, p->plan, s, a, sizeof a);
    snprintf(text, size, "%s (head of %s)", a, q->setup->model->exit[p->head].name);
  } else {
    stage_devices(q, p->plan, s, text, size);
  }
  return text;
}

ee_link_values ee_plan_link_values(const ee_promise *p, int s) {
  int cut = p->plan->stage[s].begin;
  return ee_link_values_at(p->setup.model, ee_run_link_values(&p->setup, cut), cut);
}

const char *ee_plan_links(const ee_plan_question *q, const ee_promise *p, char *text, size_t size) {
  char           from[80], to[80];
  bool           bytes = false;
  const ee_plan *plan  = p->plan;
  text[0]              = '\0';
  for (int s = 1; s < plan->n_stages; s++) {
    ee_link_values values = ee_plan_link_values(p, s);
    bytes |= values == EE_LINK_I8;
    if (s > MOST_NAMES) continue;
    append(text, size, "%s%s -> %s %s", s > 1 ? ", " : "",
           stage_devices(q, plan, s - 1, from, sizeof from),
           stage_devices(q, plan, s, to, sizeof to), ee_link_values_name(values));
  }
  if (plan->n_stages > MOST_NAMES + 1) {
    append(text, size, " and %d more", plan->n_stages - 1 - MOST_NAMES);
  }
  if (bytes && isnan(p->link_loss)) append(text, size, "; what int8 loses was not measured");
  if (bytes && !isnan(p->link_loss)) {
    append(text, size, "; int8 loses %.4f of accuracy", p->link_loss);
  }
  return text;
}

/* "camera, hub and 3 more", in the order of the stages. */
static void list_devices(const ee_plan_question *q, const ee_plan *plan, char *text, size_t size) {
  char name[64];
  int  named = 0, all = ee_plan_devices_used(plan);
  text[0] = '\0';
  for (int s = 0; s < plan->n_stages; s++) {
    for (int k = 0; k < ee_plan_width(plan, s) && named < MOST_NAMES; k++, named++) {
      append(text, size, "%s%s", named > 0 ? ", " : "",
             ee_plan_device_name(q, ee_plan_device(plan, s, k), name, sizeof name));
    }
  }
  if (all > MOST_NAMES) append(text, size, " and %d more", all - MOST_NAMES);
}

/* How many times better one device alone is than the plan. */
static double alone_gain(const ee_promises *all) {
  const ee_judgement *v = all->judgement;
  return all->by_latency ? v->forecast.latency / v->alone_latency
                         : v->forecast.period / v->alone_period;
}

static void say_alone(const ee_plan_question *q, const ee_promises *all, char *text, size_t size) {
  char name[64];
  snprintf(text, size, "do not distribute: there is one device");
  if (all->n > 1) {
    snprintf(text, size, "do not distribute: one device is as fast as %d", all->n);
    ee_plan_device_name(q, all->plan->stage[0].device, name, sizeof name);
    append(text, size, "; all layers on %s", name);
  }
}

static const char *reason(ee_idle idle) {
  switch (idle) {
    case EE_IDLE_AWAY:
      return "idle: it is away";
    case EE_IDLE_LINK:
      return "idle: its link would be the bottleneck";
    case EE_IDLE_MEMORY:
      return "idle: its memory is too small";
    case EE_IDLE_PLANNER:
      return "idle: it would raise the throughput, but this planner leaves it out";
    case EE_IDLE_UNPLANNED:
      return "idle: this planner has no plan with it";
    case EE_IDLE_UNTRIED:
      return "idle: not judged, with so many devices";
    default:
      return "idle: it would gain less than 1 %";
  }
}

/* The first device that is left out for its link, its memory, or as no plan has room for it. */
static void say_idle(const ee_plan_question *q, const ee_promises *all, char *text, size_t size) {
  for (int d = 0; d < all->n; d++) {
    ee_idle idle = all->judgement->device[d].idle;
    char    name[64];
    if (idle != EE_IDLE_LINK && idle != EE_IDLE_MEMORY && idle != EE_IDLE_UNPLANNED) continue;
    append(text, size, "; %s is %s", ee_plan_device_name(q, d, name, sizeof name), reason(idle));
    return;
  }
}

/* Whether one device is about as good, also in what comes second. */
static bool alone_is_enough(const ee_promises *all) {
  const ee_judgement *v      = all->judgement;
  bool                period = v->alone_period <= v->forecast.period * (1.0 + EE_JUDGEMENT_MARGIN);
  if (alone_gain(all) > 1.0 + EE_JUDGEMENT_MARGIN) return true;
  return alone_gain(all) > 1.0 - EE_JUDGEMENT_MARGIN && (period || !all->by_latency);
}

const char *ee_plan_verdict(const ee_plan_question *q, const ee_promises *all, char *text,
                            size_t size) {
  const ee_judgement *v = all->judgement;
  char                devices[512], alone[64] = "", where[160];
  ee_plan_bottleneck(q, &all->of[all->enough - 1], where, sizeof where);
  list_devices(q, all->plan, devices, sizeof devices);
  if (v->alone >= 0) ee_plan_device_name(q, v->alone, alone, sizeof alone);
  if (ee_plan_devices_used(all->plan) == 1) {
    say_alone(q, all, text, size);
  } else if (v->alone < 0) {
    snprintf(text, size,
             "use %d of %d devices (%s): no device can hold all layers; the bottleneck is %s",
             ee_plan_devices_used(all->plan), all->n, devices, where);
  } else if (alone_is_enough(all) && q->options->max_period <= 0.0) {
    snprintf(text, size,
             "do not distribute: %s alone is %.2f times as fast as this plan's %d devices", alone,
             alone_gain(all), ee_plan_devices_used(all->plan));
  } else {
    snprintf(
        text, size,
        "use %d of %d devices (%s): %.2f times one device's throughput, %.2f times its latency "
        "(%s alone); the bottleneck is %s",
        ee_plan_devices_used(all->plan), all->n, devices, v->alone_period / v->forecast.period,
        v->forecast.latency / v->alone_latency, alone, where);
  }
  say_idle(q, all, text, size);
  return text;
}

/* Throughput or earliness of the other plan over that of this one. */
static double change(const ee_promises *all, const ee_device_worth *one) {
  const ee_forecast *f = &all->judgement->forecast;
  return all->by_latency ? f->latency / one->other_latency : f->period / one->other_period;
}

const char *ee_plan_device_worth(const ee_promises *all, int d, char *text, size_t size) {
  const ee_device_worth *one  = &all->judgement->device[d];
  const char            *what = all->by_latency ? "speed" : "throughput";
  bool                   used = one->stage >= 0;
  snprintf(text, size, "%s", used ? "" : reason(one->idle));
  if (isnan(one->other_period)) return text;
  if (used && !isfinite(one->other_period)) {
    snprintf(text, size, "without it: no plan");
  } else if (used) {
    snprintf(text, size, "without it: %.2f times the %s", change(all, one), what);
  } else if (isfinite(one->other_period) && change(all, one) < 1.0 - EE_JUDGEMENT_MARGIN) {
    append(text, size, "; with it: %.2f times the %s", change(all, one), what);
  }
  return text;
}

/* Whether the bottleneck is a link from or to device d. */
static bool waits_for_link(const ee_promises *all, int d) {
  const ee_forecast *f = &all->judgement->forecast;
  int                s = all->judgement->device[d].stage;
  return f->link && s >= 0 && (s == f->stage || s == f->stage + 1);
}

static void warn_of_device(const ee_plan_question *q, const ee_promises *all, int d, char *text,
                           size_t size) {
  char name[64], where[160] = "";
  ee_plan_device_name(q, d, name, sizeof name);
  if (waits_for_link(all, d)) {
    ee_plan_bottleneck(q, &all->of[all->enough - 1], where, sizeof where);
  }
  snprintf(text, size, "%s makes it worse: without %s %.2f times the %s", where[0] ? where : name,
           name, change(all, &all->judgement->device[d]), all->by_latency ? "speed" : "throughput");
}

void ee_plan_warnings(const ee_plan_question *q, const ee_promises           *all,
                      void (*take)(const char *warning, void *context), void *context) {
  const ee_judgement *v    = all->judgement;
  const ee_promise   *last = &all->of[all->n - 1];
  char                text[EE_MESSAGE_BYTES + 64];
  for (int d = 0; d < v->n_devices; d++) {
    const ee_device_worth *one = &v->device[d];
    if (one->stage < 0 || isnan(one->other_period)) continue;
    if (!ee_judgement_is_better(v, all->by_latency, one->other_period, one->other_latency))
      continue;
    warn_of_device(q, all, d, text, sizeof text);
    take(text, context);
  }
  if (q->setup->slots == 1 && all->plan->n_stages > 1) {
    take(
        "with --slots 1 a device does not compute while its message is under way, which planners "
        "do "
        "not count: expect less throughput",
        context);
  }
  if (last->plan == NULL) {
    snprintf(text, sizeof text, "there is no such plan for all %d devices: %s", all->n,
             all->no_plan);
    take(text, context);
  } else if (all->enough < all->n && !all->by_latency &&
             last->forecast.period > v->forecast.period * (1 + EE_JUDGEMENT_MARGIN)) {
    snprintf(text, sizeof text, "all %d devices have %.2f times the throughput of the first %d",
             all->n, v->forecast.period / last->forecast.period, all->enough);
    take(text, context);
  }
}
