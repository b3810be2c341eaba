/* SPDX-License-Identifier: Apache-2.0 */
/* compare_reference EXITS.h5 REFERENCE.h5 SAMPLES THRESHOLD: whether the first samples of an exit
 * table have the logits that PyTorch gave, to 1e-4 of each sample's largest, its labels, and leave
 * where PyTorch's would; and, if it has learned scores, its scores to 1e-5. */
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/confidence.h"
#include "ee/exits_file.h"

#define TOLERANCE 1e-4
#define SCORE_TOLERANCE 1e-5
#define MOST_EXITS 16

/* What all exits say of all samples. */
typedef struct scores {
  int64_t  n;
  int      n_exits, n_classes;
  float   *logits;  // shape [n_exits, n, n_classes]
  float   *score;   // shape [n_exits - 1, n], of the early exits; NULL: none
  int32_t *label;   // shape [n]
} scores;

static float *logits_of(const scores *s, int e, int64_t i) {
  return s->logits + ((int64_t)e * s->n + i) * s->n_classes;
}

static ee_status scores_open(int64_t n, int n_exits, int n_classes, bool scored, scores *s) {
  *s        = (scores){.n = n, .n_exits = n_exits, .n_classes = n_classes};
  s->logits = calloc((size_t)n * (size_t)n_exits * (size_t)n_classes + 1, sizeof *s->logits);
  s->score  = scored ? calloc((size_t)n * (size_t)n_exits, sizeof *s->score) : NULL;
  s->label  = calloc((size_t)n + 1, sizeof *s->label);
  bool made = s->logits != NULL && s->label != NULL && (s->score != NULL || !scored);
  return made ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for logits");
}

static void scores_close(scores *s) {
  free(s->logits);
  free(s->score);
  free(s->label);
}

/* The exit table has the exits of one sample side by side. */
static ee_status read_samples(ee_exits_file *file, scores *s) {
  size_t    classes = (size_t)s->n_classes;
  float    *row     = calloc((size_t)s->n_exits * classes, sizeof *row);
  ee_status status  = row != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for logits");
  for (int64_t i = 0; i < s->n && status == EE_OK; i++) {
    status = ee_exits_read(file, i, 1, row, &s->label[i]);
    for (int e = 0; e < s->n_exits && status == EE_OK; e++) {
      for (size_t k = 0; k < classes; k++) logits_of(s, e, i)[k] = row[(size_t)e * classes + k];
    }
  }
  free(row);
  return status;
}

static ee_status read_scores(ee_exits_file *file, scores *s) {
  float row[MOST_EXITS];
  for (int64_t i = 0; s->score != NULL && i < s->n; i++) {
    EE_TRY(ee_exits_read_scores(file, i, 1, row));
    for (int e = 0; e < s->n_exits - 1; e++) s->score[e * s->n + i] = row[e];
  }
  return EE_OK;
}

static ee_status read_table(const char *path, int64_t n, scores *s, float *temperature) {
  ee_exits_file *file = NULL;
  EE_TRY(ee_exits_open(path, &file));
  const ee_exits_info *info   = ee_exits_file_info(file);
  ee_status            status = EE_OK;
  if (info->n < n || info->n_exits > MOST_EXITS) {
    status = EE_FAIL(EE_ERR_ARG, "%s has %lld samples and %d exits; expected %lld and at most %d",
                     path, (long long)info->n, info->n_exits, (long long)n, MOST_EXITS);
  }
  for (int e = 0; status == EE_OK && e < info->n_exits; e++) temperature[e] = info->temperature[e];
  if (status == EE_OK) status = scores_open(n, info->n_exits, info->n_classes, info->has_score, s);
  if (status == EE_OK) status = read_samples(file, s);
  if (status == EE_OK) status = read_scores(file, s);
  ee_exits_close(&file);
  return status;
}

