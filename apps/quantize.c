/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit quantize: finds the scales with which a model computes in 8 bits, and what it loses. */
#include "quantize.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "ee/log.h"
#include "ee/model_file.h"
#include "output_path.h"
#include "provenance.h"
#include "same_file.h"
#include "tuned.h"
#include "winograd.h"

#define SAMPLES 512
#define PERCENTILE 99.99
#define LINE_START "quantized: "  // of the provenance
#define NO_LIMIT (-1.0)

typedef struct quantize_options {
  const char *model, *data, *out, *method, *keep;
  double      percentile;  // NaN: not given
  double      most;
  int         samples;  // 0: not given
  bool        json;
} quantize_options;

/* The node that is called like the first @p n bytes of @p name, or -1. */
static int node_called(const ee_model *m, const char *name, size_t n) {
  int k = m->n_nodes - 1;
  while (k >= 0 && (strlen(m->node[k].name) != n || memcmp(m->node[k].name, name, n) != 0)) k--;
  return k;
}

/* Names, with commas between them. */
static ee_status mark_kept(ee_quantize *q, const char *names) {
  for (const char *at = names; at != NULL; at = strchr(at, ',')) {
    at += at != names;
    size_t n = strcspn(at, ",");
    int    k = node_called(q->model, at, n);
    if (k < 0 || !ee_quantization_fits(q->model, &q->model->node[k])) {
      return EE_FAIL(EE_ERR_USAGE,
                     "--keep names \"%.*s\", which is no node of the model that could be computed "
                     "in 8 bits",
                     (int)n, at);
    }
    q->keep[k] = true;
  }
  return EE_OK;
}

static ee_status remember(const quantize_options *o, const ee_quantize *q) {
  ee_model *m = q->model;
  char      method[64], line[EE_MESSAGE_BYTES];
  snprintf(line, sizeof line, LINE_START "%d nodes, ranges by %s of %lld samples of %.240s",
           ee_quantization_count(m), ee_quantize_method(q, method), (long long)q->stream->n,
           o->data);
  char *note = ee_provenance_note(m->provenance, LINE_START, line);
  if (note == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the provenance of %s", m->name);
  m->provenance = note;
  snprintf(m->quantization.method, sizeof m->quantization.method, "%s", method);
  m->quantization.samples = (int)q->stream->n;
  return EE_OK;
}

static ee_status find_scales(const quantize_options *o, ee_quantize *q) {
  EE_TRY(mark_kept(q, o->keep));
  EE_TRY(ee_quantize_look(q));
  EE_TRY(ee_quantize_measure(q));
  if (o->most != NO_LIMIT) EE_TRY(ee_quantize_limit_loss(q, o->most));
  EE_TRY(remember(o, q));
  EE_TRY(ee_model_save(q->model, o->out));
  if (o->json) return ee_quantize_print_json(q);
  ee_quantize_print(q);
  return EE_OK;
}

static ee_status quantize_model(const quantize_options *o, ee_model *m) {
  ee_stream   stream;
  ee_quantize q = {.model      = m,
                   .stream     = &stream,
                   .data       = o->data,
                   .method     = ee_range_method_by_name(o->method),
                   .percentile = isnan(o->percentile) ? PERCENTILE : o->percentile};
  EE_TRY(ee_stream_open(o->data, m, o->samples > 0 ? o->samples : SAMPLES, &stream));
  if (stream.n < o->samples) {
    ee_log(EE_LOG_INFO, "%s has %lld samples, fewer than the %d of --samples", o->data,
           (long long)stream.n, o->samples);
  }
  ee_status status = ee_quantize_open(&q);
  if (status == EE_OK) status = find_scales(o, &q);
  ee_quantize_close(&q);
  ee_stream_close(&stream);
  return status;
}

static ee_status check(const quantize_options *o) {
  if (o->out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o MODEL.h5 is missing");
  if (ee_range_method_by_name(o->method) == EE_RANGE_METHODS)
    return EE_FAIL(EE_ERR_USAGE, "--method is %s, expected minmax, percentile or mse", o->method);
  if (!isnan(o->percentile) && ee_range_method_by_name(o->method) != EE_RANGE_PERCENTILE)
    return EE_FAIL(EE_ERR_USAGE, "--percentile is for --method percentile, not for %s", o->method);
  return EE_OK;
}

static ee_status quantize(const quantize_options *o) {
  ee_model *model = NULL;
  EE_TRY(check(o));
  EE_TRY(ee_refuse_same_file(o->data, o->out));
  EE_TRY(ee_check_output(o->out));
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = quantize_model(o, model);
  ee_model_destroy(&model);
  return status;
}

int ee_app_quantize(int argc, char **argv) {
  quantize_options o = {.method = "mse", .percentile = NAN, .most = NO_LIMIT};
  const char      *in[2];
  const ee_option  option[] = {
       {"output", 'o', EE_OPTION_TEXT, &o.out, "MODEL.h5", "model to write", 0, 0},
       {"samples", 'n', EE_OPTION_INT, &o.samples, "N", "look at the first N; default 512", 1, 1e6},
       {"method", 'm', EE_OPTION_TEXT, &o.method, "minmax|percentile|mse",
        "range of what a node reads: all, all but a share, or the one with the least errors; "
         "default mse",
        0, 0},
       {"percentile", 'p', EE_OPTION_DOUBLE, &o.percentile, "P",
        "of the numbers inside either end, with --method percentile; default 99.99", 50, 100},
       {"keep", 'k', EE_OPTION_TEXT, &o.keep, "NAME,...", "leave these nodes in float32", 0, 0},
       {"max-accuracy-loss", 0, EE_OPTION_DOUBLE, &o.most, "X",
        "leave more nodes in float32 until no exit loses more, on the samples looked at", 0, 1},
       ee_winograd_option,
       ee_tuned_option,
       {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit quantize [options] MODEL.h5 DATA.h5 -o MODEL.h5",
      "Finds the scales with which convolutions and products of a model compute in 8 bits, from "
      "what\n"
      "goes into them on some samples, and tells what that does to every exit.  The backend int8\n"
      "(--backend int8) uses them; other backends compute as before.",
      option,
      sizeof option / sizeof option[0],
      2,
      2};
  int n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  o.data  = in[1];
  return ee_app_finish(quantize(&o));
}
