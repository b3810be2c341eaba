/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/model_file.h"

#include "ee/data_file.h"
#include "ee_test.h"
#include "zoo.h"

static const char *model_file(const char *name) {
  const char *path  = ee_test_path(name);
  ee_model   *model = make_model();
  if (ee_model_save(model, path) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  ee_model_destroy(&model);
  return path;
}

static ee_status load_and_destroy(const char *path) {
  ee_model *model;
  ee_status status = ee_model_load(path, &model);
  if (status != EE_OK) CU_ASSERT_PTR_NULL(model);
  ee_model_destroy(&model);
  return status;
}

static ee_status open_and_close(const char *path) {
  ee_model_file *file;
  ee_status      status = ee_model_file_open(path, &file);
  if (status != EE_OK) CU_ASSERT_PTR_NULL(file);
  ee_model_file_close(&file);
  return status;
}

#define SAME(member) CU_ASSERT_EQUAL(a->member, b->member)
#define SAME_TEXT(member) CU_ASSERT_STRING_EQUAL(a->member, b->member)
#define SAME_BITS(member) CU_ASSERT_EQUAL(memcmp(&a->member, &b->member, sizeof a->member), 0)

static void check_value(const ee_value *a, const ee_value *b, bool with_data) {
  SAME_TEXT(name);
  SAME(kind);
  CU_ASSERT_TRUE(ee_shape_equal(&a->shape, &b->shape));
  if (a->kind != EE_VALUE_CONSTANT || !with_data) {
    CU_ASSERT_PTR_NULL(b->data);
    return;
  }
  size_t bytes_of_it = (size_t)ee_shape_elements(&a->shape) * sizeof(float);
  CU_ASSERT_FATAL(b->data != NULL);
  CU_ASSERT_EQUAL(memcmp(a->data, b->data, bytes_of_it), 0);
}

/* The attributes were zeroed before they were set, so all bytes must agree. */
static void check_node(const ee_node *a, const ee_node *b) {
  SAME_TEXT(name);
  SAME(op);
  SAME(n_in);
  for (int i = 0; i < a->n_in; i++) SAME(in[i]);
  SAME(out);
  SAME(layer);
  SAME(exit);
  SAME(act.kind);
  SAME_BITS(act.alpha);
  SAME_BITS(act.beta);
  SAME_BITS(attr);
}

static void check_graph(const ee_model *a, const ee_model *b, bool with_data) {
  SAME(n_values);
  SAME(n_nodes);
  SAME(input);
  for (int v = 0; v < a->n_values; v++) check_value(&a->value[v], &b->value[v], with_data);
  for (int i = 0; i < a->n_nodes; i++) check_node(&a->node[i], &b->node[i]);
}

static void check_layers_and_exits(const ee_model *a, const ee_model *b) {
  SAME(n_layers);
  for (int l = 0; l < a->n_layers; l++) {
    SAME_TEXT(layer[l].name);
    SAME(layer[l].flops);
    SAME(layer[l].weight_bytes);
    SAME(layer[l].seconds);
  }
  SAME(copy_seconds);
  SAME(n_exits);
  for (int e = 0; e < a->n_exits; e++) {
    SAME_TEXT(exit[e].name);
    SAME(exit[e].logits);
    SAME(exit[e].attach);
    SAME_BITS(exit[e].temperature);
    SAME(exit[e].has_score);
    SAME(exit[e].score);
    SAME(head_flops[e]);
    SAME(head_seconds[e]);
  }
}

static void check_model(const ee_model *a, const ee_model *b, bool with_data) {
  SAME_TEXT(name);
  SAME_TEXT(provenance);
  SAME(batched);
  SAME(no_winograd);
  SAME(n_classes);
  for (int k = 0; k < CLASSES; k++) SAME_TEXT(class_name[k]);
  SAME(preprocess.n_channels);
  SAME_BITS(preprocess.scale);
  for (int c = 0; c < 3; c++) SAME_BITS(preprocess.mean[c]);
  for (int c = 0; c < 3; c++) SAME_BITS(preprocess.std[c]);
  check_graph(a, b, with_data);
  check_layers_and_exits(a, b);
}

static void a_model_comes_back_bit_by_bit(void) {
  ee_model *made = make_model(), *loaded;
  CU_ASSERT_EQUAL(made->n_layers, 3);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(model_file("zoo.h5"), &loaded), EE_OK);
  check_model(made, loaded, true);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

/* The zoo's model with a score of its early exit. */
static const char *scored_file(const char *name, ee_model **model) {
  const char *path = ee_test_path(name);
  *model           = make_model();
  add_score(*model);
  (*model)->no_winograd = true;
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(*model), EE_OK);
  profile(*model);
  CU_ASSERT_EQUAL_FATAL(ee_model_save(*model, path), EE_OK);
  return path;
}

