/* SPDX-License-Identifier: Apache-2.0 */
/* Master traces: linking the parts that several nodes wrote, and finding them again. */
#include "trace_link.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h5_detach.h"
#include "h5_text.h"
#include "trace_format.h"

#define CREATED_BY "edgeexit " EE_VERSION

/* Bytes of `path` up to and with its last slash; 0 if it has none. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

/* `path` from the root; malloc()ed. */
static char *full_path(const char *path) {
  char cwd[PATH_MAX];
  if (path[0] == '/' || getcwd(cwd, sizeof cwd) == NULL) return strdup(path);
  size_t size = strlen(cwd) + strlen(path) + 2;
  char  *full = malloc(size);
  if (full != NULL) snprintf(full, size, "%s/%s", cwd, path);
  return full;
}

/* How the master names a part: a part beside it by its name, so that both can be moved together;
 * any other one by its full path.  malloc()ed. */
static char *link_target(const char *master, const char *part) {
  size_t folder = folder_length(part);
  bool   beside = folder == folder_length(master) && strncmp(part, master, folder) == 0;
  return beside ? strdup(part + folder) : full_path(part);
}

static ee_status write_link(const ee_h5 *h5, hid_t group, const char *part, int i) {
  char name[16];
  snprintf(name, sizeof name, "%d", i);
  char *target = link_target(h5->path, part);
  if (target == NULL) return EE_FAIL(EE_ERR_NOMEM, "for linking %s", part);
  ee_status status = EE_OK;
  if (H5Lcreate_external(target, "/", group, name, H5P_DEFAULT, H5P_DEFAULT) < 0) {
    status = ee_h5_fail(h5, EE_ERR_FILE, "link", part);
  }
  free(target);
  return status;
}

static ee_status write_links(const ee_h5 *h5, const char *const *part, int n_parts) {
  EE_TRY(ee_h5_write_text_attribute(h5, "/", "format", EE_TRACE_FORMAT));
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "format_version", EE_TRACE_VERSION));
  EE_TRY(ee_h5_write_text_attribute(h5, "/", "created_by", CREATED_BY));
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "n_parts", n_parts));

  hid_t     group  = H5Gcreate2(h5->id, "/parts", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ee_status status = group >= 0 ? EE_OK : ee_h5_fail(h5, EE_ERR_FILE, "create", "/parts");
  for (int i = 0; i < n_parts && status == EE_OK; i++) status = write_link(h5, group, part[i], i);
  ee_h5_release(group);
  return status;
}

ee_status ee_trace_link_parts(const char *path, const char *const *part, int n_parts) {
  if (n_parts < 1 || n_parts > EE_TRACE_MAX_PARTS) {
    return EE_FAIL(EE_ERR_ARG, "%s: n_parts is %d, expected 1 to %d", path, n_parts,
                   EE_TRACE_MAX_PARTS);
  }
  ee_h5_quiet();
  ee_h5 h5 = {.id = H5I_INVALID_HID, .path = strdup(path)};
  if (h5.path == NULL) return EE_FAIL(EE_ERR_NOMEM, "for writing %s", path);

  h5.id            = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  ee_status status = h5.id >= 0 ? write_links(&h5, part, n_parts)
                                : ee_h5_fail(&h5, EE_ERR_FILE, "create", "the file");
  if (status == EE_OK) {
    status = ee_h5_flush_or_detach(&h5);
  } else {
    ee_h5_detach(&h5);
  }
  ee_h5_close(&h5);
  return status;
}

/* Where the target of a link in `master` is: relative ones start at the master's folder. */
static char *resolve(const char *master, const char *target) {
  size_t folder = target[0] == '/' ? 0 : folder_length(master);
  size_t size   = folder + strlen(target) + 1;
  char  *path   = malloc(size);
  if (path != NULL) snprintf(path, size, "%.*s%s", (int)folder, master, target);
  return path;
}

static ee_status read_link(const ee_h5 *h5, int i, char **part) {
  char name[32];
  snprintf(name, sizeof name, "/parts/%d", i);
  H5L_info_t  info;
  char        value[PATH_MAX + 64];  // the file, the object in it, and flags
  const char *target = NULL, *object = NULL;
  unsigned    flags;
  bool        read = H5Lget_info(h5->id, name, &info, H5P_DEFAULT) >= 0 &&
              info.type == H5L_TYPE_EXTERNAL && info.u.val_size <= sizeof value &&
              H5Lget_val(h5->id, name, value, sizeof value, H5P_DEFAULT) >= 0 &&
              H5Lunpack_elink_val(value, info.u.val_size, &flags, &target, &object) >= 0;
  if (!read || target[0] == '\0') {
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s is no link to another trace", h5->path, name);
  }
  *part = resolve(h5->path, target);
  return *part != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for the parts of %s", h5->path);
}

ee_status ee_trace_read_links(const ee_h5 *h5, char ***part, int *n) {
  *part = NULL;
  *n    = 0;
  if (!ee_h5_exists(h5, "/parts")) return EE_OK;

  int64_t n_parts;
  EE_TRY(ee_h5_read_int_attribute(h5, "/", "n_parts", 1, EE_TRACE_MAX_PARTS, &n_parts));
  char **list = calloc((size_t)n_parts, sizeof *list);
  if (list == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the parts of %s", h5->path);
  ee_status status = EE_OK;
  for (int i = 0; i < n_parts && status == EE_OK; i++) status = read_link(h5, i, &list[i]);
  if (status != EE_OK) {
    ee_h5_free_texts(list, (int)n_parts);
    return status;
  }
  *part = list;
  *n    = (int)n_parts;
  return EE_OK;
}
