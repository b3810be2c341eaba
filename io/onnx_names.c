/* SPDX-License-Identifier: Apache-2.0 */
/* Names to indices: an open hash table, so that a file of many names is read in linear time. */
#include "onnx_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *key) {  // FNV-1a
  uint64_t h = 14695981039346656037u;
  for (const char *c = key; *c != '\0'; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
  return h ^ h >> 32;
}

/* Where @p key stands, or the free place where it belongs. */
static size_t place(const onnx_names *names, const char *key) {
  size_t i = (size_t)hash(key) & (names->space - 1);
  while (names->key[i] != NULL && strcmp(names->key[i], key) != 0) i = (i + 1) & (names->space - 1);
  return i;
}

static ee_status grow(onnx_names *names) {
  onnx_names larger = {.space = names->space == 0 ? 64 : 2 * names->space, .used = names->used};
  larger.key        = calloc(larger.space, sizeof *larger.key);
  larger.index      = calloc(larger.space, sizeof *larger.index);
  if (larger.key == NULL || larger.index == NULL) {
    ee_onnx_names_free(&larger);
    return EE_FAIL(EE_ERR_NOMEM, "for %zu names", names->space);
  }
  for (size_t i = 0; i < names->space; i++) {
    if (names->key[i] == NULL) continue;
    size_t to        = place(&larger, names->key[i]);
    larger.key[to]   = names->key[i];
    larger.index[to] = names->index[i];
  }
  ee_onnx_names_free(names);
  *names = larger;
  return EE_OK;
}

ee_status ee_onnx_names_put(onnx_names *names, const char *key, int index) {
  if (2 * (names->used + 1) > names->space) EE_TRY(grow(names));
  size_t i = place(names, key);
  names->used += names->key[i] == NULL;
  names->key[i]   = key;
  names->index[i] = index;
  return EE_OK;
}

int ee_onnx_names_get(const onnx_names *names, const char *key) {
  if (names->space == 0) return -1;
  size_t i = place(names, key);
  return names->key[i] != NULL ? names->index[i] : -1;
}

void ee_onnx_names_free(onnx_names *names) {
  free(names->key);
  free(names->index);
  *names = (onnx_names){0};
}
