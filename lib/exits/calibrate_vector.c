/* SPDX-License-Identifier: Apache-2.0 */
/* Vector scaling: a weight and a bias for each class. */
#include <stdlib.h>
#include <string.h>

#include "ee/scaling.h"
#include "lbfgs.h"

#define GRADIENT_TOLERANCE 1e-8
#define MOST_STEPS 1000

typedef struct problem {
  const ee_scores *scores;
  double          *p;  // shape [n_classes]
} problem;

static void add_sample(const float *z, int classes, int label, const double *p, double *gradient) {
  for (int k = 0; k < classes; k++) {
    double excess = p[k] - (k == label);
    gradient[k] += excess * z[k];
    gradient[classes + k] += excess;
  }
}

/* Mean NLL and ridge at x = (weight, bias), and their gradient. */
static double value(void *self, const double *x, double *gradient) {
  const problem   *it      = self;
  const ee_scores *s       = it->scores;
  int              classes = s->n_classes;
  ee_scaling       scaling = {.temperature = 1.0, .weight = x, .bias = x + classes};
  double           nll = 0.0, ridge = 0.0;
  memset(gradient, 0, 2 * (size_t)classes * sizeof *gradient);
  for (int64_t i = 0; i < s->n; i++) {
    const float *z = s->logits + i * classes;
    nll += ee_scaled_softmax(z, classes, &scaling, s->label[i], it->p);
    add_sample(z, classes, s->label[i], it->p, gradient);
  }
  for (int j = 0; j < 2 * classes; j++) {
    double away = x[j] - (j < classes);  // from weight 1, bias 0
    gradient[j] = gradient[j] / (double)s->n + EE_VECTOR_RIDGE * away;
    ridge += away * away;
  }
  return nll / (double)s->n + EE_VECTOR_RIDGE / 2 * ridge;
}

ee_status ee_calibrate_vector(const ee_scores *scores, double *weight, double *bias) {
  EE_TRY(ee_scores_check(scores));
  int     classes = scores->n_classes;
  double *room    = calloc((size_t)classes, 3 * sizeof *room);
  if (room == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the scaling of %d classes", classes);

  problem   it = {.scores = scores, .p = room + 2 * (size_t)classes};
  ee_smooth f  = {.n = 2 * classes, .self = &it, .value = value};
  for (int k = 0; k < classes; k++) room[k] = 1.0;
  ee_status status = ee_lbfgs(&f, GRADIENT_TOLERANCE, MOST_STEPS, room);
  if (status == EE_OK) {
    memcpy(weight, room, (size_t)classes * sizeof *weight);
    memcpy(bias, room + classes, (size_t)classes * sizeof *bias);
  }
  free(room);
  return status;
}
