/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit import onnx | cifar10 | idx | exits */
#include "ee/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/model_file.h"
#include "import_exits.h"
#include "output_path.h"
#include "same_file.h"

#define MAX_SOURCES 64
#define MAX_CHANNELS 64

/* "a,b,c" to numbers. */
static ee_status parse_numbers(const char *name, const char *text, float *out, int *n) {
  *n = 0;
  while (text != NULL && *text != '\0') {
    char *end;
    if (*n == MAX_CHANNELS)
      return EE_FAIL(EE_ERR_USAGE, "--%s has over %d numbers", name, MAX_CHANNELS);
    out[(*n)++] = strtof(text, &end);
    if (end == text || (*end != ',' && *end != '\0')) {
      return EE_FAIL(EE_ERR_USAGE, "--%s is not numbers separated by commas: %s", name, text);
    }
    text = *end == ',' ? end + 1 : end;
  }
  return EE_OK;
}

/* "FIRST:COUNT", or "FIRST:" for all from there on. */
static ee_status parse_range(const char *text, ee_data_range *range) {
  long long first = 0, count = -1;
  char      rest;
  *range = (ee_data_range){.count = -1};
  if (text == NULL) return EE_OK;
  int n = sscanf(text, "%lld:%lld%c", &first, &count, &rest);
  if (n == 1 && text[strlen(text) - 1] == ':') count = -1;
  if (n < 1 || n > 2 || first < 0 || strchr(text, ':') == NULL || (n == 2 && count < 0)) {
    return EE_FAIL(EE_ERR_USAGE, "--range is %s; expected FIRST:COUNT or FIRST:", text);
  }
  *range = (ee_data_range){.first = first, .count = count};
  return EE_OK;
}

static ee_status need_output(const char *out) {
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o FILE.h5 is missing");
  return ee_check_output(out);
}

static int count_scores(const ee_model *model) {
  int n = 0;
  for (int e = 0; e < model->n_exits; e++) n += model->exit[e].has_score;
  return n;
}

static ee_status convert_onnx(const char *in, const char *out, const ee_onnx_options *options) {
  ee_model *model = NULL;
  EE_TRY(ee_import_onnx(in, options, &model));
  ee_status status = ee_model_save(model, out);
  if (status == EE_OK) {
    int  n_scores   = count_scores(model);
    char scores[48] = "";
    if (n_scores > 0) snprintf(scores, sizeof scores, ", %d learned scores", n_scores);
    printf("%s: %d layers, %d exits, %d classes%s\n", out, model->n_layers, model->n_exits,
           model->n_classes, scores);
  }
  ee_model_destroy(&model);
  return status;
}

static ee_status import_onnx(const char *in, const char *out, const char *mean, const char *std,
                             double scale, const char *classes, const char *scores, bool winograd) {
  float m[MAX_CHANNELS], s[MAX_CHANNELS];
  int   n_mean, n_std;
  EE_TRY(need_output(out));
  EE_TRY(ee_refuse_same_file(in, out));
  EE_TRY(parse_numbers("mean", mean, m, &n_mean));
  EE_TRY(parse_numbers("std", std, s, &n_std));
  if (n_mean != n_std) {
    return EE_FAIL(EE_ERR_USAGE, "--mean has %d numbers, --std %d; both need one per channel",
                   n_mean, n_std);
  }
  ee_onnx_options options = {.n_channels  = n_mean,
                             .scale       = (float)scale,
                             .mean        = m,
                             .std         = s,
                             .class_names = classes,
                             .scores      = scores,
                             .no_winograd = !winograd};
  return convert_onnx(in, out, &options);
}

