/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a YAML document against a list of allowed keys. */
#include "yaml_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regular_file.h"

#define NAME_BYTES 64  // of the names that ee_yaml_read_name() fills in
#define MAX_BYTES (16 << 20)
#define MAX_DEPTH 32
#define MAX_ANCHORS 1000

ee_status ee_yaml_fail(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                       const char *fmt, ...) {
  char    sentence[512];
  va_list args;
  va_start(args, fmt);
  vsnprintf(sentence, sizeof sentence, fmt, args);
  va_end(args);
  return EE_FAIL(EE_ERR_FORMAT, "%s:%zu: %s %s", yaml->path, node->start_mark.line + 1, place,
                 sentence);
}

static ee_status parser_failed(const char *path, const yaml_parser_t *parser) {
  if (parser->error == YAML_MEMORY_ERROR) return EE_FAIL(EE_ERR_NOMEM, "for reading %s", path);
  const char *problem = parser->problem != NULL ? parser->problem : "it is not YAML";
  return EE_FAIL(EE_ERR_FORMAT, "%s:%zu: %s", path, parser->problem_mark.line + 1, problem);
}

/* Note one event; false if the document is of a kind that makes libyaml slow without end. */
static bool within_bounds(const yaml_event_t *event, int *depth, int *anchors) {
  const yaml_char_t *anchor = NULL;
  switch (event->type) {
    case YAML_SEQUENCE_START_EVENT:
      anchor = event->data.sequence_start.anchor;
      ++*depth;
      break;
    case YAML_MAPPING_START_EVENT:
      anchor = event->data.mapping_start.anchor;
      ++*depth;
      break;
    case YAML_SCALAR_EVENT:
      anchor = event->data.scalar.anchor;
      break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      --*depth;
      break;
    default:
      break;
  }
  if (anchor != NULL) ++*anchors;
  return *depth <= MAX_DEPTH && *anchors <= MAX_ANCHORS;
}

/* Go through the whole file once without building anything: its time in libyaml grows with the
 * square of the depth and of the number of anchors.  A second document would silently be left out,
 * so it is refused too. */
static ee_status check_events(const char *path, yaml_parser_t *parser) {
  int  depth = 0, anchors = 0, documents = 0;
  bool more = true;
  while (more) {
    yaml_event_t event;
    if (!yaml_parser_parse(parser, &event)) return parser_failed(path, parser);
    size_t line   = event.start_mark.line + 1;
    bool   bounds = within_bounds(&event, &depth, &anchors);
    documents += event.type == YAML_DOCUMENT_START_EVENT;
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    if (!bounds) {
      return EE_FAIL(EE_ERR_FORMAT, "%s:%zu: more than %d levels or %d anchors", path, line,
                     MAX_DEPTH, MAX_ANCHORS);
    }
    if (documents > 1) {
      return EE_FAIL(EE_ERR_FORMAT, "%s:%zu: a second document begins; expected one", path, line);
    }
  }
  return documents == 1 ? EE_OK : EE_FAIL(EE_ERR_FORMAT, "%s:1: the file is empty", path);
}

static ee_status load_document(const char *path, yaml_parser_t *parser, yaml_document_t *document) {
  if (!yaml_parser_load(parser, document)) return parser_failed(path, parser);
  if (yaml_document_get_root_node(document) != NULL) return EE_OK;
  yaml_document_delete(document);
  return EE_FAIL(EE_ERR_FORMAT, "%s:1: the file is empty", path);
}

/* The first pass checks, the second builds the document. */
static ee_status parse(const char *path, const char *text, size_t n, yaml_document_t *document) {
  ee_status status = EE_OK;
  for (int pass = 0; pass < 2 && status == EE_OK; pass++) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return EE_FAIL(EE_ERR_NOMEM, "for reading %s", path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    status = pass == 0 ? check_events(path, &parser) : load_document(path, &parser, document);
    yaml_parser_delete(&parser);
  }
  return status;
}

static ee_status read_text(const char *path, int fd, char *text, size_t *n) {
  ssize_t got = 1;
  for (*n = 0; got > 0 && *n < MAX_BYTES; *n += (size_t)got) {
    got = read(fd, text + *n, MAX_BYTES - *n);
    if (got < 0) return EE_FAIL(EE_ERR_FILE, "cannot read %s: %s", path, strerror(errno));
  }
  if (*n < MAX_BYTES) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s has %d bytes or more, which is no file written by hand", path,
                 MAX_BYTES);
}

ee_status ee_yaml_open(const char *path, ee_yaml *yaml) {
  int    fd;
  size_t n = 0;
  *yaml    = (ee_yaml){.path = path};
  EE_TRY(ee_regular_file_open(path, &fd));
  char     *text = malloc(MAX_BYTES);
  ee_status status =
      text != NULL ? read_text(path, fd, text, &n) : EE_FAIL(EE_ERR_NOMEM, "for reading %s", path);
  close(fd);
  if (status == EE_OK) status = parse(path, text, n, &yaml->document);
  free(text);
  return status;
}

