/* SPDX-License-Identifier: Apache-2.0 */
#include "link_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy_loss.h"
#include "ee/exits_file.h"
#include "exit_match.h"
#include "same_file.h"

ee_link_options ee_link_options_none(void) {
  return (ee_link_options){.values = "f32", .max_loss = NAN};
}

ee_option ee_link_values_option(ee_link_options *o) {
  ee_option row = {.name = "link-values", .kind = EE_OPTION_TEXT, .value = "f32|f16|int8|auto"};
  row.target    = &o->values;
  row.help      = "of values between stages, or what the plan is faster by; default f32";
  return row;
}

ee_option ee_link_loss_option(ee_link_options *o) {
  return (ee_option){.name   = "max-accuracy-loss",
                     .kind   = EE_OPTION_DOUBLE,
                     .target = &o->max_loss,
                     .value  = "X",
                     .help   = "auto may take int8 on links that lose at most X together",
                     .high   = 1};
}

ee_option ee_link_tables_option(ee_link_options *o) {
  const char *help = "what int8 loses: tables scored with it at one cut each";
  return (ee_option){"exits-int8", 0, EE_OPTION_TEXT, &o->int8, "A.h5,B.h5,...", help, 0, 0};
}

/* Whether one of the items of "A,B,..." is empty. */
static bool has_gap(const char *list) {
  size_t n = strlen(list);
  return n == 0 || list[0] == ',' || list[n - 1] == ',' || strstr(list, ",,") != NULL;
}

ee_status ee_link_options_check(const ee_link_options *o, const char *exits, double max_period) {
  bool automatic = strcmp(o->values, "auto") == 0;
  int  values    = ee_link_values_by_name(o->values);
  if (!automatic && values < 0) {
    return EE_FAIL(EE_ERR_USAGE, "--link-values is %s; expected f32, f16, int8 or auto", o->values);
  }
  if (automatic && max_period > 0.0) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--link-values auto makes the period short; with --max-period it must be f32, "
                   "f16 or int8");
  }
  if (o->int8 != NULL && exits == NULL) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--exits-int8 needs --exits, the table whose values were not rounded");
  }
  if (o->int8 != NULL && !automatic && values != EE_LINK_I8) {
    return EE_FAIL(EE_ERR_USAGE, "--exits-int8 is for --link-values auto or int8, not for %s",
                   o->values);
  }
  if (o->int8 != NULL && has_gap(o->int8)) {
    return EE_FAIL(EE_ERR_USAGE, "--exits-int8 is %s; a path is missing beside a comma", o->int8);
  }
  if (!isnan(o->max_loss) && (!automatic || o->int8 == NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--max-accuracy-loss needs --link-values auto, and --exits-int8, which tells "
                   "what int8 loses at a cut");
  }
  if (automatic && o->int8 != NULL && isnan(o->max_loss)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--link-values auto takes int8 only with --max-accuracy-loss X; "
                   "--exits-int8 alone decides nothing");
  }
  return EE_OK;
}

/* The one cut at which the table of @p path was scored with 8 bits. */
static ee_status cut_of(const char *path, const ee_model *model, int *cut) {
  ee_exits_file *file;
  EE_TRY(ee_exits_open(path, &file));
  const ee_exits_info *info   = ee_exits_file_info(file);
  ee_status            status = EE_OK;
  if (strcmp(info->link_values, ee_link_values_name(EE_LINK_I8)) != 0 || info->n_link_cuts != 1) {
    status = EE_FAIL(EE_ERR_ARG,
                     "%s was not scored with int8 at one cut; 'edgeexit score --link-values int8 "
                     "--cuts C' makes such a table",
                     path);
  } else if (info->n_layers != model->n_layers) {
    status = EE_FAIL(EE_ERR_ARG, "%s is of a network of %d layers, model %s has %d", path,
                     info->n_layers, model->name, model->n_layers);
  } else {
    *cut = info->link_cuts[0];
  }
  ee_exits_close(&file);
  return status;
}

