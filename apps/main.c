/* SPDX-License-Identifier: Apache-2.0 */
/* The program edgeexit: finds the subcommand and hands over. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "launch.h"

static const struct subcommand {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *help;
} subcommands[] = {
    {"import", ee_app_import,
     "models, data and exit tables from other formats: onnx, cifar10, idx, exits"},
    {"generate", ee_app_generate, "data, networks and their input, made by formula"},
    {"info", ee_app_info, "what an .h5 file of ours holds"},
    {"bench", ee_app_bench, "how fast a model runs on one core, and what the core could do"},
    {"profile", ee_app_profile, "measure what every layer costs on this host"},
    {"tune", ee_app_tune, "find the fastest kernels of every layer on this host"},
    {"quantize", ee_app_quantize, "find the scales with which a model computes in 8 bits"},
    {"score", ee_app_score, "what every exit says of every sample: an exit table"},
    {"calibrate", ee_app_calibrate, "fit the temperature of every exit"},
    {"policy", ee_app_policy, "replay an exit policy on an exit table, or search thresholds"},
    {"threshold", ee_app_threshold, "the lowest threshold that keeps a promise on accuracy"},
    {"offload", ee_app_offload, "what a device may promise that offloads what it is not sure of"},
    {"plan", ee_app_plan, "which device should own which layers, and what it promises"},
    {"run", ee_app_run, "run a stream over devices, one MPI rank each"},
    {"simulate", ee_app_simulate, "run it on a simulated fleet, in the fleet's time (SimGrid)"},
    {"report", ee_app_report, "what a trace says"},
};

#define N_SUBCOMMANDS ((int)(sizeof subcommands / sizeof subcommands[0]))

static void print_help(FILE *out) {
  fprintf(out,
          "usage: edgeexit COMMAND [options] ...\n\n"
          "Early-exit neural networks over many edge devices.\n\ncommands:\n");
  for (int i = 0; i < N_SUBCOMMANDS; i++) {
    fprintf(out, "  %-10s  %s\n", subcommands[i].name, subcommands[i].help);
  }
  fprintf(out, "\n'edgeexit COMMAND --help' tells more; 'edgeexit --version' the version.\n");
}

int ee_app_exit_code(ee_status status) {
  if (status == EE_ERR_INTERRUPTED) return 130;  // as shells say of Ctrl-C
  return status == EE_OK ? 0 : status == EE_ERR_USAGE ? 2 : 1;
}

/* Whatever was printed must have come to where it was meant to go. */
static ee_status check_printed(void) {
  bool failed = fflush(stdout) != 0;
  if (!failed && !ferror(stdout)) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "standard output cannot be written: %s",
                 failed ? strerror(errno) : "what was printed is not complete");
}

int ee_app_finish(ee_status status) {
  if (status == EE_OK) status = check_printed();
  if (status != EE_OK) fprintf(stderr, "edgeexit: %s\n", ee_status_message());
  return ee_app_exit_code(status);
}

bool ee_app_parse(const ee_command_line *line, int argc, char **argv, const char **argument,
                  int *n_arguments, int *code) {
  bool help = false;
  *code     = ee_app_finish(ee_options_parse(line, argc, argv, argument, n_arguments, &help));
  return *code == 0 && !help;
}

/* A closed standard stream would lend its number to the next file that is opened, and what is
 * printed would go there.  These take its place, and cannot be written. */
static void fill_closed_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", O_RDONLY) != fd) return;
  }
}

int main(int argc, char **argv) {
  fill_closed_streams();
  if (argc > 0) ee_launch_remember(argv[0]);
  if (argc < 2) {
    print_help(stderr);
    return 2;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    print_help(stdout);
    return ee_app_finish(EE_OK);
  }
  if (strcmp(argv[1], "--version") == 0) {
    printf("edgeexit " EE_VERSION "\n");
    return ee_app_finish(EE_OK);
  }
  for (int i = 0; i < N_SUBCOMMANDS; i++) {
    if (strcmp(argv[1], subcommands[i].name) == 0) return subcommands[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "edgeexit: %s is no command; try edgeexit --help\n", argv[1]);
  return 2;
}
