/* SPDX-License-Identifier: Apache-2.0 */
#include "report_digest.h"

/* FNV-1a, and the last steps of splitmix64 so that sums of such numbers differ, too. */
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t n) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ byte[i]) * 0x100000001b3U;
  return hash;
}

static uint64_t spread(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27) * 0x94d049bb133111ebU;
  return x ^ x >> 31;
}

uint64_t ee_report_digest(const ee_trace_file *file) {
  int64_t          n, n_classes = ee_trace_file_header(file)->n_classes;
  const ee_answer *answer = ee_trace_file_answers(file, &n);
  uint64_t         sum    = 0;
  for (int64_t i = 0; i < n; i++) {
    const ee_answer *a      = &answer[i];
    const float     *logits = ee_trace_file_logits(file, i);
    uint64_t         hash   = add_bytes(0xcbf29ce484222325U, &a->id, sizeof a->id);
    hash                    = add_bytes(hash, &a->exit, sizeof a->exit);
    hash                    = add_bytes(hash, &a->prediction, sizeof a->prediction);
    hash                    = add_bytes(hash, &a->confidence, sizeof a->confidence);
    if (logits != NULL) hash = add_bytes(hash, logits, (size_t)n_classes * sizeof *logits);
    sum += spread(hash);
  }
  return sum;
}
