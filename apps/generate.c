/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit generate modulation */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "ee/modulation.h"

static ee_status generate(const char *out, uint64_t n, uint64_t seed, const char *snr) {
  ee_snr_schedule schedule;
  if (out == NULL) return EE_FAIL(EE_ERR_USAGE, "-o FILE.h5 is missing");
  EE_TRY(ee_snr_schedule_parse(snr, &schedule));
  EE_TRY(ee_generate_modulation(out, n, seed, &schedule));
  printf("%s: %llu frames\n", out, (unsigned long long)n);
  return EE_OK;
}

static int app_modulation(int argc, char **argv) {
  const char     *out = NULL, *snr = "-10:20";
  uint64_t        samples = 10000, seed = 1;
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &out, "FILE.h5", "data file to write", 0, 0},
      {"samples", 'n', EE_OPTION_UINT64, &samples, "N", "frames; default 10000", 1, 1e9},
      {"seed", 0, EE_OPTION_UINT64, &seed, "S", "default 1", 0, 0},
      {"snr", 0, EE_OPTION_TEXT, &snr, "LO:HI",
       "signal-to-noise ratio in dB, drawn uniformly; or a schedule over the stream,"
       " 0=LO:HI,0.5=LO:HI,1=LO:HI; default -10:20",
       0, 0},
  };
  const ee_command_line line = {"edgeexit generate modulation [options] -o DATA.h5",
                                "Radio frames [2, 1, 128] of eleven modulations, by seed.",
                                option,
                                sizeof option / sizeof option[0],
                                0,
                                0};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, NULL, &n, &code)) return code;
  return ee_app_finish(generate(out, samples, seed, snr));
}

int ee_app_generate(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "modulation") == 0) return app_modulation(argc - 1, argv + 1);
  bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
  fprintf(help ? stdout : stderr, "usage: edgeexit generate modulation [options] -o DATA.h5\n");
  return help ? 0 : 2;
}