/* The table without rounding, and what a policy makes of it. */
typedef struct exact {
  const char     *path, *policy;
  const ee_model *model;
  ee_exit_table  *table;
  double          accuracy;
  double         *loss;  // of each cut, to be filled in
} exact;

/* What the table of @p path says, to its place in the losses. */
static ee_status add_loss(const char *path, void *context) {
  exact            *x       = context;
  ee_replay_options options = ee_replay_defaults();
  double            accuracy;
  int               cut = 0;
  EE_TRY(cut_of(path, x->model, &cut));
  EE_TRY(ee_match_networks(path, x->path));
  if (!isnan(x->loss[cut])) {
    return EE_FAIL(EE_ERR_ARG, "%s is the second table of --exits-int8 of cut %d", path, cut);
  }
  EE_TRY(ee_accuracy_of_other(x->table, x->path, path, x->policy, &options, 1, &accuracy));
  x->loss[cut] = x->accuracy - accuracy;
  return EE_OK;
}

/* What is to be done with one table of the list. */
typedef ee_status (*table_action)(const char *path, void *context);

/* Do it with each table of --exits-int8. */
static ee_status for_each_table(const ee_link_options *o, table_action act, void *context) {
  char *list = strdup(o->int8);
  if (list == NULL) return EE_FAIL(EE_ERR_NOMEM, "for --exits-int8");
  ee_status status = EE_OK;
  char     *rest   = NULL;
  for (char *path = strtok_r(list, ",", &rest); path != NULL && status == EE_OK;
       path       = strtok_r(NULL, ",", &rest)) {
    status = act(path, context);
  }
  free(list);
  return status;
}

static ee_status refuse_table(const char *path, void *out) {
  return ee_refuse_same_file(path, (const char *)out);
}

ee_status ee_link_options_refuse_same_file(const ee_link_options *o, const char *out) {
  return o->int8 == NULL || out == NULL ? EE_OK : for_each_table(o, refuse_table, (void *)out);
}

static ee_status read_losses(const ee_link_options *o, exact *x) {
  ee_replay_options options = ee_replay_defaults();
  EE_TRY(ee_exits_load(x->path, &x->table));
  EE_TRY(ee_match_exits(x->path, x->table->n_exits, x->table->n_classes, x->model));
  EE_TRY(ee_accuracy_of(x->table, x->path, x->policy, &options, 1, &x->accuracy));
  return for_each_table(o, add_loss, x);
}

ee_status ee_link_losses(const ee_link_options *o, const char *exits, const char *policy,
                         const ee_model *model, double **loss) {
  size_t cuts = (size_t)model->n_layers + 1;
  *loss       = NULL;
  if (o->int8 == NULL) return EE_OK;
  *loss = calloc(cuts, sizeof **loss);
  if (*loss == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu cuts", cuts);
  for (size_t c = 0; c < cuts; c++) (*loss)[c] = NAN;
  exact     x      = {.path = exits, .policy = policy, .model = model, .loss = *loss};
  ee_status status = read_losses(o, &x);
  ee_exit_table_destroy(&x.table);
  if (status == EE_OK) return EE_OK;
  free(*loss);
  *loss = NULL;
  return status;
}

ee_status ee_link_options_apply(const ee_link_options *o, const double *loss, int n_devices,
                                ee_link_wish *wish, ee_run_setup *setup, ee_link_choice *choice) {
  int asked          = ee_link_values_by_name(o->values);
  *choice            = (ee_link_choice){.values = EE_LINK_F32};
  wish->loss         = loss;
  wish->max_loss     = isnan(o->max_loss) ? 0.0 : o->max_loss;
  setup->link_values = asked >= 0 ? (ee_link_values)asked : EE_LINK_F32;
  setup->int8_at     = NULL;
  if (asked >= 0) return EE_OK;
  EE_TRY(ee_link_values_choose(setup, n_devices, wish, choice));
  setup->link_values = choice->values;
  setup->int8_at     = choice->int8_at;
  return EE_OK;
}
