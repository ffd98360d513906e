/*
 * A disk that fails on purpose: loaded into a process with LD_PRELOAD, it keeps a journal of what is
 * written under one directory and when it is flushed, so that a power cut can be played afterwards,
 * fails flushes or writes, and kills the process in the middle of one.
 *
 *   FRAIL_DIR      the directory
 *   FRAIL_JOURNAL  the file of the journal
 *   FRAIL_KILL     NUMBER:before|half|after   SIGKILL at that write or flush
 *   FRAIL_FAULT    sync|write:FROM:COUNT:ERRNO   these flushes or writes fail
 *
 * A record: kind (w, s: flushed, f: flush failed, t: cut to the offset, u: removed), length of the
 * name, two bytes of nothing, length of the data, offset; then the file's name and the data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *directory;
static int journal = -1;
static long operations, kill_at, counted, fail_from, fail_count;
static char kill_how[8] = "", fail_kind[8] = "";
static int fail_errno;

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("FRAIL_JOURNAL"), *kill_spec = getenv("FRAIL_KILL"), *fault = getenv("FRAIL_FAULT");
  directory = getenv("FRAIL_DIR");
  if (directory == NULL || file == NULL) return;
  journal = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (kill_spec != NULL) sscanf(kill_spec, "%ld:%7s", &kill_at, kill_how);
  if (fault != NULL) sscanf(fault, "%7[^:]:%ld:%ld:%d", fail_kind, &fail_from, &fail_count, &fail_errno);
}

/* The name of a file in the directory, or NULL for any other, and for the shared memory of the log. */
static const char *watched(const char *path) {
  size_t length = directory == NULL ? 0 : strlen(directory);
  if (length == 0 || strncmp(path, directory, length) != 0 || path[length] != '/') return NULL;
  const char *name = path + length + 1;
  size_t size = strlen(name);
  return size > 4 && strcmp(name + size - 4, "-shm") == 0 ? NULL : name;
}

static const char *name_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, PATH_MAX - 1);
  if (size < 0) return NULL;
  path[size] = 0;
  return watched(path);
}

static void record(char kind, const char *name, uint64_t offset, const void *data, uint32_t length) {
  unsigned char head[16] = {(unsigned char)kind, (unsigned char)strlen(name)};
  memcpy(head + 4, &length, 4);
  memcpy(head + 8, &offset, 8);
  struct iovec parts[3] = {{head, 16}, {(void *)name, strlen(name)}, {(void *)data, length}};
  if (writev(journal, parts, 3) < 0) abort();
}

static int dies(const char *how) {
  return operations == kill_at && strcmp(kill_how, how) == 0;
}

static int fails(const char *kind) {
  if (strcmp(kind, fail_kind) != 0) return 0;
  counted += 1;
  return counted >= fail_from && counted < fail_from + fail_count;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = dlsym(RTLD_NEXT, "pwrite64");
  char path[PATH_MAX];
  const char *name = journal < 0 ? NULL : name_of(fd, path);
  if (name == NULL) return real(fd, data, length, offset);
  operations += 1;
  if (dies("before")) raise(SIGKILL);
  if (fails("write")) {
    errno = fail_errno;
    return -1;
  }
  size_t part = dies("half") ? length / 2 : length;
  record('w', name, (uint64_t)offset, data, (uint32_t)part);
  ssize_t done = real(fd, data, part, offset);
  if (dies("half") || dies("after")) raise(SIGKILL);
  return done;
}

static int flush(int fd, int (*real)(int)) {
  char path[PATH_MAX];
  const char *name = journal < 0 ? NULL : name_of(fd, path);
  if (name == NULL) return real(fd);
  operations += 1;
  if (dies("before") || dies("half")) raise(SIGKILL);
  int failed = fails("sync");
  record(failed ? 'f' : 's', name, 0, "", 0);
  if (dies("after")) raise(SIGKILL);
  if (!failed) return 0;
  errno = fail_errno;
  return -1;
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "fsync");
  return flush(fd, real);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "fdatasync");
  return flush(fd, real);
}

int ftruncate64(int fd, off64_t length) {
  static int (*real)(int, off64_t);
  if (real == NULL) real = dlsym(RTLD_NEXT, "ftruncate64");
  char path[PATH_MAX];
  const char *name = journal < 0 ? NULL : name_of(fd, path);
  if (name != NULL) record('t', name, (uint64_t)length, "", 0);
  return real(fd, length);
}

int unlink(const char *path) {
  static int (*real)(const char *);
  if (real == NULL) real = dlsym(RTLD_NEXT, "unlink");
  const char *name = journal < 0 ? NULL : watched(path);
  if (name != NULL) record('u', name, 0, "", 0);
  return real(path);
}
