/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit tune: finds the fastest method of each layer on this host, and stores it in the model.
 */
#include "tune.h"

#include "command.h"
#include "output_path.h"
#include "passes.h"
#include "tuned.h"
#include "winograd.h"

#define BATCH 8      // as in run and profile
#define SECONDS 4.0  // of a comparison
typedef struct tune_options {
  const char *model, *out;
  int         batch;
  double      seconds;
  bool        all, json;
} tune_options;

static ee_status tune(const tune_options *o) {
  ee_model *model = NULL;
  ee_tune   found = {0};
  EE_TRY(ee_check_output(o->out));
  EE_TRY(ee_model_load(o->model, &model));
  ee_insist_on_tuned();
  ee_status status = ee_tune_model(model, o->batch, o->seconds, &found);
  if (status == EE_OK) status = ee_model_save(model, o->out != NULL ? o->out : o->model);
  if (status == EE_OK) ee_warn_of_load(found.cpu_share, EE_STORED_UNDER_LOAD);
  if (status == EE_OK && o->json) status = ee_tune_print_json(&found);
  if (status == EE_OK && !o->json && o->all) ee_tune_print_table(&found);
  if (status == EE_OK && !o->json) ee_tune_print_text(&found);
  ee_tune_free(&found);
  ee_model_destroy(&model);
  return status;
}

int ee_app_tune(int argc, char **argv) {
  tune_options    o = {.batch = BATCH, .seconds = SECONDS};
  const char     *in[1];
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &o.out, "MODEL.h5", "default: the model file itself", 0, 0},
      {"batch", 'b', EE_OPTION_INT, &o.batch, "N", "samples per batch; default 8", 1, 65536},
      {"seconds", 's', EE_OPTION_DOUBLE, &o.seconds, "S",
       "of CPU time for each method that is compared, five rounds at least; default 4", 1e-3, 3600},
      {"all", 'a', EE_OPTION_FLAG, &o.all, NULL,
       "print what every method takes, in units of the time by rule, which has an asterisk", 0, 0},
      ee_winograd_option,
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {
      "edgeexit tune [options] MODEL.h5",
      "Measures which of the methods that compute convolutions and products is the fastest for "
      "each\n"
      "layer on one core of this host, in passes through the whole model, and stores the methods "
      "in\n"
      "the model, with what its layers then cost.  They count on processors of this name.",
      option,
      sizeof option / sizeof option[0],
      1,
      1};
  int n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  return ee_app_finish(tune(&o));
}
