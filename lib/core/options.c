/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 64
#define HELP_VALUE 1000  // getopt's value for --help; an option's value is its index

void ee_options_help(FILE *out, const ee_command_line *line) {
  fprintf(out, "usage: %s\n\n%s\n\noptions:\n", line->usage, line->summary);
  for (int i = 0; i < line->n_options; i++) {
    const ee_option *o = &line->option[i];
    char             left[80], letter[8] = "    ";
    if (o->letter != 0) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "",
             o->value != NULL ? o->value : "");
    fprintf(out, "  %-28s  %s\n", left, o->help);
  }
  fprintf(out, "      --help                    print this help\n");
}

static bool in_range(const ee_option *o, double x) {
  if (o->low == 0.0 && o->high == 0.0) return true;
  return x >= o->low && x <= o->high;
}

static ee_status bad_number(const ee_option *o, const char *text, const char *what) {
  if (o->low == 0.0 && o->high == 0.0) {
    return EE_FAIL(EE_ERR_USAGE, "--%s is %s; expected %s", o->name, text, what);
  }
  return EE_FAIL(EE_ERR_USAGE, "--%s is %s; expected %s from %g to %g", o->name, text, what, o->low,
                 o->high);
}

static ee_status set_uint64(const ee_option *o, const char *text) {
  char *end;
  errno                = 0;
  unsigned long long x = strtoull(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || strchr(text, '-') != NULL ||
      !in_range(o, (double)x)) {
    bool any = o->low == 0.0 && o->high == 0.0;
    return bad_number(o, text, any ? "a whole number, 0 or more" : "a whole number");
  }
  *(uint64_t *)o->target = x;
  return EE_OK;
}

static ee_status set_number(const ee_option *o, const char *text) {
  char *end;
  errno = 0;
  if (o->kind == EE_OPTION_DOUBLE) {
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(x) || !in_range(o, x)) {
      return bad_number(o, text, "a number");
    }
    *(double *)o->target = x;
    return EE_OK;
  }
  if (o->kind == EE_OPTION_UINT64) return set_uint64(o, text);
  long long x = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || !in_range(o, (double)x)) {
    return bad_number(o, text, "a whole number");
  }
  if (x > INT32_MAX || x < INT32_MIN) return bad_number(o, text, "a smaller whole number");
  *(int *)o->target = (int)x;
  return EE_OK;
}

static ee_status set_switch(const ee_option *o, const char *text) {
  bool on = strcmp(text, "on") == 0;
  if (!on && strcmp(text, "off") != 0) {
    return EE_FAIL(EE_ERR_USAGE, "--%s is %s; expected on or off", o->name, text);
  }
  *(bool *)o->target = on;
  return EE_OK;
}

static ee_status set_option(const ee_option *o, const char *text) {
  switch (o->kind) {
    case EE_OPTION_FLAG:
      *(bool *)o->target = true;
      return EE_OK;
    case EE_OPTION_TEXT:
      if (text[0] == '\0') {
        return EE_FAIL(EE_ERR_USAGE, "--%s is empty; expected %s", o->name, o->value);
      }
      *(const char **)o->target = text;
      return EE_OK;
    case EE_OPTION_SWITCH:
      return set_switch(o, text);
    default:
      return set_number(o, text);
  }
}

/* getopt's tables; a short option's value is found again by its letter. */
static void fill_tables(const ee_command_line *line, struct option *names, char *letters) {
  *letters++ = ':';  // tell a missing value from an unknown option
  for (int i = 0; i < line->n_options; i++) {
    const ee_option *o         = &line->option[i];
    int              has_value = o->kind != EE_OPTION_FLAG;
    names[i] = (struct option){.name = o->name, .has_arg = has_value, .val = i + HELP_VALUE + 1};
    if (o->letter == 0) continue;
    *letters++ = o->letter;
    if (has_value) *letters++ = ':';
  }
  *letters                   = '\0';
  names[line->n_options]     = (struct option){.name = "help", .val = HELP_VALUE};
  names[line->n_options + 1] = (struct option){0};
}

static const ee_option *find_option(const ee_command_line *line, int value) {
  if (value > HELP_VALUE) return &line->option[value - HELP_VALUE - 1];
  for (int i = 0; i < line->n_options; i++) {
    if (line->option[i].letter != 0 && line->option[i].letter == value) return &line->option[i];
  }
  return NULL;
}

static ee_status take_arguments(const ee_command_line *line, int argc, char **argv,
                                const char **argument, int *n_arguments) {
  int n = argc - optind;
  if (n < line->least || n > line->most) {
    return EE_FAIL(EE_ERR_USAGE, "%s arguments; usage: %s",
                   n < line->least ? "too few" : "too many", line->usage);
  }
  for (int i = 0; i < n; i++) argument[i] = argv[optind + i];
  *n_arguments = n;
  return EE_OK;
}

ee_status ee_options_parse(const ee_command_line *line, int argc, char **argv,
                           const char **argument, int *n_arguments, bool *help) {
  struct option names[MAX_OPTIONS + 2];
  char          letters[2 * MAX_OPTIONS + 2];
  *help = false;
  if (line->n_options > MAX_OPTIONS)
    return EE_FAIL(EE_ERR_ARG, "more than %d options", MAX_OPTIONS);
  fill_tables(line, names, letters);

  optind = 1;
  opterr = 0;
  for (;;) {
    int value = getopt_long(argc, argv, letters, names, NULL);
    if (value == -1) break;
    if (value == HELP_VALUE) {
      ee_options_help(stdout, line);
      *help = true;
      return EE_OK;
    }
    if (value == '?') {
      return EE_FAIL(EE_ERR_USAGE, "%s is no option here; try --help", argv[optind - 1]);
    }
    if (value == ':') {
      return EE_FAIL(EE_ERR_USAGE, "%s needs a value; try --help", argv[optind - 1]);
    }
    EE_TRY(set_option(find_option(line, value), optarg));
  }
  return take_arguments(line, argc, argv, argument, n_arguments);
}

bool ee_options_given(const ee_command_line *line, int argc, char **argv, const char *name) {
  struct option names[MAX_OPTIONS + 2];
  char          letters[2 * MAX_OPTIONS + 2];
  if (line->n_options > MAX_OPTIONS) return false;
  fill_tables(line, names, letters);
  optind     = 1;
  opterr     = 0;
  bool given = false;
  for (int value; (value = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
    const ee_option *option = find_option(line, value);
    given |= option != NULL && strcmp(option->name, name) == 0;
  }
  return given;
}
