/* SPDX-License-Identifier: Apache-2.0 */
/* The seal in front of a file: magic, version, length and checksum of all that follows. */
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regular_file.h"

#define BLOCK_BYTES ((size_t)1 << 20)  // read at a time
#define SEAL_VERSION 1

enum {  // where things stand in the seal; integers are little-endian
  AT_MAGIC    = 0,
  AT_VERSION  = 8,
  AT_LENGTH   = 16,   // of what follows the seal [byte]
  AT_CHECKSUM = 24,   // of what follows the seal
  AT_TEXT     = 32,   // for people, then zeros
  AT_SELF     = 504,  // checksum of the seal's first 504 bytes
};

static const unsigned char magic[8]      = {0x89, 'E', 'E', 'S', 'E', 'A', 'L', '\n'};
static const unsigned char hdf5_magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
static const char          text[] =
    "EdgeExit: a seal of 512 bytes, then an HDF5 file.  Read it with h5dump or h5py.\n";

/* table[0] is the CRC of one byte, table[k] that of a byte followed by k zeros. */
static void crc_tables(uint64_t table[8][256]) {
  for (unsigned i = 0; i < 256; i++) {
    uint64_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xc96c5795d7870f42u : 0);
    table[0][i] = crc;
  }
  for (int k = 1; k < 8; k++) {
    for (int i = 0; i < 256; i++) {
      uint64_t before = table[k - 1][i];
      table[k][i]     = before >> 8 ^ table[0][before & 0xff];
    }
  }
}

static uint64_t get_le(const unsigned char *p, int bytes) {
  uint64_t x = 0;
  for (int i = 0; i < bytes; i++) x |= (uint64_t)p[i] << 8 * i;
  return x;
}

static void put_le(unsigned char *p, int bytes, uint64_t x) {
  for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(x >> 8 * i);
}

uint64_t ee_crc64(uint64_t crc, const void *bytes, size_t n) {
  static _Thread_local uint64_t table[8][256];
  if (table[0][1] == 0) crc_tables(table);

  const unsigned char *p = bytes;
  crc                    = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t x = crc ^ get_le(p, 8);
    crc        = table[7][x & 0xff] ^ table[6][x >> 8 & 0xff] ^ table[5][x >> 16 & 0xff] ^
          table[4][x >> 24 & 0xff] ^ table[3][x >> 32 & 0xff] ^ table[2][x >> 40 & 0xff] ^
          table[1][x >> 48 & 0xff] ^ table[0][x >> 56];
  }
  for (; n > 0; n--, p++) crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
  return ~crc;
}

/* Read up to @p n bytes; fewer only at the end of the file; -1 on error. */
static ssize_t read_fully(int fd, unsigned char *bytes, size_t n) {
  size_t done = 0;
  while (done < n) {
    ssize_t got = read(fd, bytes + done, n - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ssize_t)done;
}

/* Length and checksum of the rest of the file from where fd stands. */
static ee_status checksum_rest(int fd, const char *shown, uint64_t *length, uint64_t *checksum) {
  unsigned char *block = malloc(BLOCK_BYTES);
  if (block == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s", shown);

  *length     = 0;
  *checksum   = 0;
  ssize_t got = (ssize_t)BLOCK_BYTES;
  while (got == (ssize_t)BLOCK_BYTES) {
    got = read_fully(fd, block, BLOCK_BYTES);
    if (got < 0) break;
    *checksum = ee_crc64(*checksum, block, (size_t)got);
    *length += (uint64_t)got;
  }
  int error = errno;
  free(block);
  if (got < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", shown, strerror(error));
  return EE_OK;
}

static void fill_seal(unsigned char *seal, uint64_t length, uint64_t checksum) {
  memset(seal, 0, EE_SEAL_BYTES);
  memcpy(seal + AT_MAGIC, magic, sizeof magic);
  put_le(seal + AT_VERSION, 4, SEAL_VERSION);
  put_le(seal + AT_LENGTH, 8, length);
  put_le(seal + AT_CHECKSUM, 8, checksum);
  memcpy(seal + AT_TEXT, text, sizeof text);
  put_le(seal + AT_SELF, 8, ee_crc64(0, seal, AT_SELF));
}

static ee_status stamp_open_file(int fd, const char *shown) {
  uint64_t      length, checksum;
  unsigned char seal[EE_SEAL_BYTES];
  if (lseek(fd, EE_SEAL_BYTES, SEEK_SET) < 0)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be sealed: %s", shown, strerror(errno));
  EE_TRY(checksum_rest(fd, shown, &length, &checksum));

  fill_seal(seal, length, checksum);
  if (pwrite(fd, seal, sizeof seal, 0) != (ssize_t)sizeof seal || fsync(fd) != 0)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be sealed: %s", shown, strerror(errno));
  return EE_OK;
}

ee_status ee_seal_stamp(const char *path, const char *shown) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be sealed: %s", shown, strerror(errno));
  ee_status status = stamp_open_file(fd, shown);
  if (close(fd) != 0 && status == EE_OK)
    status = EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", shown, strerror(errno));
  return status;
}

/* What the seal itself can tell, before the rest is read. */
static ee_status check_block(const unsigned char *seal, size_t got, const char *path) {
  if (got >= sizeof hdf5_magic && memcmp(seal, hdf5_magic, sizeof hdf5_magic) == 0)
    return EE_FAIL(EE_ERR_FORMAT, "%s is an HDF5 file without EdgeExit's seal", path);
  if (got < sizeof magic || memcmp(seal, magic, sizeof magic) != 0)
    return EE_FAIL(EE_ERR_FORMAT, "%s is not a sealed EdgeExit file", path);
  if (got < EE_SEAL_BYTES)
    return EE_FAIL(EE_ERR_FORMAT, "%s is cut short: it ends after %zu bytes, inside its seal", path,
                   got);
  if (get_le(seal + AT_SELF, 8) != ee_crc64(0, seal, AT_SELF))
    return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: its seal does not match its own checksum", path);
  if (get_le(seal + AT_VERSION, 4) != SEAL_VERSION)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s has a seal of version %u, this program reads version %d",
                   path, (unsigned)get_le(seal + AT_VERSION, 4), SEAL_VERSION);
  return EE_OK;
}

static ee_status check_open_file(int fd, const char *path) {
  struct stat info;
  if (fstat(fd, &info) != 0)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", path, strerror(errno));

  unsigned char seal[EE_SEAL_BYTES];
  ssize_t       got = read_fully(fd, seal, sizeof seal);
  if (got < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", path, strerror(errno));
  EE_TRY(check_block(seal, (size_t)got, path));

  uint64_t length, checksum, expected = get_le(seal + AT_LENGTH, 8);
  uint64_t actual = (uint64_t)info.st_size - EE_SEAL_BYTES;
  if (actual != expected)
    return EE_FAIL(EE_ERR_FORMAT, "%s is %s: %llu bytes follow its seal, which says %llu", path,
                   actual < expected ? "cut short" : "too long", (unsigned long long)actual,
                   (unsigned long long)expected);
  EE_TRY(checksum_rest(fd, path, &length, &checksum));
  if (length != expected || checksum != get_le(seal + AT_CHECKSUM, 8))
    return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: its bytes do not match the checksum in its seal",
                   path);
  return EE_OK;
}

ee_status ee_seal_check(const char *path) {
  int fd;
  EE_TRY(ee_regular_file_open(path, &fd));
  ee_status status = check_open_file(fd, path);
  close(fd);
  return status;
}
