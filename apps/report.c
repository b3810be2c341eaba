/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit report: what a trace says, of a run that ended or of one that did not. */
#include <stdio.h>

#include "command.h"
#include "ee/fleet_file.h"
#include "ee/log.h"
#include "ee/trace_file.h"
#include "report_digest.h"
#include "report_print.h"

static ee_report_input input_of(const ee_trace_file *file) {
  ee_report_input input = {.header   = ee_trace_file_header(file),
                           .complete = ee_trace_file_complete(file) != 0};
  input.answer          = ee_trace_file_answers(file, &input.n_answers);
  input.event           = ee_trace_file_events(file, &input.n_events);
  input.epoch           = ee_trace_file_epochs(file, &input.n_epochs);
  input.complete        = input.complete && (uint64_t)input.n_answers == input.header->n_samples;
  input.digest          = ee_report_digest(file);
  return input;
}

/* The fleet as the run read it; a report does without it. */
static void read_fleet(const ee_trace_header *header, ee_fleet **fleet) {
  *fleet = NULL;
  if (header->fleet_text == NULL || header->fleet_text[0] == '\0') return;
  if (ee_fleet_parse("the fleet in the trace", header->fleet_text, fleet) != EE_OK) {
    ee_log(EE_LOG_WARNING, "%s; devices have no names", ee_status_message());
  }
}

static ee_status print_input(const ee_report_input *input, bool json) {
  ee_report report;
  EE_TRY(ee_report_make(input, &report));
  ee_status status = EE_OK;
  if (json) {
    status = ee_report_print_json(stdout, input, &report);
  } else {
    ee_report_print_text(stdout, input, &report);
  }
  ee_report_clear(&report);
  return status;
}

static ee_status print_report(const ee_trace_file *file, bool json) {
  ee_report_input input = input_of(file);
  ee_fleet       *fleet;
  read_fleet(input.header, &fleet);
  input.fleet      = fleet;
  ee_status status = print_input(&input, json);
  ee_fleet_destroy(&fleet);
  return status;
}

int ee_app_report(int argc, char **argv) {
  bool                  json     = false;
  const ee_option       option[] = {{.name   = "json",
                                     .kind   = EE_OPTION_FLAG,
                                     .target = &json,
                                     .help   = "print one JSON object, seconds and bytes"}};
  const ee_command_line line     = {.usage     = "edgeexit report [--json] TRACE.h5",
                                    .summary   = "What a trace says; the run may still go on.",
                                    .option    = option,
                                    .n_options = 1,
                                    .least     = 1,
                                    .most      = 1};
  const char           *path;
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, &path, &n, &code)) return code;

  ee_trace_file *file   = NULL;
  ee_status      status = ee_trace_open(path, &file);
  if (status == EE_OK) status = print_report(file, json);
  ee_trace_file_close(&file);
  return ee_app_finish(status);
}
