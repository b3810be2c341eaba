/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit import exits: what exits said, from a text table to an exit table file. */
#include "import_exits.h"

#include <stdio.h>

#include "command.h"
#include "ee/exits_file.h"
#include "ee/import.h"
#include "output_path.h"
#include "same_file.h"

static ee_status check_columns(const ee_exits_columns *c, const char *out) {
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o EXITS.h5 is missing");
  if (c->prediction == NULL && c->probability == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--prediction is missing, the column with what an exit answered");
  }
  if (c->probability != NULL && c->n_classes == 0) {
    return EE_FAIL(EE_ERR_USAGE, "--probability needs --classes");
  }
  if (c->probability != NULL && (c->prediction != NULL || c->confidence != NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--probability is given; predictions and confidences follow from it");
  }
  if ((c->sample != NULL) != (c->exit != NULL)) {
    return EE_FAIL(EE_ERR_USAGE, "--sample and --exit go together, for a row per sample and exit");
  }
  return EE_OK;
}

static ee_status import_exits(const char *in, const ee_exits_columns *columns, const char *out) {
  ee_exit_table *table = NULL;
  EE_TRY(check_columns(columns, out));
  EE_TRY(ee_refuse_same_file(in, out));
  EE_TRY(ee_check_output(out));
  EE_TRY(ee_import_exits(in, columns, &table));
  ee_status status = ee_exits_save(out, table, in);
  if (status == EE_OK) {
    printf("%s: %lld samples, %d exits, %d classes, %s%s\n", out, (long long)table->n,
           table->n_exits, table->n_classes,
           table->probability != NULL  ? "with probabilities"
           : table->confidence != NULL ? "with confidences"
                                       : "predictions only",
           table->score != NULL ? ", with scores" : "");
  }
  ee_exit_table_destroy(&table);
  return status;
}

int ee_app_import_exits(int argc, char **argv) {
  ee_exits_columns c        = {0};
  const char      *out      = NULL, *in;
  const ee_option  option[] = {
       {"output", 'o', EE_OPTION_TEXT, &out, "EXITS.h5", "exit table to write", 0, 0},
       {"prediction", 0, EE_OPTION_TEXT, &c.prediction, "A,B,...", "columns of classes", 0, 0},
       {"confidence", 0, EE_OPTION_TEXT, &c.confidence, "A,B,...", "columns of confidences", 0, 0},
       {"probability", 0, EE_OPTION_TEXT, &c.probability, "A,B,...",
        "columns of every class instead, exit by exit; needs --classes", 0, 0},
       {"score", 0, EE_OPTION_TEXT, &c.score, "A,B,...", "columns of learned scores", 0, 0},
       {"label", 0, EE_OPTION_TEXT, &c.label, "A", "column of labels", 0, 0},
       {"sample", 0, EE_OPTION_TEXT, &c.sample, "A", "column of sample numbers (long form)", 0, 0},
       {"exit", 0, EE_OPTION_TEXT, &c.exit, "A", "column of exit numbers (long form)", 0, 0},
       {"layers", 0, EE_OPTION_TEXT, &c.layers, "A,B,...", "layers until each exit; 1,2,...", 0, 0},
       {"classes", 0, EE_OPTION_INT, &c.n_classes, "N", "default: as the file needs", 1, 1 << 24},
  };
  const ee_command_line line = {
      "edgeexit import exits [options] FILE --prediction COLUMNS -o EXITS.h5",
      "A table in CSV or TSV with a header line, plain or gzip.\n"
      "Wide, a row per sample:           --prediction A,B,... --confidence A,B,... --label L\n"
      "Long, a row per sample and exit:  --sample S --exit E --prediction A --confidence B "
      "--label L\n"
      "With --probability A,B,... --classes K each exit has K columns, which answers follow from.\n"
      "Without --confidence the table serves only policies that look at answers.",
      option,
      sizeof option / sizeof option[0],
      1,
      1};
  int n, code;
  if (!ee_app_parse(&line, argc, argv, &in, &n, &code)) return code;
  return ee_app_finish(import_exits(in, &c, out));
}
