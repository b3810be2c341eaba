/* SPDX-License-Identifier: Apache-2.0 */
/* What is compared before and after calibration, in one pass over the samples. */
#include <math.h>
#include <stdlib.h>

#include "ee/measures.h"

double ee_scaled_softmax(const float *z, int n, const ee_scaling *scaling, int label, double *p) {
  double top = -INFINITY, sum = 0.0;
  for (int k = 0; k < n; k++) {
    double weight = scaling->weight != NULL ? scaling->weight[k] : 1.0;
    double bias   = scaling->bias != NULL ? scaling->bias[k] : 0.0;
    p[k]          = (weight * z[k] + bias) / scaling->temperature;
    top           = fmax(top, p[k]);
  }
  double of_label = p[label] - top;
  for (int k = 0; k < n; k++) sum += p[k] = exp(p[k] - top);
  for (int k = 0; k < n; k++) p[k] /= sum;
  return log(sum) - of_label;
}

int ee_bin_of(double probability) {
  int bin = (int)ceil(probability * EE_ECE_BINS) - 1;
  return bin < 0 ? 0 : bin < EE_ECE_BINS ? bin : EE_ECE_BINS - 1;
}

/* While samples are added, a bin's confidence and accuracy are sums. */
static void add_sample(ee_reliability *diagram, double confidence, bool right) {
  ee_bin *bin = &diagram->bin[ee_bin_of(confidence)];
  bin->count++;
  bin->confidence += confidence;
  bin->accuracy += right;
}

static void finish(ee_reliability *diagram, int64_t n) {
  double error = 0.0;
  for (int b = 0; b < EE_ECE_BINS; b++) {
    ee_bin *bin = &diagram->bin[b];
    if (bin->count == 0) continue;
    error += fabs(bin->accuracy - bin->confidence);
    bin->confidence /= (double)bin->count;
    bin->accuracy /= (double)bin->count;
  }
  diagram->ece = error / (double)n;
}

void ee_reliability_make(int64_t n, const double *confidence, const bool *right,
                         ee_reliability *diagram) {
  *diagram = (ee_reliability){.ece = 0.0};
  for (int64_t i = 0; i < n; i++) add_sample(diagram, confidence[i], right[i]);
  finish(diagram, n);
}

static int most_probable(const double *p, int n) {
  int best = 0;
  for (int k = 1; k < n; k++) best = p[k] > p[best] ? k : best;
  return best;
}

/* Add one sample; @p excess has shape [n, EE_ECE_BINS]: per class and bin, sum of hit - p. */
static void measure_sample(const double *p, int n, int label, ee_measures *m, double *excess) {
  int top = most_probable(p, n);
  m->accuracy += top == label;
  add_sample(&m->reliability, p[top], top == label);
  for (int k = 0; k < n; k++) {
    double miss = (k == label) - p[k];
    m->brier += miss * miss;
    excess[k * EE_ECE_BINS + ee_bin_of(p[k])] += miss;
  }
}

static void measure(const ee_scores *scores, const ee_scaling *scaling, double *p, double *excess,
                    ee_measures *m) {
  int classes = scores->n_classes;
  *m          = (ee_measures){.nll = 0.0};
  for (int64_t i = 0; i < scores->n; i++) {
    m->nll +=
        ee_scaled_softmax(scores->logits + i * classes, classes, scaling, scores->label[i], p);
    measure_sample(p, classes, scores->label[i], m, excess);
  }
  for (int b = 0; b < classes * EE_ECE_BINS; b++) m->classwise_ece += fabs(excess[b]);

  double n = (double)scores->n;
  m->nll /= n;
  m->accuracy /= n;
  m->brier /= n;
  m->classwise_ece /= n * classes;
  finish(&m->reliability, scores->n);
}

ee_status ee_measure(const ee_scores *scores, const ee_scaling *scaling, ee_measures *measures) {
  double *p = calloc((size_t)scores->n_classes, (1 + EE_ECE_BINS) * sizeof *p);
  if (p == NULL) return EE_FAIL(EE_ERR_NOMEM, "to measure %d classes", scores->n_classes);
  measure(scores, scaling, p, p + scores->n_classes, measures);
  free(p);
  return EE_OK;
}
