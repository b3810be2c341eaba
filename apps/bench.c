/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit bench: how fast a model runs on one core of this host, and what the core could do. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/log.h"
#include "random_input.h"
#include "stream.h"
#include "tuned.h"
#include "winograd.h"

#define BUDGET 1.0  // of all passes together [s]

double ee_bench_ms(const ee_bench *bench, double seconds) {
  return seconds * 1e3 / bench->whole.batch_limit;
}

double ee_bench_rate(const ee_bench *bench, double flop, double seconds) {
  return seconds > 0.0 ? flop * bench->whole.batch_limit / seconds : 0.0;
}

/* Bytes of weights that are read: as they are packed, if they are. */
static size_t weights_read(const ee_memory_need *need) {
  return need->packed > 0 ? need->packed : need->weights;
}

/* Of a batch of these nodes, each at the peak of its numbers [s]. */
static double least_time(const ee_bench *b, int layer, int exit) {
  const ee_model *m       = b->whole.model;
  double          seconds = 0.0;
  for (int k = 0; k < m->n_nodes; k++) {
    const char *kernel;
    if (!ee_bench_is_of(m, k, layer, exit)) continue;
    bool int8 = ee_bench_runner(b, &m->node[k], &kernel) == &ee_backend_int8;
    seconds += ee_node_flops(m, &m->node[k]) / (int8 ? b->peak8 : b->peak);
  }
  return seconds * b->whole.batch_limit;
}

double ee_bench_share(const ee_bench *bench, int layer, int exit, double seconds) {
  return seconds > 0.0 && bench->peak > 0.0 ? least_time(bench, layer, exit) / seconds : NAN;
}

double ee_bench_whole_share(const ee_bench *bench) {
  const ee_model *m    = bench->whole.model;
  double          took = bench->times.whole.median, all = 0.0;
  for (int l = 0; l < m->n_layers; l++) all += ee_bench_share(bench, l, -1, took);
  for (int e = 0; e < m->n_exits; e++) {
    if (ee_bench_has_head(bench, e)) all += ee_bench_share(bench, -1, e, took);
  }
  return all;
}

double ee_bench_limit(const ee_bench *bench, int layer) {
  const ee_model *m = bench->whole.model;
  ee_memory_need  need;
  if (bench->limits == NULL ||
      ee_exec_memory(m, bench->whole.backend, layer, layer + 1, 1, &need) != EE_OK)
    return 0.0;
  double rate    = ee_limits_rate_of(bench->limits, weights_read(&bench->need));
  double reading = (double)weights_read(&need) / rate;
  double flops   = least_time(bench, layer, -1);
  return flops > reading ? flops : reading;
}

bool ee_bench_has_head(const ee_bench *bench, int e) {
  const ee_model *m = bench->whole.model;
  if (!bench->options->passes.early_heads && e < m->n_exits - 1) return false;
  for (int k = 0; k < m->n_nodes; k++) {
    if (m->node[k].exit == e) return true;
  }
  return false;
}

bool ee_bench_is_of(const ee_model *model, int k, int layer, int exit) {
  const ee_node *node = &model->node[k];
  return layer >= 0 ? node->layer == layer : node->exit == exit;
}

const ee_backend *ee_bench_runner(const ee_bench *bench, const ee_node *node, const char **kernel) {
  int k = (int)(node - bench->whole.model->node);
  return ee_resident_runner(bench->whole.resident, k, bench->whole.batch_limit, kernel);
}

/* The first samples of the file, over and over until the batch is full. */
static ee_status read_input(const char *path, const ee_whole *whole, float **input) {
  ee_stream stream;
  size_t    batch = (size_t)whole->batch_limit;
  size_t    row   = (size_t)ee_model_value_elements(whole->model, whole->model->input);
  EE_TRY(ee_stream_open(path, whole->model, whole->batch_limit, &stream));
  size_t    n      = (size_t)stream.n;
  ee_status status = EE_OK;
  *input           = malloc(batch * row * sizeof **input);
  if (n == 0) {
    status = EE_FAIL(EE_ERR_ARG, "%s has no samples", path);
  } else if (*input == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for %zu samples", batch);
  } else {
    status = ee_stream_read(&stream, 0, stream.n, *input);
  }
  if (status == EE_OK && n < batch) {
    ee_log(EE_LOG_INFO, "%s has %zu samples for a batch of %zu: some are in it more than once",
           path, n, batch);
  }
  for (size_t i = n; status == EE_OK && i < batch; i++) {
    memcpy(*input + i * row, *input + (i - n) * row, row * sizeof **input);
  }
  ee_stream_close(&stream);
  if (status == EE_OK) return EE_OK;
  free(*input);
  *input = NULL;
  return status;
}

static double flop_of_sample(const ee_bench *b) {
  const ee_model *m    = b->whole.model;
  double          flop = 0.0;
  for (int l = 0; l < m->n_layers; l++) flop += m->layer[l].flops;
  for (int e = 0; e < m->n_exits; e++) flop += ee_bench_has_head(b, e) ? m->head_flops[e] : 0.0;
  return flop;
}

