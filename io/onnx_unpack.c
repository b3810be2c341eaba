/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to messages.  The nesting is checked first: protobuf-c unpacks messages inside
 * messages by recursion, without a limit of its own. */
#include <stdint.h>

#include "onnx_graph.h"

#define MAX_DEPTH 64  // of messages inside messages; real models stay below ten

typedef struct reader {
  const uint8_t *at, *end;
} reader;

static bool read_varint(reader *r, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 70 && r->at < r->end; shift += 7) {
    uint8_t byte = *r->at++;
    if (shift < 64) *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

static bool skip(reader *r, uint64_t bytes) {
  if (bytes > (uint64_t)(r->end - r->at)) return false;
  r->at += bytes;
  return true;
}

static bool well_nested(const ProtobufCMessageDescriptor *type, reader r, int depth);

/* The payload of one field of wire type 2; goes into it if it is a message. */
static bool check_delimited(const ProtobufCMessageDescriptor *type, unsigned id, reader *r,
                            int depth) {
  uint64_t       bytes;
  const uint8_t *start;
  if (!read_varint(r, &bytes)) return false;
  start = r->at;
  if (!skip(r, bytes)) return false;
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, id);
  if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE) return true;
  return well_nested(field->descriptor, (reader){start, r->at}, depth + 1);
}

static bool well_nested(const ProtobufCMessageDescriptor *type, reader r, int depth) {
  if (depth > MAX_DEPTH) return false;
  while (r.at < r.end) {
    uint64_t tag, ignored;
    bool     good;
    if (!read_varint(&r, &tag)) return false;
    switch (tag & 7) {
      case 0:
        good = read_varint(&r, &ignored);
        break;
      case 1:
        good = skip(&r, 8);
        break;
      case 2:
        good = check_delimited(type, (unsigned)(tag >> 3), &r, depth);
        break;
      case 5:
        good = skip(&r, 4);
        break;
      default:
        good = false;
    }
    if (!good) return false;
  }
  return true;
}

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                                size_t n) {
  const uint8_t *start = bytes;
  if (!well_nested(type, (reader){start, start + n}, 0)) return NULL;
  return protobuf_c_message_unpack(type, NULL, n, start);
}

ee_status ee_onnx_unpack_model(const void *bytes, size_t n, Onnx__ModelProto **proto) {
  *proto = (Onnx__ModelProto *)unpack(&onnx__model_proto__descriptor, bytes, n);
  if (*proto == NULL) return EE_FAIL(EE_ERR_FORMAT, "this is no ONNX model, or it is damaged");
  if ((*proto)->graph != NULL) return EE_OK;
  onnx__model_proto__free_unpacked(*proto, NULL);
  *proto = NULL;
  return EE_FAIL(EE_ERR_FORMAT, "this is no ONNX model, or it is damaged: it has no graph");
}

ee_status ee_onnx_unpack_tensor(const void *bytes, size_t n, Onnx__TensorProto **tensor) {
  *tensor = (Onnx__TensorProto *)unpack(&onnx__tensor_proto__descriptor, bytes, n);
  if (*tensor == NULL) return EE_FAIL(EE_ERR_FORMAT, "a bound tensor is damaged");
  return EE_OK;
}