ee_status ee_yaml_parse(const char *name, const char *text, ee_yaml *yaml) {
  *yaml = (ee_yaml){.path = name, .alone = true};
  return parse(name, text, strlen(text), &yaml->document);
}

void ee_yaml_close(ee_yaml *yaml) {
  yaml_document_delete(&yaml->document);
}

/* libyaml's lookup takes no const document, although it only reads. */
static const yaml_node_t *node_at(const ee_yaml *yaml, yaml_node_item_t index) {
  return yaml_document_get_node((yaml_document_t *)&yaml->document, index);
}

const char *ee_yaml_text(const ee_yaml *yaml, const yaml_node_t *node, const char *place) {
  if (node->type != YAML_SCALAR_NODE) {
    ee_yaml_fail(yaml, node, place, "must be a single value, not a list or mapping");
    return NULL;
  }
  const char *text = (const char *)node->data.scalar.value;
  if (strlen(text) == node->data.scalar.length) return text;
  ee_yaml_fail(yaml, node, place, "holds a zero byte");
  return NULL;
}

ee_status ee_yaml_list(const ee_yaml *yaml, const yaml_node_t *node, const char *place, size_t *n) {
  if (node->type != YAML_SEQUENCE_NODE) return ee_yaml_fail(yaml, node, place, "must be a list");
  *n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
  return EE_OK;
}

const yaml_node_t *ee_yaml_item(const ee_yaml *yaml, const yaml_node_t *list, size_t i) {
  return node_at(yaml, list->data.sequence.items.start[i]);
}

/* "expected one of a, b, c" for a key that is none of them. */
static ee_status unknown_key(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                             const ee_yaml_key *key) {
  char   list[256] = "";
  size_t used      = 0;
  for (const ee_yaml_key *k = key; k->name != NULL && used < sizeof list; k++) {
    used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%s", k == key ? "" : ", ", k->name);
  }
  return ee_yaml_fail(yaml, node, place, "is not a key; expected one of %s", list);
}

static void join_place(char *joined, const char *place, const char *name) {
  snprintf(joined, EE_YAML_PLACE, "%s%s%s", place, place[0] != '\0' ? "." : "", name);
}

static ee_status read_pair(const ee_yaml *yaml, const yaml_node_pair_t *pair, const char *place,
                           const ee_yaml_key *key, void *target, uint32_t *seen) {
  const yaml_node_t *name_node = node_at(yaml, pair->key);
  const char *name = ee_yaml_text(yaml, name_node, place[0] != '\0' ? place : "a key of the file");
  if (name == NULL) return EE_ERR_FORMAT;

  char joined[EE_YAML_PLACE];
  join_place(joined, place, name);
  for (const ee_yaml_key *k = key; k->name != NULL; k++) {
    if (strcmp(k->name, name) != 0) continue;
    uint32_t bit = UINT32_C(1) << (k - key);
    if (*seen & bit) return ee_yaml_fail(yaml, name_node, joined, "is given twice");
    *seen |= bit;
    return k->read(yaml, node_at(yaml, pair->value), joined, k, (char *)target + k->offset);
  }
  return unknown_key(yaml, name_node, joined, key);
}

ee_status ee_yaml_mapping(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                          const ee_yaml_key *key, void *target) {
  const char *shown = place[0] != '\0' ? place : "the file";
  if (node->type != YAML_MAPPING_NODE) {
    return ee_yaml_fail(yaml, node, shown, "must be a mapping of keys to values");
  }
  uint32_t                seen  = 0;
  const yaml_node_pair_t *first = node->data.mapping.pairs.start;
  for (const yaml_node_pair_t *pair = first; pair < node->data.mapping.pairs.top; pair++) {
    EE_TRY(read_pair(yaml, pair, place, key, target, &seen));
  }
  for (const ee_yaml_key *k = key; k->name != NULL; k++) {
    if (!k->required || (seen & UINT32_C(1) << (k - key))) continue;
    return ee_yaml_fail(yaml, node, shown, "lacks the key %s", k->name);
  }
  return EE_OK;
}

ee_status ee_yaml_read_node(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target) {
  (void)yaml, (void)place, (void)key;
  *(const yaml_node_t **)target = node;
  return EE_OK;
}

ee_status ee_yaml_read_name(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target) {
  (void)key;
  const char *text = ee_yaml_text(yaml, node, place);
  if (text == NULL) return EE_ERR_FORMAT;
  size_t length = strlen(text);
  if (length == 0) return ee_yaml_fail(yaml, node, place, "is empty");
  if (length >= NAME_BYTES) {
    return ee_yaml_fail(yaml, node, place, "has %zu bytes; at most %d are allowed", length,
                        NAME_BYTES - 1);
  }
  memcpy(target, text, length + 1);
  return EE_OK;
}

ee_status ee_yaml_read_flag(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target) {
  (void)key;
  const char *text = ee_yaml_text(yaml, node, place);
  if (text == NULL) return EE_ERR_FORMAT;
  bool yes = strcmp(text, "true") == 0;
  if (!yes && strcmp(text, "false") != 0) {
    return ee_yaml_fail(yaml, node, place, "is '%.40s'; expected true or false", text);
  }
  *(bool *)target = yes;
  return EE_OK;
}
