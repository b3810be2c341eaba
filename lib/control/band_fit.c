/* SPDX-License-Identifier: Apache-2.0 */
/* Bands that fit: what a byte counts as rises on devices that have too few, until all have enough,
 * and falls again as long as they do. */
#include <stdlib.h>

#include "band_choosing.h"

#define FIRST 0.01  // of a sample's time is what a device's whole memory counts as at first

enum { RAISES = 40, LOWERS = 5 };

typedef struct fit {
  const ee_band_choosing *c;
  double                 *price;  // shape [n_devices] [s/byte]
  ee_band_choice         *best;
  bool                   *lacks;  // shape [n_devices], of the last one that was tried
  bool                    fits;   // the last one
} fit;

/* Keeps the better one. */
static ee_status try(fit *f) {
  ee_band_choice one;
  ee_status      status = ee_band_choice_at(f->c, f->price, &one);
  for (int d = 0; d < f->c->chain->n_devices && status == EE_OK; d++) {
    f->lacks[d] = ee_band_lacks(f->c, &one, d) > 0.0;
  }
  f->fits = status == EE_OK && one.lacking <= 0.0;
  if (status == EE_OK && ee_band_choice_is_better(&one, f->best)) {
    ee_band_choice old = *f->best;
    *f->best           = one;
    one                = old;
  }
  ee_band_choice_free(&one);
  return status;
}

/* Until all have enough. */
static ee_status raise_prices(fit *f, double seconds) {
  const ee_chain *chain = f->c->chain;
  for (int i = 0; i < RAISES && !f->fits; i++) {
    for (int d = 0; d < chain->n_devices; d++) {
      double first = FIRST * seconds / (chain->memory[d] + 1.0);
      if (f->lacks[d]) f->price[d] = f->price[d] > 0.0 ? 2.0 * f->price[d] : first;
    }
    EE_TRY(try(f));
  }
  return EE_OK;
}

/* A lower price of device @p d, with which all still have enough. */
static ee_status lower_price(fit *f, int d) {
  double low = 0.0, high = f->price[d];
  for (int i = 0; i < LOWERS && high > 0.0; i++) {
    f->price[d] = 0.5 * (low + high);
    EE_TRY(try(f));
    if (f->fits) {
      high = f->price[d];
    } else {
      low = f->price[d];
    }
  }
  f->price[d] = high;
  return EE_OK;
}

static ee_status search(fit *f) {
  EE_TRY(try(f));
  EE_TRY(raise_prices(f, f->best->latency));
  for (int d = 0; d < f->c->chain->n_devices && f->fits; d++) {
    EE_TRY(lower_price(f, d));
    f->fits = true;  // with the prices as they are now
  }
  return EE_OK;
}

static ee_status fit_one_way(const ee_band_choosing *c, ee_band_choice *choice) {
  size_t    n      = (size_t)c->chain->n_devices;
  fit       f      = {.c     = c,
                      .price = calloc(n, sizeof *f.price),
                      .best  = choice,
                      .lacks = calloc(n, sizeof *f.lacks)};
  bool      there  = f.price != NULL && f.lacks != NULL;
  ee_status status = there ? search(&f) : EE_FAIL(EE_ERR_NOMEM, "for %zu devices", n);
  free(f.price);
  free(f.lacks);
  return status;
}

ee_status ee_band_fit(const ee_band_choosing *c, ee_band_choice *choice) {
  for (int way = EE_BORDERS_TOGETHER; way <= EE_BORDERS_APART; way++) {
    ee_band_wish     wish = *c->wish;
    ee_band_choosing one  = *c;
    if (wish.borders != EE_BORDERS_BEST && (int)wish.borders != way) continue;
    wish.borders = (ee_band_borders)way;
    one.wish     = &wish;
    EE_TRY(fit_one_way(&one, choice));
  }
  return ee_band_climb(c, choice);
}
