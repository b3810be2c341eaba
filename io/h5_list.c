/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the links of a file's root and of its groups. */
#include "h5_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_text.h"

#define NAME_BYTES 101

/* A walk over one group. */
typedef struct walk {
  const ee_h5 *h5;
  const char  *group;  // absolute, without an ending slash: "" for the root
  int          limit;
  char       **name;  // shape [limit]
  int          n;
  ee_status    status;
} walk;

static H5I_type_t type_of(const ee_h5 *h5, const char *name) {
  hid_t      object = H5Oopen(h5->id, name, H5P_DEFAULT);
  H5I_type_t type   = object >= 0 ? H5Iget_type(object) : H5I_BADID;
  ee_h5_release(object);
  return type;
}

static ee_status keep(walk *w, const char *name) {
  if (w->n == w->limit)
    return EE_FAIL(EE_ERR_FORMAT, "%s has more than %d arrays", w->h5->path, w->limit);
  w->name[w->n] = strdup(name);
  if (w->name[w->n] == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the names of %s", w->h5->path);
  w->n++;
  return EE_OK;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context);

static void walk_group(walk *w, const char *group) {
  const char *before = w->group;
  hid_t       id     = H5Gopen2(w->h5->id, group[0] != '\0' ? group : "/", H5P_DEFAULT);
  w->group           = group;
  if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, w) < 0 && w->status == EE_OK)
    w->status = ee_h5_fail(w->h5, EE_ERR_FORMAT, "list", group[0] != '\0' ? group : "/");
  ee_h5_release(id);
  w->group = before;
}

/* One link; what is wrong is left in the walk, and ends it. */
static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context) {
  walk *w = context;
  char  absolute[NAME_BYTES];
  (void)group;
  if (link->type != H5L_TYPE_HARD) return 0;
  if (snprintf(absolute, sizeof absolute, "%s/%s", w->group, name) >= (int)sizeof absolute) {
    w->status = EE_FAIL(EE_ERR_FORMAT, "%s: the name %s/%.40s... is longer than %d bytes",
                        w->h5->path, w->group, name, NAME_BYTES - 1);
    return -1;
  }
  H5I_type_t type = type_of(w->h5, absolute);
  if (type == H5I_DATASET) w->status = keep(w, absolute);
  if (type == H5I_GROUP && w->group[0] == '\0') walk_group(w, absolute);
  return w->status == EE_OK ? 0 : -1;
}

ee_status ee_h5_list_datasets(const ee_h5 *h5, int limit, char ***name, int *n) {
  walk w = {.h5 = h5, .limit = limit, .name = calloc((size_t)limit, sizeof *w.name)};
  *name  = NULL;
  *n     = 0;
  if (w.name == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the names of %s", h5->path);
  walk_group(&w, "");
  if (w.status != EE_OK) {
    ee_h5_free_texts(w.name, w.n);
    return w.status;
  }
  *name = w.name;
  *n    = w.n;
  return EE_OK;
}
