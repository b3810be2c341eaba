/* SPDX-License-Identifier: Apache-2.0 */
/* jumps SAMPLES SIGMAS STREAMS: how epochs of so many samples show a jump of so many standard
 * deviations of an epoch's share; one line for each way to notice it: share of the streams in which
 * it was seen, epochs until then, root mean square error of the shares.  SIGMAS 0: no jump, 200
 * epochs; else 40. */
#include <stdio.h>

#include "jump_stream.h"

int main(int argc, char **argv) {
  const char *name[] = {"none", "epoch", "sum", "both"};
  if (argc != 4) {
    fprintf(stderr, "usage: %s SAMPLES SIGMAS STREAMS\n", argv[0]);
    return 2;
  }
  int    samples = atoi(argv[1]), streams = atoi(argv[3]);
  double sigmas = atof(argv[2]);
  if (samples < 1 || streams < 1) return 2;
  for (int t = EE_JUMP_NONE; t <= EE_JUMP_BOTH; t++) {
    jump_result r =
        jump_try((ee_jump_test)t, samples, sigmas, sigmas > 0.0 ? JUMP_AFTER : JUMP_QUIET, streams);
    printf("%s %.4f %.2f %.4f\n", name[t], r.noticed, r.delay, r.error);
  }
  return 0;
}
