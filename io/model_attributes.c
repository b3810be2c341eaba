/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of a node as text: "key=value key=value", every key of the operator, in order. */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_format.h"

#define MAX_INT (1 << 24)  // of anything: kernels, strides, pads

typedef enum {
  INTS,   // "3,3": as many as the node has dimensions
  FLAGS,  // "2,3": indices of the flags that are set
  INT,
  BOOL,
  FLOAT,
  LIMIT,  // a number that may be infinite
} field_kind;

typedef struct field {
  const char *key;
  field_kind  kind;
  size_t      offset;  // in ee_attributes
  int         low, high;
} field;

#define AT(member) offsetof(ee_attributes, member)

static const field conv_field[] = {
    {"kernel", INTS, AT(window.kernel), 1, MAX_INT},
    {"stride", INTS, AT(window.stride), 1, MAX_INT},
    {"dilation", INTS, AT(window.dilation), 1, MAX_INT},
    {"pad_before", INTS, AT(window.pad_before), 0, MAX_INT},
    {"pad_after", INTS, AT(window.pad_after), 0, MAX_INT},
    {"groups", INT, AT(window.groups), 0, MAX_INT},
    {"count_include_pad", BOOL, AT(window.count_include_pad), 0, 1},
    {"ceil_mode", BOOL, AT(window.ceil_mode), 0, 1},
    {.key = NULL},
};

static const field gemm_field[] = {
    {"alpha", FLOAT, AT(gemm.alpha), 0, 0},
    {"beta", FLOAT, AT(gemm.beta), 0, 0},
    {"trans_a", BOOL, AT(gemm.trans_a), 0, 1},
    {"trans_b", BOOL, AT(gemm.trans_b), 0, 1},
    {.key = NULL},
};

static const field batch_norm_field[] = {
    {"epsilon", FLOAT, AT(batch_norm.epsilon), 0, 0},
    {.key = NULL},
};

static const field along_field[] = {
    {"axis", INT, AT(along.axis), 0, EE_MAX_RANK - 1},
    {"flatten", BOOL, AT(along.flatten), 0, 1},
    {.key = NULL},
};

static const field transpose_field[] = {
    {"perm", INTS, AT(transpose.perm), 0, EE_MAX_RANK - 1},
    {.key = NULL},
};

static const field pad_field[] = {
    {"mode", INT, AT(pad.mode), 0, 3},
    {"before", INTS, AT(pad.before), -MAX_INT, MAX_INT},
    {"after", INTS, AT(pad.after), -MAX_INT, MAX_INT},
    {"value", LIMIT, AT(pad.value), 0, 0},
    {.key = NULL},
};

static const field reduce_field[] = {
    {"axes", FLAGS, AT(reduce.axis), 0, EE_MAX_RANK - 1},
    {.key = NULL},
};

static const field slice_field[] = {
    {"start", INTS, AT(slice.start), 0, MAX_INT},
    {"step", INTS, AT(slice.step), -MAX_INT, MAX_INT},
    {.key = NULL},
};

static const field gather_field[] = {
    {"axis", INT, AT(gather.axis), 0, EE_MAX_RANK - 1},
    {.key = NULL},
};

static const field layer_norm_field[] = {
    {"axis", INT, AT(layer_norm.axis), 0, EE_MAX_RANK - 1},
    {"epsilon", FLOAT, AT(layer_norm.epsilon), 0, 0},
    {.key = NULL},
};

static const field attention_field[] = {
    {"n_heads", INT, AT(attention.n_heads), 1, MAX_INT},
    {"scale", FLOAT, AT(attention.scale), 0, 0},
    {.key = NULL},
};

static const field no_field[] = {{.key = NULL}};

static const field *fields_of(ee_op op) {
  switch (op) {
    case EE_OP_CONV:
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
      return conv_field;
    case EE_OP_GEMM:
      return gemm_field;
    case EE_OP_BATCH_NORM:
      return batch_norm_field;
    case EE_OP_CONCAT:
    case EE_OP_SOFTMAX:
    case EE_OP_LOG_SOFTMAX:
      return along_field;
    case EE_OP_TRANSPOSE:
      return transpose_field;
    case EE_OP_PAD:
      return pad_field;
    case EE_OP_REDUCE_MEAN:
      return reduce_field;
    case EE_OP_SLICE:
      return slice_field;
    case EE_OP_GATHER:
      return gather_field;
    case EE_OP_LAYER_NORM:
      return layer_norm_field;
    case EE_OP_ATTENTION:
      return attention_field;
    default:
      return no_field;
  }
}

static bool has_window(ee_op op) {
  return fields_of(op) == conv_field;
}

/* Most entries of a list of this operator. */
static int list_limit(ee_op op) {
  return has_window(op) ? EE_MAX_SPATIAL : EE_MAX_RANK;
}

/* A text that grows; too long a one stays too long. */
typedef struct sink {
  char  *text;
  size_t used;
} sink;

static void put(sink *s, const char *text) {
  size_t n = strlen(text);
  if (s->used + n < EE_ATTRIBUTE_BYTES) memcpy(s->text + s->used, text, n + 1);
  s->used += n;
}

