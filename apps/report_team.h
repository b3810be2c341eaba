/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>
#include <stdio.h>

#include "report_data.h"

/** @file report_team.h  What is said of a team, in reports and at the end of a run. */

/** Who computes what at first, as `--branches` takes it, to @p text of @p size bytes (cut short if
 *  need be); return @p text. */
const char *ee_report_placement(const ee_trace_team *team, char *text, int size);

/** Tables of answers by the branches that they lacked; nothing if none lacked any, and of a
 *  chain, whose team is NULL. */
void ee_report_print_absences(FILE *out, const ee_trace_team *team, const ee_report *report);

/** How many lanes there are, where they were at first, and how often they moved: one line. */
void ee_report_print_lanes(FILE *out, const ee_trace_team *team, const ee_report *report);

/** The units of each device. */
void ee_report_print_units(FILE *out, const ee_trace_team *team, const ee_report *report);

/** Add `present` and `absences`, of branches: answers by how many came, and by which did not. */
void ee_report_add_absences(cJSON *to, const ee_trace_team *team, const ee_report *report);

/** Add all of it as `team`; null of a chain of devices. */
void ee_report_add_team(cJSON *all, const ee_trace_team *team, const ee_report *report);
