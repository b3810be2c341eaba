/* SPDX-License-Identifier: Apache-2.0 */
/* json_value PATH: prints one value of the JSON object on stdin.  PATH is keys and positions with
 * dots between them; a last "#" is the length of an array: plans.0.answers, plans.#. */
#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST ((size_t)1 << 24)  // [byte]

/* The item that `step` names in `at`; NULL if there is none. */
static const cJSON *go(const cJSON *at, const char *step) {
  if (cJSON_IsArray(at)) return cJSON_GetArrayItem(at, atoi(step));
  return cJSON_GetObjectItemCaseSensitive(at, step);
}

static int print(const cJSON *value) {
  if (cJSON_IsString(value)) return printf("%s\n", value->valuestring);
  char *text = cJSON_PrintUnformatted(value);
  if (text == NULL) return -1;
  int n = printf("%s\n", text);
  cJSON_free(text);
  return n;
}

static int print_at(const cJSON *all, char *path) {
  const cJSON *at = all;
  for (char *step = strtok(path, "."); step != NULL; step = strtok(NULL, ".")) {
    if (strcmp(step, "#") == 0 && cJSON_IsArray(at)) return printf("%d\n", cJSON_GetArraySize(at));
    at = go(at, step);
    if (at == NULL) {
      fprintf(stderr, "json_value: there is no %s\n", step);
      return -1;
    }
  }
  return print(at);
}

int main(int argc, char **argv) {
  char *text = calloc(LONGEST, 1);
  if (argc != 2 || text == NULL) {
    fprintf(stderr, "usage: json_value PATH < JSON\n");
    free(text);
    return 2;
  }
  size_t n   = fread(text, 1, LONGEST - 1, stdin);
  cJSON *all = cJSON_ParseWithLengthOpts(text, n + 1, NULL, 1);
  int    ok  = cJSON_IsObject(all) && print_at(all, argv[1]) >= 0;
  if (!cJSON_IsObject(all)) fprintf(stderr, "json_value: stdin is not one JSON object\n");
  cJSON_Delete(all);
  free(text);
  return !ok;
}
