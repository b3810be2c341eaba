/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit generate: data, networks and samples for them, made by formula */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ee/model_file.h"
#include "ee/modulation.h"
#include "ee/random_network.h"
#include "random_input.h"
#include "same_file.h"

#define MOST_EXITS 64

static ee_status generate(const char *out, uint64_t n, uint64_t seed, const char *snr) {
  ee_snr_schedule schedule;
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o FILE.h5 is missing");
  EE_TRY(ee_snr_schedule_parse(snr, &schedule));
  EE_TRY(ee_generate_modulation(out, n, seed, &schedule));
  printf("%s: %llu frames\n", out, (unsigned long long)n);
  return EE_OK;
}

static int app_modulation(int argc, char **argv) {
  const char     *out = NULL, *snr = "-10:20";
  uint64_t        samples = 10000, seed = 1;
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "FILE.h5", "data file to write", 0, 0},
      {"samples", 'n', EE_OPTION_UINT64, &samples, "N", "frames; default 10000", 1, 1e9},
      {"seed", 0, EE_OPTION_UINT64, &seed, "S", "default 1", 0, 0},
      {"snr", 0, EE_OPTION_TEXT, &snr, "LO:HI",
       "signal-to-noise ratio in dB, drawn uniformly; or a schedule over the stream,"
       " 0=LO:HI,0.5=LO:HI,1=LO:HI; default -10:20",
       0, 0},
  };
  const ee_command_line line = {"edgeexit generate modulation [options] -o DATA.h5",
                                "Radio frames [2, 1, 128] of eleven modulations, by seed.",
                                option,
                                sizeof option / sizeof option[0],
                                0,
                                0};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, NULL, &n, &code)) return code;
  return ee_app_finish(generate(out, samples, seed, snr));
}

/* "4,8" to numbers; EE_ERR_USAGE unless it is such a list of at most MOST_EXITS. */
static ee_status parse_exits(const char *text, int *after, int *n) {
  *n = 0;
  for (const char *at = text; at != NULL && *at != '\0';) {
    char *end;
    long  block = strtol(at, &end, 10);
    if (end == at || (*end != ',' && *end != '\0') || strcmp(end, ",") == 0 || block < 1 ||
        block > INT_MAX || *n == MOST_EXITS) {
      return EE_FAIL(EE_ERR_USAGE, "--exits is %s; expected at most %d blocks A,B,...", text,
                     MOST_EXITS);
    }
    after[(*n)++] = (int)block;
    at            = *end == ',' ? end + 1 : end;
  }
  return EE_OK;
}

static ee_status make_network(const ee_random_network *network, const char *out) {
  ee_model *model = NULL;
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o MODEL.h5 is missing");
  EE_TRY(ee_random_network_make(network, &model));
  ee_status status = ee_model_save(model, out);
  if (status == EE_OK) {
    printf("%s: %d layers, %d exits, %d classes, random weights\n", out, model->n_layers,
           model->n_exits, model->n_classes);
  }
  ee_model_destroy(&model);
  return status;
}

static int app_network(int argc, char **argv) {
  const char       *out = NULL, *exits = NULL;
  int               after[MOST_EXITS], code, n;
  ee_random_network network  = {.blocks = 16, .after = after, .seed = 1};
  const ee_option   option[] = {
        {"output", 'o', EE_OPTION_TEXT, &out, "MODEL.h5", "model file to write", 0, 0},
        {"exits", 0, EE_OPTION_TEXT, &exits, "A,B,...", "early exits after these blocks, from 1", 0,
         0},
        {"blocks", 0, EE_OPTION_INT, &network.blocks, "N", "of plain and branches; default 16", 1,
         1e5},
        {"seed", 0, EE_OPTION_UINT64, &network.seed, "S", "of the weights; default 1", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit generate network [options] NAME -o MODEL.h5",
      "A network with random weights, where only its costs matter: resnet50, vgg16, bert "
      "(BERT-base\n"
      "on 128 ids), bert_tiny, plain, which is --blocks convolutions of 16 channels in a row, or\n"
      "branches, which is four small networks of --blocks blocks side by side.",
      option,
      sizeof option / sizeof option[0],
      1,
      1};
  if (!ee_app_parse(&line, argc, argv, &network.name, &n, &code)) return code;
  ee_status status = parse_exits(exits, after, &network.n_early);
  if (status == EE_OK) status = make_network(&network, out);
  return ee_app_finish(status);
}

static ee_status append_random(const ee_model *model, int samples, uint64_t seed,
                               ee_data_writer *writer) {
  ee_rng rng = ee_rng_at(seed, 0);
  void  *raw = calloc((size_t)ee_model_value_elements(model, model->input), sizeof(float));
  if (raw == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a sample of model %s", model->name);
  ee_status status = EE_OK;
  for (int i = 0; status == EE_OK && i < samples; i++) {
    ee_random_raw(model, 1, &rng, raw);
    status = ee_data_append(writer, 1, raw, NULL, NULL);
  }
  free(raw);
  return status;
}

static ee_status make_input(const char *path, int samples, uint64_t seed, const char *out) {
  ee_model       *model  = NULL;
  ee_data_writer *writer = NULL;
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o DATA.h5 is missing");
  EE_TRY(ee_refuse_same_file(path, out));
  EE_TRY(ee_model_load(path, &model));
  const ee_shape *in   = &model->value[model->input].shape;
  ee_data_info    info = {
         .type = ee_random_type(model), .dim = {1, 1, ee_shape_elements(in)}, .provenance = "random"};
  for (int i = 0; in->rank == 4 && i < 3; i++) info.dim[i] = in->dim[i + 1];
  ee_status status = ee_data_create(out, &info, NULL, &writer);
  if (status == EE_OK) {
    status           = append_random(model, samples, seed, writer);
    ee_status closed = ee_data_finish(&writer, status == EE_OK);
    if (status == EE_OK) status = closed;
  }
  if (status == EE_OK) printf("%s: %d samples for %s\n", out, samples, model->name);
  ee_model_destroy(&model);
  return status;
}

static int app_input(int argc, char **argv) {
  const char     *out      = NULL, *model;
  int             samples  = 16, code, n;
  uint64_t        seed     = 1;
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "DATA.h5", "data file to write", 0, 0},
      {"samples", 'n', EE_OPTION_INT, &samples, "N", "default 16", 1, 1e9},
      {"seed", 0, EE_OPTION_UINT64, &seed, "S", "default 1", 0, 0},
  };
  const ee_command_line line = {"edgeexit generate input [options] MODEL.h5 -o DATA.h5",
                                "Random samples that a model takes, without labels: bytes if it "
                                "preprocesses its input; else\n"
                                "numbers in [-1, 1), or ids of its tables.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                1};
  if (!ee_app_parse(&line, argc, argv, &model, &n, &code)) return code;
  return ee_app_finish(make_input(model, samples, seed, out));
}

int ee_app_generate(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "modulation") == 0) return app_modulation(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "network") == 0) return app_network(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "input") == 0) return app_input(argc - 1, argv + 1);
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  fprintf(
      help ? stdout : stderr,
      "usage: edgeexit generate modulation [options] -o DATA.h5\n       edgeexit generate "
      "network [options] NAME -o MODEL.h5\n       edgeexit generate input [options] MODEL.h5 -o "
      "DATA.h5\n");
  return help ? 0 : 2;
}
