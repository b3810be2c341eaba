/* SPDX-License-Identifier: Apache-2.0 */
#include "offload_network.h"

#include <math.h>
#include <stddef.h>

#include "ee/exits_file.h"
#include "ee/network_trace_file.h"

#define LATENCY 0.05  // [s]

static ee_status check(const ee_offload_network *n) {
  if (n->delays != NULL && n->bandwidth != NULL)
    return EE_FAIL(EE_ERR_USAGE, "--delay-trace and --bandwidth-trace are given; expected one");
  if (n->bandwidth == NULL && !isnan(n->bytes))
    return EE_FAIL(EE_ERR_USAGE, "--bytes is given, but no --bandwidth-trace that carries them");
  return EE_OK;
}

/* Bytes of one sample that go on behind exit @p last. */
static ee_status find_bytes(const char *exits, int last, double *bytes) {
  ee_exits_file *file;
  EE_TRY(ee_exits_open(exits, &file));
  const ee_exits_info *info = ee_exits_file_info(file);
  *bytes                    = info->cut_bytes[info->attach[last] + 1];
  ee_exits_close(&file);
  if (*bytes > 0.0) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE,
                 "%s does not say how many bytes a sample has behind exit %d; give "
                 "--bytes",
                 exits, last);
}

ee_status ee_offload_network_open(ee_offload_network *network, const char *exits, int last) {
  ee_offload_network *n = network;
  EE_TRY(check(n));
  if (isnan(n->latency)) n->latency = n->delays != NULL ? 0.0 : LATENCY;
  if (n->bandwidth != NULL && isnan(n->bytes)) EE_TRY(find_bytes(exits, last, &n->bytes));
  if (n->delays != NULL) return ee_network_delays_load(n->delays, &n->trace);
  if (n->bandwidth != NULL) return ee_network_bandwidth_load(n->bandwidth, &n->trace);
  return EE_OK;
}

void ee_offload_network_close(ee_offload_network *network) {
  ee_network_trace_free(&network->trace);
}
