/* SPDX-License-Identifier: Apache-2.0 */
#include "provenance.h"

#include <stdlib.h>
#include <string.h>

char *ee_provenance_note(char *text, const char *start, const char *line) {
  const char *from = text != NULL ? text : "";
  char       *note = malloc(strlen(from) + strlen(line) + 2), *to = note;
  if (note == NULL) return NULL;
  while (*from != '\0') {
    size_t n = strcspn(from, "\n");
    if (n > 0 && strncmp(from, start, strlen(start)) != 0) {
      memcpy(to, from, n);
      to += n;
      *to++ = '\n';
    }
    from += from[n] == '\n' ? n + 1 : n;
  }
  strcpy(to, line);
  free(text);
  return note;
}
