/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in text, read whole and taken apart in place. */
#include "text_table.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_source.h"

#define FIRST_BYTES ((size_t)1 << 16)

/* Read all of @p source into *text, ended by zero, in doubling steps. */
static ee_status read_all(ee_byte_source *source, char **text, size_t *n) {
  size_t room = FIRST_BYTES, got;
  *n          = 0;
  *text       = NULL;
  do {
    if (*text != NULL) room *= 2;
    char *larger = room < SIZE_MAX / 4 ? realloc(*text, room + 1) : NULL;
    if (larger == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the text of %s", source->path);
    *text = larger;
    EE_TRY(ee_byte_source_take(source, *text + *n, room - *n, &got));
    *n += got;
  } while (*n == room);
  (*text)[*n] = '\0';
  if (memchr(*text, '\0', *n) == NULL) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s is no text: it holds a zero byte", source->path);
}

ee_status ee_text_read(const char *path, char **text, size_t *n) {
  ee_byte_source source;
  *text = NULL;
  EE_TRY(ee_byte_source_open(path, &source));
  ee_status status = read_all(&source, text, n);
  ee_byte_source_close(&source);
  if (status == EE_OK) return EE_OK;
  free(*text);
  *text = NULL;
  return status;
}

static ee_status read_file(const char *path, ee_text_table *t) {
  size_t n;
  EE_TRY(ee_text_read(path, &t->text, &n));
  t->next = t->text;
  t->end  = t->text + n;
  if (n >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0) t->next += 3;  // byte order mark
  return EE_OK;
}

static bool at_line_end(const char *p) {
  return *p == '\n' || (p[0] == '\r' && p[1] == '\n');
}

static void skip_empty_lines(ee_text_table *t) {
  while (t->next < t->end && at_line_end(t->next)) {
    t->next += *t->next == '\r' ? 2 : 1;
    t->next_line++;
  }
}

static ee_status fail_quote(const ee_text_table *t) {
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: a field in quotes does not end with one", t->path,
                 (long long)t->line);
}

/* Decode the quoted field at *from in place; *from is then behind its last quote, where *end, the
 * end of what was decoded, is to become zero. */
static ee_status unquote(ee_text_table *t, char **from, char **end) {
  char *to = *from, *p = *from + 1;
  for (;; p++) {
    if (p >= t->end) return fail_quote(t);
    if (*p == '"' && *++p != '"') break;
    t->next_line += *p == '\n';
    *to++ = *p;
  }
  *end  = to;
  *from = p;
  return *p == t->delimiter || at_line_end(p) || p >= t->end ? EE_OK : fail_quote(t);
}

/* Take the field at t->next, ended by zero; *last tells whether it ends its row. */
static ee_status take_field(ee_text_table *t, char **field, bool *last) {
  char *p = t->next, *end = p;
  *field = p;
  if (*p == '"') {
    EE_TRY(unquote(t, &p, &end));
  } else {
    while (p < t->end && *p != t->delimiter && !at_line_end(p)) p++;
    end = p;
  }
  *last = p >= t->end || *p != t->delimiter;
  if (p < t->end && *p == '\r') p++;
  t->next_line += p < t->end && *p == '\n';
  t->next = p < t->end ? p + 1 : p;
  *end    = '\0';
  return EE_OK;
}

/* The header decides the delimiter and the number of columns. */
static ee_status read_header(ee_text_table *t) {
  bool last = false;
  int  n    = 1;
  skip_empty_lines(t);
  t->line = t->next_line;
  if (t->next >= t->end) return EE_FAIL(EE_ERR_FORMAT, "%s is empty", t->path);

  size_t length = strcspn(t->next, "\n");
  t->delimiter  = memchr(t->next, '\t', length) != NULL ? '\t' : ',';
  for (size_t i = 0; i < length; i++) n += t->next[i] == t->delimiter;
  t->name  = calloc((size_t)n, sizeof *t->name);
  t->field = calloc((size_t)n, sizeof *t->field);
  if (t->name == NULL || t->field == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %d columns of %s", n, t->path);
  while (!last && t->n_columns < n) EE_TRY(take_field(t, &t->name[t->n_columns++], &last));
  if (last) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: a column's name goes over the end of the line", t->path,
                 (long long)t->line);
}

ee_status ee_text_open(const char *path, ee_text_table *table) {
  *table           = (ee_text_table){.path = path, .next_line = 1};
  ee_status status = read_file(path, table);
  if (status == EE_OK) status = read_header(table);
  if (status != EE_OK) ee_text_close(table);
  return status;
}

static ee_status fail_column(const ee_text_table *t, const char *name, size_t length, bool twice) {
  char   names[512] = "";
  size_t used       = 0;
  for (int i = 0; i < t->n_columns && used < sizeof names; i++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", i > 0 ? ", " : "",
                             t->name[i]);
  return EE_FAIL(EE_ERR_ARG, "%s:%lld: %s column '%.*s'; there are: %s", t->path,
                 (long long)t->line, twice ? "more than one" : "no", (int)length, name, names);
}

ee_status ee_text_column(const ee_text_table *table, const char *name, size_t length, int *column) {
  *column = -1;
  for (int i = 0; i < table->n_columns; i++) {
    if (strlen(table->name[i]) != length || memcmp(table->name[i], name, length) != 0) continue;
    if (*column >= 0) return fail_column(table, name, length, true);
    *column = i;
  }
  return *column >= 0 ? EE_OK : fail_column(table, name, length, false);
}

ee_status ee_text_row(ee_text_table *table, bool *more) {
  ee_text_table *t    = table;
  bool           last = false;
  skip_empty_lines(t);
  *more   = t->next < t->end;
  t->line = t->next_line;
  if (!*more) return EE_OK;
  int n = 0;
  while (!last && n < t->n_columns) EE_TRY(take_field(t, &t->field[n++], &last));
  if (last && n == t->n_columns) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: the row has %s than the %d fields of the header", t->path,
                 (long long)t->line, last ? "fewer" : "more", t->n_columns);
}

ee_status ee_text_number(const ee_text_table *table, int column, double *x) {
  const char *text = table->field[column];
  char       *end  = NULL;
  *x               = isspace((unsigned char)*text) ? NAN : strtod(text, &end);
  if (isfinite(*x) && end != text && *end == '\0') return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: column '%s' is '%.40s', expected a number", table->path,
                 (long long)table->line, table->name[column], text);
}

ee_status ee_text_integer(const ee_text_table *table, int column, int64_t low, int64_t high,
                          int64_t *x) {
  double value;
  EE_TRY(ee_text_number(table, column, &value));
  if (value == floor(value) && value >= (double)low && value <= (double)high) {
    *x = (int64_t)value;
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_FORMAT,
                 "%s:%lld: column '%s' is %s, expected a whole number from %lld to "
                 "%lld",
                 table->path, (long long)table->line, table->name[column], table->field[column],
                 (long long)low, (long long)high);
}

void ee_text_close(ee_text_table *table) {
  free(table->text);
  free(table->name);
  free(table->field);
  *table = (ee_text_table){0};
}