static int app_onnx(int argc, char **argv) {
  const char     *out = NULL, *mean = NULL, *std = NULL, *classes = NULL, *scores = NULL, *in;
  double          scale    = 0.0;
  bool            winograd = true;
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "FILE.h5", "model file to write", 0, 0},
      {"scale", 0, EE_OPTION_DOUBLE, &scale, "X", "raw values are multiplied by this first", 0, 0},
      {"mean", 0, EE_OPTION_TEXT, &mean, "A,B,...", "per channel, subtracted", 0, 0},
      {"std", 0, EE_OPTION_TEXT, &std, "A,B,...", "per channel, divided by", 0, 0},
      {"classes", 0, EE_OPTION_TEXT, &classes, "A,B,...", "class names", 0, 0},
      {"score", 0, EE_OPTION_TEXT, &scores, "EXIT=OUTPUT,...",
       "outputs that are learned scores of exits; default by name", 0, 0},
      {"winograd", 0, EE_OPTION_SWITCH, &winograd, "on|off",
       "whether the model allows fast convolutions of 3 x 3; default on", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit import onnx [options] MODEL.onnx -o MODEL.h5",
      "Each graph output becomes an exit, in topological order; one of a "
      "single number called NAME_score\nor NAME.score is the learned "
      "score of the exit NAME.  Scale, mean, std and classes default to\nthe file's metadata "
      "(ee.scale, ee.mean, ee.std, ee.classes).",
      option,
      sizeof option / sizeof option[0],
      1,
      1};
  int n, code;
  if (!ee_app_parse(&line, argc, argv, &in, &n, &code)) return code;
  return ee_app_finish(import_onnx(in, out, mean, std, scale, classes, scores, winograd));
}

static ee_status import_cifar10(const char *const *in, int n, const char *range, const char *out) {
  ee_data_range r;
  EE_TRY(need_output(out));
  EE_TRY(parse_range(range, &r));
  for (int i = 0; i < n; i++) EE_TRY(ee_refuse_same_file(in[i], out));
  return ee_import_cifar10(in, n, r, out);
}

static int app_cifar10(int argc, char **argv) {
  const char     *out = NULL, *range = NULL, *in[MAX_SOURCES];
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "FILE.h5", "data file to write", 0, 0},
      {"range", 0, EE_OPTION_TEXT, &range, "FIRST:COUNT", "samples to take; default all", 0, 0},
  };
  const ee_command_line line = {"edgeexit import cifar10 [options] BATCH.bin... -o DATA.h5",
                                "CIFAR-10 binary batches: records of one label and 3,072 bytes.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                MAX_SOURCES};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  return ee_app_finish(import_cifar10(in, n, range, out));
}

static ee_status import_idx(const char *const *in, const char *range, const char *classes,
                            const char *out) {
  ee_data_range r;
  EE_TRY(need_output(out));
  EE_TRY(parse_range(range, &r));
  for (int i = 0; i < 2; i++) EE_TRY(ee_refuse_same_file(in[i], out));
  return ee_import_idx(in[0], in[1], r, classes, out);
}

static int app_idx(int argc, char **argv) {
  const char     *out = NULL, *range = NULL, *classes = NULL, *in[2];
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "FILE.h5", "data file to write", 0, 0},
      {"range", 0, EE_OPTION_TEXT, &range, "FIRST:COUNT", "samples to take; default all", 0, 0},
      {"classes", 0, EE_OPTION_TEXT, &classes, "A,B,...", "class names; default 0,1,...", 0, 0},
  };
  const ee_command_line line = {"edgeexit import idx [options] IMAGES LABELS -o DATA.h5",
                                "IDX files as of MNIST and Fashion-MNIST, plain or gzip.",
                                option,
                                sizeof option / sizeof option[0],
                                2,
                                2};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  return ee_app_finish(import_idx(in, range, classes, out));
}

int ee_app_import(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "onnx") == 0) return app_onnx(argc - 1, argv + 1);
  if (strcmp(what, "cifar10") == 0) return app_cifar10(argc - 1, argv + 1);
  if (strcmp(what, "idx") == 0) return app_idx(argc - 1, argv + 1);
  if (strcmp(what, "exits") == 0) return ee_app_import_exits(argc - 1, argv + 1);
  bool help = strcmp(what, "--help") == 0;
  fprintf(help ? stdout : stderr,
          "usage: edgeexit import onnx|cifar10|idx|exits ...\n\n"
          "'edgeexit import onnx --help' and so on tell more.\n");
  return help ? 0 : 2;
}
