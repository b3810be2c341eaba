/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "ee/status.h"

/**
 * @file yaml_reader.h
 * Reading a YAML document against a list of allowed keys, with errors that name file, line and
 * key.  Depth, anchors and size are bounded; aliases are followed.
 */

/** An open document. */
typedef struct ee_yaml {
  const char     *path;   // borrowed; of a text that stands alone, its name
  bool            alone;  // a text, not a file: files that it names are not looked for
  yaml_document_t document;
} ee_yaml;

/** Read the one document of the file at @p path; close it with ee_yaml_close() if EE_OK. */
ee_status ee_yaml_open(const char *path, ee_yaml *yaml);

/** The same from memory; @p name stands for the path in errors and is borrowed. */
ee_status ee_yaml_parse(const char *name, const char *text, ee_yaml *yaml);
void      ee_yaml_close(ee_yaml *yaml);

/** Longest place such as "links.pairs[3].bandwidth", with its ending zero [byte]. */
#define EE_YAML_PLACE 192

/** One key that a mapping may have. */
typedef struct ee_yaml_key {
  const char *name;
  /** Read @p node into @p target; @p place names the node in errors. */
  ee_status (*read)(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                    const struct ee_yaml_key *key, void *target);
  size_t      offset;    // of what read() writes in the mapping's struct
  bool        required;  // its absence is an error
  const void *detail;    // for read()
} ee_yaml_key;

/** Read a mapping into the struct at @p target.  @p key is ended by {NULL}.  */
ee_status ee_yaml_mapping(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                          const ee_yaml_key *key, void *target);

/** Check that @p node is a list; *n is its length. */
ee_status ee_yaml_list(const ee_yaml *yaml, const yaml_node_t *node, const char *place, size_t *n);

/** Item @p i of a list that ee_yaml_list() accepted. */
const yaml_node_t *ee_yaml_item(const ee_yaml *yaml, const yaml_node_t *list, size_t i);

/** Text of a scalar; NULL with an error recorded if it is none or holds a zero byte. */
const char *ee_yaml_text(const ee_yaml *yaml, const yaml_node_t *node, const char *place);

/** read() functions.  node: stores the const yaml_node_t * for later.  name: char[64], not empty.
 *  flag: bool. */
ee_status ee_yaml_read_node(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target);
ee_status ee_yaml_read_name(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target);
ee_status ee_yaml_read_flag(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                            const ee_yaml_key *key, void *target);

/** Record "path:line: place sentence" and return EE_ERR_FORMAT. */
ee_status ee_yaml_fail(const ee_yaml *yaml, const yaml_node_t *node, const char *place,
                       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