static void put_int(sink *s, const char *before, int x) {
  char text[16];
  put(s, before);
  snprintf(text, sizeof text, "%d", x);
  put(s, text);
}

static void put_flags(sink *s, const bool *flag) {
  const char *before = "";
  for (int i = 0; i < EE_MAX_RANK; i++) {
    if (!flag[i]) continue;
    put_int(s, before, i);
    before = ",";
  }
}

static void put_float(sink *s, float x) {
  char text[32];
  snprintf(text, sizeof text, "%.9g", (double)x);  // nine digits give back every float
  put(s, text);
}

static void put_field(sink *s, const field *f, const void *member, int n) {
  const int *x = member;
  switch (f->kind) {
    case INTS:
      for (int i = 0; i < n; i++) put_int(s, i > 0 ? "," : "", x[i]);
      break;
    case FLAGS:
      put_flags(s, member);
      break;
    case INT:
      put_int(s, "", *x);
      break;
    case BOOL:
      put_int(s, "", *(const bool *)member);
      break;
    case FLOAT:
    case LIMIT:
      put_float(s, *(const float *)member);
      break;
  }
}

bool ee_attributes_print(const ee_node *node, int rank, char *text) {
  const field *first = fields_of(node->op);
  int          n     = has_window(node->op) ? node->attr.window.n_spatial : rank;
  sink         s     = {.text = text};
  text[0]            = '\0';
  for (const field *f = first; f->key != NULL; f++) {
    if (f != first) put(&s, " ");
    put(&s, f->key);
    put(&s, "=");
    put_field(&s, f, (const char *)&node->attr + f->offset, n);
  }
  return s.used < EE_ATTRIBUTE_BYTES;
}

/* Take one integer in the field's range. */
static bool take_int(const char **at, const field *f, int *x) {
  char *end;
  long  value = strtol(*at, &end, 10);
  if (end == *at || value < f->low || value > f->high) return false;
  *x  = (int)value;
  *at = end;
  return true;
}

/* Take up to @p most integers with commas between; -1 if there is a wrong one. */
static int take_list(const char **at, const field *f, int most, int *x) {
  int n = 0;
  while (**at != ' ' && **at != '\0') {
    if (n > 0 && *(*at)++ != ',') return -1;
    if (n == most || !take_int(at, f, &x[n])) return -1;
    n++;
  }
  return n;
}

static bool take_bool(const char **at, const field *f, bool *x) {
  int value;
  if (!take_int(at, f, &value)) return false;
  *x = value != 0;
  return true;
}

static bool take_float(const char **at, float *x) {
  char *end;
  *x        = strtof(*at, &end);
  bool took = end != *at;
  *at       = end;
  return took;
}

static bool take_flags(const char **at, const field *f, bool *flag) {
  int index[EE_MAX_RANK];
  int n = take_list(at, f, EE_MAX_RANK, index);
  for (int i = 0; i < n; i++) flag[index[i]] = true;
  return n >= 0;
}

/* All lists of a node are of one length, *length; -1 before the first. */
static bool take_ints(const char **at, const field *f, int most, int *x, int *length) {
  int  n   = take_list(at, f, most, x);
  bool fit = n >= 0 && (*length < 0 || n == *length);
  *length  = n;
  return fit;
}

static bool take_value(const char **at, const field *f, int most, void *member, int *length) {
  switch (f->kind) {
    case INTS:
      return take_ints(at, f, most, member, length);
    case FLAGS:
      return take_flags(at, f, member);
    case INT:
      return take_int(at, f, member);
    case BOOL:
      return take_bool(at, f, member);
    case FLOAT:
      return take_float(at, member) && isfinite(*(float *)member);
    case LIMIT:
      return take_float(at, member) && !isnan(*(float *)member);
  }
  return false;
}

/* Take "key=value" and the blank behind it. */
static bool take_field(const char **at, const field *f, ee_node *node, int *length) {
  size_t n = strlen(f->key);
  if (strncmp(*at, f->key, n) != 0 || (*at)[n] != '=') return false;
  *at += n + 1;
  if (!take_value(at, f, list_limit(node->op), (char *)&node->attr + f->offset, length))
    return false;
  bool last = f[1].key == NULL;
  return last ? **at == '\0' : *(*at)++ == ' ';
}

ee_status ee_attributes_parse(const char *path, const char *text, ee_node *node) {
  const char *at     = text;
  int         length = -1;
  memset(&node->attr, 0, sizeof node->attr);
  for (const field *f = fields_of(node->op); f->key != NULL; f++) {
    if (!take_field(&at, f, node, &length))
      return EE_FAIL(EE_ERR_FORMAT, "%s: attribute %s of node '%s' (%s) is wrong in \"%s\"", path,
                     f->key, node->name, ee_op_name(node->op), text);
  }
  if (*at != '\0')
    return EE_FAIL(EE_ERR_FORMAT, "%s: node '%s' (%s) has unknown attributes \"%s\"", path,
                   node->name, ee_op_name(node->op), at);
  if (has_window(node->op)) node->attr.window.n_spatial = length;
  return EE_OK;
}
