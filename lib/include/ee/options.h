/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ee/status.h"

/**
 * @file options.h
 * Command lines: an option is a row of a table, bound to a variable.
 */

typedef enum ee_option_kind {
  EE_OPTION_FLAG,    // bool, set to true
  EE_OPTION_SWITCH,  // bool, "on" or "off"
  EE_OPTION_INT,     // int in [low, high]
  EE_OPTION_UINT64,  // uint64_t in [low, high]
  EE_OPTION_DOUBLE,  // double in [low, high]
  EE_OPTION_TEXT,    // const char *, borrowed from argv; not empty
} ee_option_kind;

typedef struct ee_option {
  const char    *name;    // long name without dashes
  char           letter;  // short name; 0: none
  ee_option_kind kind;
  void          *target;
  const char    *value;  // what stands for the value in --help; NULL for a flag
  const char    *help;
  double         low, high;  // numbers only; both 0: any number
} ee_option;

/** One command: what follows its name on the command line. */
typedef struct ee_command_line {
  const char      *usage;    // "edgeexit run [options] MODEL.h5 DATA.h5"
  const char      *summary;  // one or more sentences
  const ee_option *option;   // shape [n_options]
  int              n_options;
  int              least, most;  // number of arguments that are no options
} ee_command_line;

/**
 * Parse argv[1 .. argc).  --help prints the help on stdout and sets *help.
 * @param[out] argument    shape [most], borrowed from argv
 * @param[out] n_arguments how many there are
 * @return EE_OK; EE_ERR_USAGE with the option and what was expected
 */
ee_status ee_options_parse(const ee_command_line *line, int argc, char **argv,
                           const char **argument, int *n_arguments, bool *help);

/** Whether option @p name stands on a command line that ee_options_parse() took. */
bool ee_options_given(const ee_command_line *line, int argc, char **argv, const char *name);

/** Print usage, summary and a line per option. */
void ee_options_help(FILE *out, const ee_command_line *line);
