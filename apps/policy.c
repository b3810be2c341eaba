/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit policy: an exit policy replayed on an exit table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "accuracy_loss.h"
#include "command.h"
#include "ee/exits_file.h"
#include "json.h"
#include "output_path.h"
#include "policy_options.h"
#include "policy_print.h"
#include "policy_search.h"
#include "policy_sweep.h"
#include "same_file.h"

static void print_policies(void) {
  for (const ee_policy_ops *const *ops = ee_policies(); *ops != NULL; ops++) {
    printf("%s\n  ", (*ops)->name);
    for (const char *c = (*ops)->help; *c != '\0'; c++) {
      putchar(*c);
      if (*c == '\n') printf("  ");
    }
    printf("\n");
  }
}

static ee_status say_infeasible(const char *text, const ee_replay_result *r) {
  return EE_FAIL(
      EE_ERR_ARG,
      "policy %.300s: what it asks for cannot be had on this table; the best that can be "
      "had is accuracy %g at %g FLOP",
      text, r->figure[EE_FIGURE_ACCURACY], r->figure[EE_FIGURE_FLOPS]);
}

/* What is lost against the table of --against, if there is one: *loss is NaN without. */
static ee_status compare(const ee_policy_options *o, const ee_exit_table *table, double accuracy,
                         double *loss) {
  double against;
  *loss = NAN;
  if (o->against == NULL) return EE_OK;
  EE_TRY(
      ee_accuracy_of_other(table, o->exits, o->against, o->policy, &o->replay, o->seeds, &against));
  *loss = against - accuracy;
  return EE_OK;
}

static ee_status replay_one(const ee_policy_options *o, const ee_exit_table *table) {
  ee_replay_result mean, deviation;
  double           loss;
  EE_TRY(ee_replay_seeds(table, o->policy, &o->replay, o->seeds, &mean, &deviation));
  ee_status status = compare(o, table, mean.figure[EE_FIGURE_ACCURACY], &loss);
  if (status == EE_OK && o->out != NULL) status = ee_policy_write_one(o, &mean, &deviation);
  if (status == EE_OK && o->json) {
    cJSON *all = cJSON_CreateObject();
    cJSON_AddStringToObject(all, "policy", o->policy);
    ee_policy_add_json(all, &mean, &deviation, o->seeds);
    if (o->against != NULL) ee_policy_add_number(all, "accuracy_loss", loss);
    status = ee_json_print(all);
  } else if (status == EE_OK) {
    ee_policy_print(&mean, &deviation, o->seeds);
    if (o->against != NULL) printf("%-20s %12.6g\n", "accuracy_loss", loss);
  }
  if (status == EE_OK && !mean.feasible) status = say_infeasible(o->policy, &mean);
  ee_replay_clear(&mean);
  ee_replay_clear(&deviation);
  return status;
}

static ee_status policy(const ee_policy_options *o) {
  ee_exit_table *table = NULL;
  if (o->exits == NULL) return EE_FAIL(EE_ERR_USAGE, "an exit table, EXITS.h5, is missing");
  EE_TRY(ee_refuse_same_file(o->exits, o->out));
  EE_TRY(ee_check_output(o->out));
  EE_TRY(ee_exits_load(o->exits, &table));
  ee_status status = o->search                 ? ee_policy_search(o, table)
                     : o->sweep.key[0] != '\0' ? ee_policy_run_sweep(o, table)
                                               : replay_one(o, table);
  ee_exit_table_destroy(&table);
  return status;
}

int ee_app_policy(int argc, char **argv) {
  ee_policy_options o;
  int               code;
  if (!ee_policy_options_parse(argc, argv, &o, &code)) return code;
  if (o.policy != NULL && strcmp(o.policy, "help") == 0) {
    print_policies();
    return ee_app_finish(EE_OK);
  }
  ee_status status = policy(&o);
  ee_offload_costs_free(&o.offload);
  return ee_app_finish(status);
}
