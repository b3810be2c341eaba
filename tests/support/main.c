/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the facts of one test program; with EE_TEST_MPI on every rank, and sums their failures. */
#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef EE_TEST_MPI
#include <mpi.h>
#endif

#include "ee_test.h"

#define EXIT_SKIPPED 77

static int         skipped, this_skipped;
static char        folder[64];
static const char *running = "";

void ee_test_skip(const char *why) {
  printf("SKIPPED %s: %s\n", running, why);
  skipped += !this_skipped;
  this_skipped = 1;
}

const char *ee_test_data(const char *name) {
  static char path[1024];
  const char *root = getenv("EE_TEST_DATA");
  struct stat info;
  if (root != NULL) snprintf(path, sizeof path, "%s/%s", root, name);
  if (root == NULL || stat(path, &info) != 0) {
    ee_test_skip(root == NULL ? "EE_TEST_DATA is not set" : "EE_TEST_DATA has no such file");
    return NULL;
  }
  return path;
}

const char *ee_test_path(const char *name) {
  static char path[8][256];
  static int  next;
  if (folder[0] == '\0') {
    snprintf(folder, sizeof folder, "/tmp/ee-test-XXXXXX");
    if (mkdtemp(folder) == NULL) abort();
  }
  char *result = path[next++ % 8];
  snprintf(result, sizeof path[0], "%s/%s", folder, name);
  return result;
}

static void remove_folder(void) {
  DIR *dir = folder[0] != '\0' ? opendir(folder) : NULL;
  if (dir == NULL) return;
  for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    unlink(path);
  }
  closedir(dir);
  rmdir(folder);
}

static void run_fact(const ee_fact *fact, CU_pSuite suite) {
  running       = fact->sentence;
  this_skipped  = 0;
  CU_pTest test = CU_add_test(suite, fact->sentence, fact->check);
  if (test == NULL) abort();
  CU_basic_run_test(suite, test);
}

static int total_over_ranks(int failures) {
#ifdef EE_TEST_MPI
  MPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
#endif
  return failures;
}

int main(int argc, char **argv) {
#ifdef EE_TEST_MPI
  MPI_Init(&argc, &argv);
#endif
  setvbuf(stdout, NULL, _IOLBF, 0);
  CU_initialize_registry();
  CU_basic_set_mode(CU_BRM_SILENT);
  CU_pSuite suite = CU_add_suite(argc > 0 ? argv[0] : "facts", NULL, NULL);

  int n = 0, failed = 0;
  for (const ee_fact *fact = ee_facts; fact->sentence != NULL; fact++, n++) {
    run_fact(fact, suite);
    int bad = CU_get_number_of_failures() > 0;
    if (bad) CU_basic_show_failures(CU_get_failure_list());
    printf("%s %s\n", bad ? "FAILED" : this_skipped ? "skipped" : "ok", fact->sentence);
    failed += bad;
  }
  CU_cleanup_registry();
  remove_folder();
  failed = total_over_ranks(failed);
#ifdef EE_TEST_MPI
  MPI_Finalize();
#endif
  if (failed > 0) return EXIT_FAILURE;
  return skipped == n ? EXIT_SKIPPED : EXIT_SUCCESS;
}