static void a_model_with_a_score_and_without_winograd_comes_back_so(void) {
  ee_model *made, *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_load(scored_file("scored.h5", &made), &loaded), EE_OK);
  CU_ASSERT_TRUE(loaded->exit[0].has_score);
  CU_ASSERT_FALSE(loaded->exit[1].has_score);
  check_model(made, loaded, true);
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

static void a_score_that_is_no_value_is_refused(void) {
  static const int32_t wrong[] = {-2, 1000, 0};
  ee_model            *made;
  const char          *path     = scored_file("scored.h5", &made);
  bytes                good     = read_bytes(path);
  int32_t              score[2] = {made->exit[0].score, -1};
  for (int k = 0; k < 3; k++) {
    bytes b = {malloc(good.n), good.n};
    memcpy(b.at, good.at, good.n);
    memcpy(b.at + find_bytes(good, score, sizeof score), &wrong[k], sizeof wrong[k]);
    reseal(b);
    write_bytes(path, b.at, b.n);
    CU_ASSERT_EQUAL(open_and_close(path), EE_ERR_FORMAT);
    CU_ASSERT_TRUE(message_says(path, "the score of exit 'early exit' is value"));
    free(b.at);
  }
  free(good.at);
  ee_model_destroy(&made);
}

static void a_bare_model_comes_back_bare(void) {
  const char *path  = ee_test_path("bare.h5");
  ee_model   *model = make_model(), *loaded;
  for (int k = 0; k < CLASSES; k++) free(model->class_name[k]);
  free(model->class_name);
  free(model->provenance);
  model->class_name            = NULL;
  model->provenance            = NULL;
  model->preprocess.n_channels = 0;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(model, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_PTR_NULL(loaded->class_name);
  CU_ASSERT_PTR_NULL(loaded->provenance);
  CU_ASSERT_EQUAL(loaded->preprocess.n_channels, 0);
  ee_model_destroy(&model);
  ee_model_destroy(&loaded);
}

static void the_same_model_makes_the_same_file_even_after_a_trip(void) {
  const char *path = ee_test_path("again.h5");
  ee_model   *loaded;
  bytes       a = read_bytes(model_file("zoo.h5"));
  CU_ASSERT_EQUAL_FATAL(ee_model_load(ee_test_path("zoo.h5"), &loaded), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_save(loaded, path), EE_OK);
  bytes b = read_bytes(path);
  CU_ASSERT_TRUE(a.n == b.n && memcmp(a.at, b.at, a.n) == 0);
  ee_model_destroy(&loaded);
  free(a.at);
  free(b.at);
}

static void an_open_file_has_the_graph_without_weights(void) {
  ee_model      *made = make_model();
  ee_model_file *file;
  CU_ASSERT_EQUAL_FATAL(ee_model_file_open(model_file("zoo.h5"), &file), EE_OK);
  check_model(made, ee_model_file_model(file), false);
  ee_model_file_close(&file);
  CU_ASSERT_PTR_NULL(file);
  ee_model_destroy(&made);
}

/* The blob of a layer against the constants of the model it was saved from. */
static void check_blob(ee_model_file *file, const ee_model *made, int layer) {
  int   *list, n;
  float *blob;
  CU_ASSERT_EQUAL_FATAL(ee_model_file_read_layer(file, layer, &blob), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(made, layer, &list, &n), EE_OK);
  CU_ASSERT_TRUE(n > 0);
  const float *at = blob;
  for (int i = 0; i < n; i++) {
    size_t count = (size_t)ee_model_value_elements(made, list[i]);
    CU_ASSERT_EQUAL(memcmp(at, made->value[list[i]].data, count * sizeof *at), 0);
    at += count;
  }
  CU_ASSERT_EQUAL((size_t)(at - blob) * sizeof *at, made->layer[layer].weight_bytes);
  free(list);
  free(blob);
}

static void a_layers_blob_is_its_constants_one_after_the_other(void) {
  ee_model      *made = make_model();
  ee_model_file *file;
  float         *blob;
  CU_ASSERT_EQUAL_FATAL(ee_model_file_open(model_file("zoo.h5"), &file), EE_OK);
  for (int layer = 0; layer < made->n_layers; layer++) check_blob(file, made, layer);
  CU_ASSERT_EQUAL(ee_model_file_read_layer(file, -1, &blob), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(blob);
  CU_ASSERT_EQUAL(ee_model_file_read_layer(file, made->n_layers, &blob), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says("zoo.h5", "layers 0 to 2, not 3"));
  ee_model_file_close(&file);
  ee_model_destroy(&made);
}

static void copying_that_takes_for_ever_is_refused(void) {
  ee_model   *made = make_model(), *loaded = NULL;
  const char *path   = ee_test_path("ever.h5");
  made->copy_seconds = INFINITY;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL(ee_model_load(path, &loaded), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(loaded);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "ever.h5: /graph/copy_seconds is inf"));
  ee_model_destroy(&made);
}

static void a_model_that_is_not_whole_is_not_saved(void) {
  const char *path  = ee_test_path("part.h5");
  ee_model   *model = make_model();
  int         v     = 0;
  while (model->value[v].kind != EE_VALUE_CONSTANT) v++;
  free(model->value[v].data);
  model->value[v].data = NULL;
  CU_ASSERT_EQUAL(ee_model_save(model, path), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, model->value[v].name));
  CU_ASSERT_FALSE(left_over(path));
  ee_model_destroy(&model);

  ee_model raw = {.name = "raw"};
  CU_ASSERT_EQUAL(ee_model_save(&raw, path), EE_ERR_STATE);
  CU_ASSERT_FALSE(left_over(path));
}