/* The first rows along the dimension of samples: number `at` of `rank`. */
static ee_status read_first(hid_t file, const char *name, int rank, int at, const hsize_t *want,
                            hid_t type, void *to) {
  hsize_t   dim[3] = {0, 0, 0}, none[3] = {0, 0, 0};
  hid_t     set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
  hid_t     memory = H5Screate_simple(rank, want, NULL);
  ee_status status = EE_OK;
  bool      fits   = H5Sget_simple_extent_ndims(space) == rank &&
              H5Sget_simple_extent_dims(space, dim, NULL) == rank;
  for (int i = 0; fits && i < rank; i++) fits = i == at ? dim[i] >= want[i] : dim[i] == want[i];
  if (!fits) status = EE_FAIL(EE_ERR_FORMAT, "the reference's %s have another shape", name);
  if (status == EE_OK && (H5Sselect_hyperslab(space, H5S_SELECT_SET, none, NULL, want, NULL) < 0 ||
                          H5Dread(set, type, memory, space, H5P_DEFAULT, to) < 0)) {
    status = EE_FAIL(EE_ERR_FORMAT, "the reference's %s cannot be read", name);
  }
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

static ee_status read_reference(const char *path, const scores *like, scores *s) {
  EE_TRY(scores_open(like->n, like->n_exits, like->n_classes, like->score != NULL, s));
  hid_t   file      = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  hsize_t labels[1] = {(hsize_t)s->n};
  hsize_t logits[3] = {(hsize_t)s->n_exits, (hsize_t)s->n, (hsize_t)s->n_classes};
  hsize_t early[2]  = {(hsize_t)s->n_exits - 1, (hsize_t)s->n};
  if (file < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be opened", path);
  ee_status status = read_first(file, "logits", 3, 1, logits, H5T_NATIVE_FLOAT, s->logits);
  if (status == EE_OK) status = read_first(file, "labels", 1, 0, labels, H5T_NATIVE_INT, s->label);
  if (status == EE_OK && s->score != NULL) {
    status = read_first(file, "scores", 2, 1, early, H5T_NATIVE_FLOAT, s->score);
  }
  H5Fclose(file);
  return status;
}

/* max_k |a_k - b_k| / max_k |b_k| of one sample at one exit. */
static double distance(const float *a, const float *b, int n) {
  double apart = 0.0, largest = 0.0;
  for (int k = 0; k < n; k++) {
    apart   = fmax(apart, fabs((double)a[k] - (double)b[k]));
    largest = fmax(largest, fabs((double)b[k]));
    if (!isfinite(a[k]) || !isfinite(b[k])) return INFINITY;
  }
  return largest > 0.0 ? apart / largest : apart;
}

static ee_status compare_exit(const scores *ours, const scores *theirs, int e) {
  double  worst = 0.0;
  int64_t at = 0, right = 0, their_right = 0;
  for (int64_t i = 0; i < ours->n; i++) {
    const float *a = logits_of(ours, e, i), *b = logits_of(theirs, e, i);
    double       d = distance(a, b, ours->n_classes);
    if (d > worst) at = i;
    worst = fmax(worst, d);
    right += ee_argmax(a, ours->n_classes) == ours->label[i];
    their_right += ee_argmax(b, ours->n_classes) == theirs->label[i];
  }
  printf("exit %d: logits differ by %.2g at most; %lld right, %lld by the reference\n", e, worst,
         (long long)right, (long long)their_right);
  if (worst <= TOLERANCE) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "exit %d: sample %lld differs by %g; expected at most %g", e,
                 (long long)at, worst, TOLERANCE);
}

static ee_status compare_scores(const scores *ours, const scores *theirs) {
  double worst = 0.0;
  if (ours->score == NULL) return EE_OK;
  for (int64_t k = 0; k < (ours->n_exits - 1) * ours->n; k++) {
    if (isnan(ours->score[k]) && isnan(theirs->score[k])) continue;  // this exit has none
    double apart = fabs((double)ours->score[k] - (double)theirs->score[k]);
    if (!(apart <= SCORE_TOLERANCE)) {
      return EE_FAIL(EE_ERR_ARG, "exit %d: the score of sample %lld is %g, by the reference %g",
                     (int)(k / ours->n), (long long)(k % ours->n), (double)ours->score[k],
                     (double)theirs->score[k]);
    }
    worst = fmax(worst, apart);
  }
  printf("scores differ by %.2g at most\n", worst);
  return EE_OK;
}

static void count_exits(const scores *s, const float *temperature, float threshold, int64_t *left) {
  float *p = calloc((size_t)s->n_classes, sizeof *p);
  for (int64_t i = 0; p != NULL && i < s->n; i++) {
    int e = 0;
    for (; e < s->n_exits - 1; e++) {
      ee_softmax(logits_of(s, e, i), s->n_classes, temperature[e], p);
      if (p[ee_argmax(p, s->n_classes)] >= threshold) break;
    }
    left[e]++;
  }
  free(p);
}

/* Rounding may put one sample on the other side of the threshold. */
static ee_status compare_shares(const scores *ours, const scores *theirs, const float *temperature,
                                float threshold) {
  int64_t left[MOST_EXITS] = {0}, their_left[MOST_EXITS] = {0};
  count_exits(ours, temperature, threshold, left);
  count_exits(theirs, temperature, threshold, their_left);
  for (int e = 0; e < ours->n_exits; e++) {
    printf("exit %d: %lld leave, %lld by the reference\n", e, (long long)left[e],
           (long long)their_left[e]);
    if (llabs(left[e] - their_left[e]) > 1) {
      return EE_FAIL(EE_ERR_ARG, "another share leaves at exit %d", e);
    }
  }
  return EE_OK;
}

static ee_status compare(const scores *ours, const scores *theirs, const float *temperature,
                         float threshold) {
  for (int64_t i = 0; i < ours->n; i++) {
    if (ours->label[i] != theirs->label[i]) {
      return EE_FAIL(EE_ERR_ARG, "sample %lld has label %d, in the reference %d", (long long)i,
                     ours->label[i], theirs->label[i]);
    }
  }
  for (int e = 0; e < ours->n_exits; e++) EE_TRY(compare_exit(ours, theirs, e));
  EE_TRY(compare_scores(ours, theirs));
  return compare_shares(ours, theirs, temperature, threshold);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: compare_reference EXITS.h5 REFERENCE.h5 SAMPLES THRESHOLD\n");
    return 2;
  }
  scores    ours = {0}, theirs = {0};
  float     temperature[MOST_EXITS];
  ee_status status = read_table(argv[1], atoll(argv[3]), &ours, temperature);
  if (status == EE_OK) status = read_reference(argv[2], &ours, &theirs);
  if (status == EE_OK) status = compare(&ours, &theirs, temperature, strtof(argv[4], NULL));
  if (status != EE_OK) fprintf(stderr, "compare_reference: %s\n", ee_status_message());
  scores_close(&ours);
  scores_close(&theirs);
  return status != EE_OK;
}
