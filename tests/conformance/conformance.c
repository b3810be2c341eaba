/* SPDX-License-Identifier: Apache-2.0 */
/* Runs ONNX's operator tests and whole architectures through import and every backend, and prints
 * which pass and which are listed with a reason.  Anything else that does not pass is a failure.
 * Needs the folder of test data that EE_TEST_DATA names; exits with 77 without it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ee/backend.h"
#include "light_cases.h"
#include "node_cases.h"
#include "tally.h"

#define EXIT_SKIPPED 77
#define NODE_TESTS "onnx-node-tests/node-tests-selected.tar.gz"
#define LIGHT_MODELS "onnx-node-tests/light"

static int only_tests(const struct dirent *entry) {
  return strncmp(entry->d_name, "test_", 5) == 0;
}

/* Run every test below @p folder on @p backend; returns the number of failures. */
static int run_node_tests(const char *folder, const char *backend) {
  struct dirent **entry;
  int             n = scandir(folder, &entry, only_tests, alphasort), failures = 0;
  tally           t = {0};
  for (int i = 0; i < n; i++) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
    node_result result = run_node_case(path, entry[i]->d_name, backend);
    tally_add(&t, entry[i]->d_name, &result);
    failures += result.outcome.verdict == FAILED;
    free(entry[i]);
  }
  if (n > 0) free(entry);
  printf(
      "\n%s: %d operator tests%s\n", backend, n,
      strcmp(backend, "int8") == 0 ? ", without scales, so that all fall to the next backend" : "");
  tally_print(&t);
  return failures + (n < 1);
}

/* Unpack the archive into a fresh folder; false if that fails. */
static bool unpack(const char *archive, char *folder) {
  if (mkdtemp(folder) == NULL) return false;
  setenv("EE_ARCHIVE", archive, 1);
  setenv("EE_FOLDER", folder, 1);
  return system("tar -xzf \"$EE_ARCHIVE\" -C \"$EE_FOLDER\"") == 0;
}

int main(void) {
  const char *data = getenv("EE_TEST_DATA");
  char        archive[1024], light[1024], nodes[128], folder[64] = "/tmp/ee-conformance-XXXXXX";
  struct stat info;
  snprintf(archive, sizeof archive, "%s/%s", data != NULL ? data : ".", NODE_TESTS);
  snprintf(light, sizeof light, "%s/%s", data != NULL ? data : ".", LIGHT_MODELS);
  if (data == NULL || stat(archive, &info) != 0) {
    printf("SKIPPED: EE_TEST_DATA names no folder with %s\n", NODE_TESTS);
    return EXIT_SKIPPED;
  }
  if (!unpack(archive, folder)) {
    printf("FAILED: %s cannot be unpacked\n", archive);
    return EXIT_FAILURE;
  }
  snprintf(nodes, sizeof nodes, "%s/node", folder);
  int failures = 0;
  for (const char *const *backend = ee_backend_names(); *backend != NULL; backend++)
    failures += run_node_tests(nodes, *backend);
  failures += run_light_models(light, ee_backend_names()[0]);
  if (system("rm -rf \"$EE_FOLDER\"") != 0) printf("%s could not be removed\n", folder);
  printf("\n%d failures\n", failures);
  return failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