static void other_files_are_named_for_what_they_hold(void) {
  const char     *path = ee_test_path("data.h5");
  ee_data_info    info = {.type = EE_DATA_U8, .dim = {1, 1, 1}};
  ee_data_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_data_create(path, &info, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_finish(&writer, true), EE_OK);
  CU_ASSERT_EQUAL(load_and_destroy(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "holds edgeexit-data, expected edgeexit-model"));
  CU_ASSERT_EQUAL(load_and_destroy("/nowhere/x.h5"), EE_ERR_FILE);
}

static void a_damaged_file_is_refused(void) {
  check_damage(model_file("damaged.h5"), open_and_close);
}

/* One thing that a hostile author changes: at an offset from where a row begins. */
typedef struct lie {
  const char *row;   // the name that the row begins with
  const char *next;  // what stands right after the name, "" for anything
  size_t      offset;
  const void *bytes;
  size_t      n;
  const char *words;  // in the message
} lie;

#define I32(x) &(const int32_t){x}, 4
#define I64(x) &(const int64_t){x}, 8
#define F32(x) &(const float){x}, 4
#define F64(x) &(const double){x}, 8
#define STR(x) x, sizeof(x)

/* Offsets in the packed rows, as docs/formats.md has them. */
enum { KIND = 96, RANK = 112, DIM = 116 };
enum { OP = 96, N_INPUTS = 128, INPUTS = 132, OUTPUT = 196, ACT = 200, ALPHA = 216, ATTR = 224 };
enum { WEIGHT_BYTES = 104, SECONDS = 112 };
enum { LOGITS = 96, ATTACH = 100, TEMPERATURE = 104, HEAD_SECONDS = 116 };

