/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/options.h"
#include "ee/status.h"

/**
 * @file command.h
 * The subcommands of edgeexit.  Each gets argv with its own name first and returns the program's
 * exit code: 0 ok, 1 failed, 2 wrong usage.
 */
int ee_app_import(int argc, char **argv);
int ee_app_generate(int argc, char **argv);
int ee_app_info(int argc, char **argv);
int ee_app_bench(int argc, char **argv);
int ee_app_profile(int argc, char **argv);
int ee_app_tune(int argc, char **argv);
int ee_app_quantize(int argc, char **argv);
int ee_app_score(int argc, char **argv);
int ee_app_calibrate(int argc, char **argv);
int ee_app_policy(int argc, char **argv);
int ee_app_offload(int argc, char **argv);
int ee_app_threshold(int argc, char **argv);
int ee_app_plan(int argc, char **argv);
int ee_app_run(int argc, char **argv);
int ee_app_simulate(int argc, char **argv);
int ee_app_report(int argc, char **argv);

/** 0 for EE_OK, 2 for EE_ERR_USAGE, 130 for EE_ERR_INTERRUPTED, else 1. */
int ee_app_exit_code(ee_status status);

/** Print the recorded sentence of @p status on stderr; the exit code that belongs to it.  If what
 *  was printed on stdout did not get there, that is an error of its own. */
int ee_app_finish(ee_status status);

/**
 * Parse a command line.  On --help or an error *code is the exit code and the result is false.
 * @param[out] argument  shape [line->most]
 */
bool ee_app_parse(const ee_command_line *line, int argc, char **argv, const char **argument,
                  int *n_arguments, int *code);