static ee_status measure(ee_bench *b) {
  const ee_bench_options *o     = b->options;
  const ee_model         *m     = b->whole.model;
  float                  *input = NULL;
  EE_TRY(ee_exec_memory(m, b->whole.backend, 0, m->n_layers, b->whole.batch_limit, &b->need));
  if (o->data != NULL) {
    EE_TRY(read_input(o->data, &b->whole, &input));
  } else {
    EE_TRY(ee_random_input(m, b->whole.batch_limit, &input));
  }
  b->flop          = flop_of_sample(b);
  ee_status status = ee_passes_measure(&b->whole, input, &o->passes, &b->times);
  free(input);
  if (status == EE_OK) {
    ee_warn_of_load(b->times.cpu_share, "medians are too long while other work runs here");
  }
  return status;
}

static ee_status measure_model(ee_bench *b) {
  const ee_bench_options *o    = b->options;
  ee_model_file          *file = NULL;
  EE_TRY(ee_model_file_open(o->model, &file));
  ee_status status = ee_whole_open_file(file, o->backend, o->batch, &b->whole);
  if (status == EE_OK && o->batch > b->whole.batch_limit) {
    status =
        EE_FAIL(EE_ERR_ARG, "%s takes one sample at a time; --batch is %d", o->model, o->batch);
  }
  if (status == EE_OK) status = measure(b);
  if (status == EE_OK && o->json) status = ee_bench_print_json(b);
  if (status == EE_OK && !o->json) ee_bench_print_text(b);
  ee_pass_times_free(&b->times);
  ee_whole_close(&b->whole);
  ee_model_file_close(&file);
  return status;
}

static ee_status bench(const ee_bench_options *o, bool peak) {
  ee_bench          b = {.options = o};
  ee_limits         limits;
  const ee_backend *backend;
  EE_TRY(ee_choose_backend(o->backend, &backend));
  b.level = ee_backend_vectors(backend);
  if (peak) {
    EE_TRY(ee_peak_limits(b.level, &limits));
    b.limits = &limits;
  }
  b.peak = peak ? limits.flops : ee_peak_flops(b.level);
  if (backend == &ee_backend_int8) b.peak8 = peak ? limits.int8_ops : ee_peak_int8(b.level);
  if (o->model != NULL) return measure_model(&b);
  if (o->json) return ee_bench_print_json(&b);
  ee_bench_print_text(&b);
  return EE_OK;
}

/* @p words: of the command line. */
static ee_status check(const ee_bench_options *o, bool peak, double seconds, int words) {
  if (o->model == NULL && !peak) {
    return EE_FAIL(EE_ERR_USAGE, "MODEL.h5 is missing; only --peak may stand alone");
  }
  if (o->model == NULL && words > (int)peak + (int)o->json) {
    return EE_FAIL(EE_ERR_USAGE, "without MODEL.h5 --peak takes no other option than --json");
  }
  if (o->passes.repeats > 0 && seconds > 0.0) {
    return EE_FAIL(EE_ERR_USAGE, "--repeats and --seconds say the same; give one of them");
  }
  return EE_OK;
}

int ee_app_bench(int argc, char **argv) {
  ee_bench_options o        = {.batch = 1, .passes.early_heads = true};
  bool             peak     = false;
  double           seconds  = 0.0;
  const char      *in[2]    = {NULL, NULL};
  const ee_option  option[] = {
       {"batch", 'b', EE_OPTION_INT, &o.batch, "N", "samples per batch; default 1", 1, 65536},
       {"per-layer", 'l', EE_OPTION_FLAG, &o.per_layer, NULL,
        "time, memory and backend of each layer, as it runs in whole passes", 0, 0},
       {"heads", 0, EE_OPTION_SWITCH, &o.passes.early_heads, "on|off",
        "run the heads of early exits, too; default on: all outputs, as other engines do", 0, 0},
       {"peak", 0, EE_OPTION_FLAG, &peak, NULL,
        "also how fast this core computes and reads at most; may stand without a model", 0, 0},
       {"repeats", 'r', EE_OPTION_INT, &o.passes.repeats, "N", "medians of N passes", 1, 1e6},
       {"seconds", 's', EE_OPTION_DOUBLE, &seconds, "S",
        "or of as many as take S seconds, 7 to 3000; default 1", 1e-3, 3600},
       {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME",
        "default: the environment's EE_BACKEND, or the best", 0, 0},
       ee_winograd_option,
       ee_tuned_option,
       {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit bench [options] [MODEL.h5 [DATA.h5]]",
      "Runs a whole model on one core of this host, and tells how fast, with what and in how much\n"
      "memory.  The batch is the first samples of DATA.h5, or random ones of a fixed seed.",
      option,
      sizeof option / sizeof option[0],
      0,
      2};
  int n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model           = in[0];
  o.data            = in[1];
  o.passes.by_layer = o.per_layer;
  o.passes.seconds  = seconds > 0.0 ? seconds : BUDGET;
  ee_status status  = check(&o, peak, seconds, argc - 1);
  if (status == EE_OK) status = bench(&o, peak);
  return ee_app_finish(status);
}