static const lie lies[] = {
    {"image", "input", KIND, STR("nothing"), "unknown kind \"nothing\""},
    {"image", "input", KIND, STR("activation"), "input"},
    {"image", "input", RANK, I32(9), "rank 9"},
    {"image", "input", RANK, I32(-1), "rank -1"},
    {"image", "input", DIM + 8, I64(-3), "impossible shape"},
    {"image", "input", DIM + 8, I64(INT64_MAX), "impossible shape"},
    {"pool", "activation", DIM + 16, I64((int64_t)1 << 62), "impossible shape"},
    {"conv1.b", "constant", DIM, I64(5), "do not fit together"},
    {"conv1", "Conv", OP, STR("Convolve"), "unknown operator \"Convolve\""},
    {"conv1", "Conv", N_INPUTS, I32(17), "17 inputs"},
    {"conv1", "Conv", N_INPUTS, I32(-1), "-1 inputs, not in [0, 16]"},
    {"conv1", "Conv", INPUTS, I32(1000000), "1000000"},
    {"conv1", "Conv", INPUTS + 4, I32(INT32_MIN), "value"},
    {"conv1", "Conv", OUTPUT, I32(-1), "-1"},
    {"conv1", "Conv", OUTPUT, I32(0), "no activation"},
    {"conv1", "Conv", ACT, STR("Mish"), "unknown activation \"Mish\""},
    {"conv1", "Conv", ALPHA, F32(NAN), "activation LeakyRelu of node 'conv1' has alpha "},
    {"conv1", "Conv", ALPHA, F32(INFINITY), "activation LeakyRelu of node 'conv1' has alpha inf"},
    {"clip", "Activation", ALPHA, F32(NAN), "activation Clip of node 'clip' has alpha "},
    {"conv1", "Conv", ATTR, STR("kernel=3,x "), "attribute kernel of node 'conv1'"},
    {"conv1", "Conv", ATTR, STR("kernel=3,3,3,3"), "attribute kernel"},
    {"conv1", "Conv", ATTR, STR("kernel=3,3 stride=0,1"), "attribute stride"},
    {"conv1", "Conv", ATTR, STR("kernel=3,3 stride=1"), "attribute stride"},
    {"conv1", "Conv", ATTR,
     STR("kernel=3,3 stride=1 dilation=1,1 pad_before=1,0 pad_after=1,2 groups=1 "
         "count_include_pad=0 ceil_mode=0"),
     "attribute stride"},
    {"conv1", "Conv", ATTR, STR("kernel=3,99999999999999999999 "), "attribute kernel"},
    {"conv1", "Conv", ATTR, STR(""), "attribute kernel"},
    {"turn", "Transpose", ATTR, STR("perm=0,1,2,8"), "attribute perm"},
    {"turn", "Transpose", ATTR, STR("perm=0,1,1,2"), "do not fit together"},
    {"turn", "Transpose", ATTR, STR("perm=0,2,3,1 more=1"), "attribute perm"},
    {"mul", "Mul", ATTR, STR("axis=1"), "unknown attributes \"axis=1\""},
    {"join", "Concat", ATTR, STR("axis=8 flatten=0"), "attribute axis"},
    {"squeeze", "ReduceMean", ATTR, STR("axes=2,9"), "attribute axes"},
    {"early", "Gemm", ATTR, STR("alpha= beta=1 trans_a=0 trans_b=1"), "attribute alpha"},
    {"early", "Gemm", ATTR, STR("alpha=nan beta=1 trans_a=0 trans_b=1"), "attribute alpha"},
    {"early", "Gemm", ATTR, STR("alpha=1 beta=inf trans_a=0 trans_b=1"), "attribute beta"},
    {"pad", "Pad", ATTR, STR("mode=2 before=0,0,1,0 after=0,0,0,1 value=nan"), "attribute value"},
    {"bn", "", SECONDS, F64(-1.0), "-1 seconds"},
    {"bn", "", SECONDS, F64(INFINITY), "inf seconds"},
    {"bn", "", WEIGHT_BYTES, I64(INT64_MAX), "bytes of weights"},
    {"early exit", "", LOGITS, I32(-7), "value -7"},
    {"early exit", "", ATTACH, I32(2), "layer 2"},
    {"early exit", "", TEMPERATURE, F32(0.0f), "temperature 0"},
    {"early exit", "", TEMPERATURE, F32(NAN), "temperature"},
    {"early exit", "", HEAD_SECONDS, F64(NAN), "seconds"},
};

/* Where row @p name begins; of several, the last one. */
static size_t find_row(bytes b, const char *name, const char *next) {
  char   begin[EE_NAME_BYTES] = "";
  size_t n = strlen(next), at = 0;
  snprintf(begin, sizeof begin, "%s", name);
  for (size_t i = SEAL; i + EE_NAME_BYTES + n <= b.n; i++) {
    if (memcmp(b.at + i, begin, sizeof begin) == 0 && memcmp(b.at + i + sizeof begin, next, n) == 0)
      at = i;
  }
  CU_ASSERT_FATAL(at > 0);
  return at;
}

