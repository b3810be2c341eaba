/* SPDX-License-Identifier: Apache-2.0 */
/* Memory on large pages, so that streaming through weights does not wait for page tables. */
#define _DEFAULT_SOURCE  // madvise()
#include "memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LINE ((size_t)64)
#define LARGE_PAGE ((size_t)2 * 1024 * 1024)

void *ee_memory_take(size_t bytes) {
  void *memory = NULL;
  bool  large  = bytes >= LARGE_PAGE;
  if (bytes == 0) bytes = LINE;
  if (posix_memalign(&memory, large ? LARGE_PAGE : LINE, bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);  // a wish only
#endif
  return memory;
}
