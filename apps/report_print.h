/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>

#include "report_data.h"

/**
 * @file report_print.h
 * A report for people and for programs.
 */

/** Print tables to @p out. */
void ee_report_print_text(FILE *out, const ee_report_input *input, const ee_report *report);

/** Print one JSON object and a newline to @p out.  What is not known is null.
 *  EE_OK; EE_ERR_NOMEM. */
ee_status ee_report_print_json(FILE *out, const ee_report_input *input, const ee_report *report);

/** Print a row of a table: name, answers, their share of @p answered, accuracy. */
void ee_report_print_row(FILE *out, const char *name, const ee_report_exit *e, int64_t answered);

/** @p part / @p whole; 0 if there is no whole. */
double ee_report_ratio(double part, double whole);

/** 1 - after / before: the share of a period that a move saves; NaN unless both are known. */
double ee_report_gain(double before, double after);