static void tell(const char *path, bytes good, const lie *l) {
  bytes b = {malloc(good.n), good.n};
  memcpy(b.at, good.at, good.n);
  memcpy(b.at + find_row(good, l->row, l->next) + l->offset, l->bytes, l->n);
  reseal(b);
  write_bytes(path, b.at, b.n);
  CU_ASSERT_EQUAL(open_and_close(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, l->words));
  free(b.at);
}

static void lies_under_a_valid_seal_are_told(void) {
  const char *path = model_file("hostile.h5");
  bytes       good = read_bytes(path);
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) tell(path, good, &lies[i]);
  free(good.at);
}

/* Random bytes in the rows of the tables: read or refused, never a crash. */
static void noise_under_a_valid_seal_is_no_crash(void) {
  const char *path    = model_file("noise.h5");
  bytes       good    = read_bytes(path);
  bytes       b       = {malloc(good.n), good.n};
  size_t      row[]   = {find_row(good, "image", "input"), find_row(good, "conv1", "Conv"),
                         find_row(good, "bn", ""), find_row(good, "early exit", "")};
  size_t      width[] = {180 * 20, 608 * 15, 120, 124 * 2};
  ee_rng      rng     = ee_rng_at(3, 0);
  for (int turn = 0; turn < 400; turn++) {
    memcpy(b.at, good.at, good.n);
    for (int i = 0; i < 1 + turn % 4; i++) {
      size_t table = (size_t)ee_rng_below(&rng, 4);
      b.at[row[table] + (size_t)ee_rng_below(&rng, width[table])] =
          (unsigned char)ee_rng_bits(&rng);
    }
    reseal(b);
    write_bytes(path, b.at, b.n);
    ee_status status = load_and_destroy(path);
    CU_ASSERT_TRUE(status == EE_OK || status == EE_ERR_FORMAT);
  }
  free(b.at);
  free(good.at);
}

static void h5py_reads_the_same(void) {
  char      answer[256], expected[256];
  ee_model *made = make_model();
  if (ask_h5py(model_file("zoo.h5"),
               "n = f[\"graph/nodes\"][:]\n"
               "w = [f[\"weights\"][k] for k in f[\"weights\"] if k.endswith(\"early.w\")][0]\n"
               "print(f.attrs[\"format\"].decode(), len(n), n[0][\"op\"].decode(), w.shape,"
               " w[:].view(np.uint32).sum(dtype=np.uint64), f[\"graph/exits\"][0][\"attach\"],"
               " n[0][\"attributes\"].decode())",
               answer, sizeof answer)) {
    int v = 0;
    while (strcmp(made->value[v].name, "early.w") != 0) v++;
    uint64_t sum = 0;
    for (int i = 0; i < CLASSES * 4; i++) {
      uint32_t bits;
      memcpy(&bits, &made->value[v].data[i], sizeof bits);
      sum += bits;
    }
    snprintf(expected, sizeof expected,
             "edgeexit-model %d Conv (5, 4) %llu 1 kernel=3,3 stride=1,1 dilation=1,1 "
             "pad_before=1,0 pad_after=1,2 groups=1 count_include_pad=0 ceil_mode=0\n",
             made->n_nodes, (unsigned long long)sum);
    CU_ASSERT_STRING_EQUAL(answer, expected);
  }
  ee_model_destroy(&made);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_model_comes_back_bit_by_bit),
    EE_FACT(a_model_with_a_score_and_without_winograd_comes_back_so),
    EE_FACT(a_score_that_is_no_value_is_refused),
    EE_FACT(a_bare_model_comes_back_bare),
    EE_FACT(the_same_model_makes_the_same_file_even_after_a_trip),
    EE_FACT(an_open_file_has_the_graph_without_weights),
    EE_FACT(a_layers_blob_is_its_constants_one_after_the_other),
    EE_FACT(copying_that_takes_for_ever_is_refused),
    EE_FACT(a_model_that_is_not_whole_is_not_saved),
    EE_FACT(other_files_are_named_for_what_they_hold),
    EE_FACT(a_damaged_file_is_refused),
    EE_FACT(lies_under_a_valid_seal_are_told),
    EE_FACT(noise_under_a_valid_seal_is_no_crash),
    EE_FACT(h5py_reads_the_same),
    {NULL, NULL},
};
