/* SPDX-License-Identifier: Apache-2.0 */
/* compare_traces [options] TRACE.h5...: whether runs gave every sample the same answer, bit by bit:
 * exit, prediction, confidence, logits; and the one that an exit table promises.  With --either,
 * whether the first run gave every sample the answer of one of the others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/confidence.h"
#include "ee/exits_file.h"
#include "ee/options.h"
#include "ee/trace_file.h"

#define MOST_TRACES 32
#define MOST_SHOWN 5  // differences printed

/* What was said of one sample. */
typedef struct answer {
  int   times;  // that it was answered
  int   exit, prediction;
  float confidence;
} answer;

/* What one trace, or an exit table, says of all samples. */
typedef struct source {
  const char *name;
  int64_t     n;  // samples of the stream
  int         n_classes;
  answer     *answer;  // shape [n], by id
  float      *logits;  // shape [n, n_classes], of the exit taken
} source;

typedef struct compare_options {
  const char *exits;
  double      threshold;
  bool        partial, either;
} compare_options;

static int64_t n_differences;

static void differ(const char *name, int64_t id, const char *what) {
  if (n_differences++ < MOST_SHOWN) printf("%s: sample %lld: %s\n", name, (long long)id, what);
}

static ee_status source_open(const char *name, int64_t n, int n_classes, source *s) {
  *s          = (source){.name = name, .n = n, .n_classes = n_classes};
  size_t room = (size_t)(n > 0 ? n : 1);
  s->answer   = calloc(room, sizeof *s->answer);
  s->logits   = calloc(room * (size_t)n_classes, sizeof *s->logits);
  if (s->answer == NULL || s->logits == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %s", name);
  return EE_OK;
}

static void source_close(source *s) {
  free(s->answer);
  free(s->logits);
}

static void take_answer(source *s, const ee_answer *given, const float *logits) {
  if (given->id >= (uint64_t)s->n) {
    differ(s->name, (int64_t)given->id, "is no sample of the stream");
    return;
  }
  answer *a     = &s->answer[given->id];
  a->exit       = given->exit;
  a->prediction = given->prediction;
  a->confidence = given->confidence;
  if (a->times++ > 0) differ(s->name, (int64_t)given->id, "is answered twice");
  memcpy(s->logits + (int64_t)given->id * s->n_classes, logits,
         (size_t)s->n_classes * sizeof *logits);
}

static ee_status read_answers(const ee_trace_file *file, const char *path, source *s) {
  const ee_trace_header *header = ee_trace_file_header(file);
  int64_t                n;
  const ee_answer       *given = ee_trace_file_answers(file, &n);
  EE_TRY(source_open(path, (int64_t)header->n_samples, header->n_classes, s));
  for (int64_t i = 0; i < n; i++) {
    const float *logits = ee_trace_file_logits(file, i);
    if (logits == NULL) return EE_FAIL(EE_ERR_ARG, "%s holds no logits", path);
    take_answer(s, &given[i], logits);
  }
  return EE_OK;
}

static ee_status read_trace(const char *path, source *s) {
  ee_trace_file *file = NULL;
  *s                  = (source){.name = path};
  EE_TRY(ee_trace_open(path, &file));
  ee_status status = read_answers(file, path, s);
  ee_trace_file_close(&file);
  return status;
}

/* Leave at the first exit whose calibrated confidence reaches the threshold; else at the last. */
static answer decide(const ee_exits_info *info, const float *logits, float threshold, float *p) {
  for (int e = 0;; e++) {
    ee_softmax(logits + e * info->n_classes, info->n_classes, info->temperature[e], p);
    int best = ee_argmax(p, info->n_classes);
    if (p[best] >= threshold || e == info->n_exits - 1) {
      return (answer){.times = 1, .exit = e, .prediction = best, .confidence = p[best]};
    }
  }
}

static ee_status answer_from_table(ee_exits_file *file, float threshold, source *s) {
  const ee_exits_info *info    = ee_exits_file_info(file);
  size_t               classes = (size_t)info->n_classes;
  float               *logits  = calloc((size_t)info->n_exits * classes, sizeof *logits);
  float               *p       = calloc(classes, sizeof *p);
  ee_status status = logits != NULL && p != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for logits");
  for (int64_t i = 0; i < info->n && status == EE_OK; i++) {
    status = ee_exits_read(file, i, 1, logits, NULL);
    if (status != EE_OK) break;
    s->answer[i] = decide(info, logits, threshold, p);
    memcpy(s->logits + i * s->n_classes, logits + (size_t)s->answer[i].exit * classes,
           classes * sizeof *logits);
  }
  free(logits);
  free(p);
  return status;
}

static ee_status read_table(const char *path, double threshold, source *s) {
  ee_exits_file *file = NULL;
  *s                  = (source){.name = path};
  EE_TRY(ee_exits_open(path, &file));
  const ee_exits_info *info   = ee_exits_file_info(file);
  ee_status            status = source_open(path, info->n, info->n_classes, s);
  if (status == EE_OK) status = answer_from_table(file, (float)threshold, s);
  ee_exits_close(&file);
  return status;
}

static bool has_logits_of(const source *a, const source *b, int64_t id) {
  return memcmp(a->logits + id * a->n_classes, b->logits + id * a->n_classes,
                (size_t)a->n_classes * sizeof *a->logits) == 0;
}

/* Samples of the first are each as in one of the others: as many as in each are counted. */
static void compare_either(const source *all, int n) {
  int64_t as[MOST_TRACES + 1] = {0};
  for (int64_t id = 0; id < all[0].n; id++) {
    int i = 1;
    while (i < n && (all[i].answer[id].exit != all[0].answer[id].exit ||
                     !has_logits_of(&all[0], &all[i], id))) {
      i++;
    }
    if (i < n) as[i]++;
    if (i == n) differ(all[0].name, id, "is as in none of the others");
  }
  for (int i = 1; i < n; i++) printf("%lld as in %s\n", (long long)as[i], all[i].name);
}

static void compare_sample(const source *a, const source *b, int64_t id) {
  const answer *x = &a->answer[id], *y = &b->answer[id];
  if (x->times == 0 || y->times == 0) return;  // counted elsewhere
  if (x->exit != y->exit) differ(b->name, id, "left at another exit");
  if (x->prediction != y->prediction) differ(b->name, id, "has another prediction");
  if (memcmp(&x->confidence, &y->confidence, sizeof x->confidence) != 0) {
    differ(b->name, id, "has another confidence");
  }
  if (!has_logits_of(a, b, id)) differ(b->name, id, "has other logits");
}

/* A whole run has every sample; a run that was killed some, but neither none nor all. */
static void count_answers(const source *s, bool partial) {
  int64_t n = 0;
  for (int64_t id = 0; id < s->n; id++) {
    n += s->answer[id].times > 0;
    if (s->answer[id].times == 0 && !partial) differ(s->name, id, "is not answered");
  }
  if (partial && (n == 0 || n == s->n)) differ(s->name, n, "answers is none or all of the stream");
  printf("%s: %lld of %lld samples answered\n", s->name, (long long)n, (long long)s->n);
}

static ee_status compare(const source *all, int n, const compare_options *o) {
  for (int i = 0; i < n; i++) {
    const source *s = &all[i];
    if (s->n_classes != all[0].n_classes || s->n != all[0].n) {
      return EE_FAIL(EE_ERR_ARG, "%s has %lld samples and %d classes, %s %lld and %d", s->name,
                     (long long)s->n, s->n_classes, all[0].name, (long long)all[0].n,
                     all[0].n_classes);
    }
    count_answers(s, o->partial && (i > 0 || o->exits == NULL));
    for (int64_t id = 0; i > 0 && !o->either && id < s->n; id++) compare_sample(&all[0], s, id);
  }
  if (o->either) compare_either(all, n);
  if (n_differences == 0) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%lld differences", (long long)n_differences);
}

static ee_status compare_all(const compare_options *o, const char *const *trace, int n_traces) {
  source    all[MOST_TRACES + 1] = {0};
  int       n                    = 0;
  ee_status status               = EE_OK;
  if (o->exits != NULL) status = read_table(o->exits, o->threshold, &all[n++]);
  for (int i = 0; i < n_traces && status == EE_OK; i++) status = read_trace(trace[i], &all[n++]);
  if (status == EE_OK) status = compare(all, n, o);
  for (int i = 0; i < n; i++) source_close(&all[i]);
  return status;
}

int main(int argc, char **argv) {
  compare_options o        = {.threshold = NAN};
  const ee_option option[] = {
      {"exits", 0, EE_OPTION_TEXT, &o.exits, "EXITS.h5", "exit table to compare with", 0, 0},
      {"threshold", 0, EE_OPTION_DOUBLE, &o.threshold, "T", "of the runs' policy", 0, 1},
      {"partial", 0, EE_OPTION_FLAG, &o.partial, NULL, "the runs did not end", 0, 0},
      {"either", 0, EE_OPTION_FLAG, &o.either, NULL,
       "each answer of the first is that of one of the others", 0, 0},
  };
  const ee_command_line line = {"compare_traces [options] TRACE.h5...",
                                "Compares answers bit by bit.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                MOST_TRACES};
  const char           *trace[MOST_TRACES];
  int                   n;
  bool                  help   = false;
  ee_status             status = ee_options_parse(&line, argc, argv, trace, &n, &help);
  if (status == EE_OK && o.exits != NULL && isnan(o.threshold)) {
    status = EE_FAIL(EE_ERR_USAGE, "--exits needs --threshold");
  }
  if (status == EE_OK && !help) status = compare_all(&o, trace, n);
  if (status != EE_OK) fprintf(stderr, "compare_traces: %s\n", ee_status_message());
  return status != EE_OK;
}
