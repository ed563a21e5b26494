// Loaded into a process before the C library (LD_PRELOAD): a call that changes a file can stop the
// process, fail or do half of its work. Calls on paths of interest are counted; environment:
//
//   FAULT_RANK    the rank of the job that this is for; "alone" for a process that is in none
//   FAULT_PATH    a part of the path; of a rename it is a part of "FROM -> TO"
//   FAULT_CALL    a part of the call's name; without it, every call counts
//   FAULT_AT      the number of the first call that is disturbed, from 1; 0 for none
//   FAULT_TIMES   how many calls are; 1 without it
//   FAULT_MODE    stop (SIGSTOP before the call), short (half of what is to be written), or the
//                 number of an error that the call gives
//   FAULT_LOG     a file that gets a line for each counted call
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kPath = 8192 };

/// What becomes of a call.
enum Fate { kGoesOn, kFails, kIsShort };

static const char* setting(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value != NULL ? value : otherwise;
}

static bool is_this_rank(void) {
  return strcmp(setting("OMPI_COMM_WORLD_RANK", "alone"), setting("FAULT_RANK", "none")) == 0;
}

/// Told by calls that nobody disturbs, in a process that may be killed at any moment.
static void tell(const char* call, const char* path) {
  const char* log = setting("FAULT_LOG", "");
  if (log[0] == '\0') return;
  char line[kPath + 64];
  const int length = snprintf(line, sizeof(line), "%s %s\n", call, path);
  const int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (file < 0 || write(file, line, (size_t)length) != length) abort();
  close(file);
}

static enum Fate act(const char* call) {
  const char* mode = setting("FAULT_MODE", "stop");
  if (strcmp(mode, "stop") == 0) {
    kill(getpid(), SIGSTOP);
    return kGoesOn;
  }
  if (strcmp(mode, "short") == 0) return strstr(call, "write") != NULL ? kIsShort : kGoesOn;
  errno = atoi(mode);
  return kFails;
}

/// Counts the call if it is one of interest.
static enum Fate fate_of(const char* call, const char* path) {
  static __thread bool is_inside;
  static int count;
  if (is_inside || !is_this_rank()) return kGoesOn;
  if (strstr(path, setting("FAULT_PATH", "/")) == NULL) return kGoesOn;
  if (strstr(call, setting("FAULT_CALL", "")) == NULL) return kGoesOn;
  const int before = errno;
  is_inside = true;
  tell(call, path);
  is_inside = false;
  errno = before;
  const int first = atoi(setting("FAULT_AT", "0"));
  ++count;
  const bool is_hit =
      first > 0 && count >= first && count - first < atoi(setting("FAULT_TIMES", "1"));
  return is_hit ? act(call) : kGoesOn;
}

static enum Fate fate_of_open(const char* call, int file) {
  char link[64];
  char path[kPath];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length < 0) return kGoesOn;
  path[length] = '\0';
  return fate_of(call, path);
}

static enum Fate fate_of_two(const char* call, const char* from, const char* to) {
  char both[kPath];
  snprintf(both, sizeof(both), "%s -> %s", from, to);
  return fate_of(call, both);
}

/// The C library's function of that name, as `next`.
#define NEXT(name)                      \
  static __typeof__(&name) next = NULL; \
  if (next == NULL) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITE(name, parameters, call)                   \
  ssize_t name parameters {                             \
    NEXT(name);                                         \
    const enum Fate fate = fate_of_open("write", file); \
    if (fate == kFails) return -1;                      \
    if (fate == kIsShort && size > 1) size /= 2;        \
    return next call;                                   \
  }

#define OTHER(name, parameters, fate, call)   \
  int name parameters {                       \
    NEXT(name);                               \
    return (fate) == kFails ? -1 : next call; \
  }

#define OPEN(name)                                                              \
  int name(const char* path, int flags, ...) {                                  \
    NEXT(name);                                                                 \
    va_list rest;                                                               \
    va_start(rest, flags);                                                      \
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;      \
    va_end(rest);                                                               \
    const bool writes = (flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) != 0; \
    if (writes && fate_of("open", path) == kFails) return -1;                   \
    return next(path, flags, mode);                                             \
  }

WRITE(write, (int file, const void* bytes, size_t size), (file, bytes, size))
WRITE(pwrite, (int file, const void* bytes, size_t size, off_t at), (file, bytes, size, at))
WRITE(pwrite64, (int file, const void* bytes, size_t size, off64_t at), (file, bytes, size, at))
OPEN(open)
OPEN(open64)
OTHER(fsync, (int file), fate_of_open("fsync", file), (file))
OTHER(ftruncate, (int file, off_t size), fate_of_open("truncate", file), (file, size))
OTHER(ftruncate64, (int file, off64_t size), fate_of_open("truncate", file), (file, size))
OTHER(rename, (const char* from, const char* to), fate_of_two("rename", from, to), (from, to))
OTHER(mkdir, (const char* path, mode_t mode), fate_of("mkdir", path), (path, mode))
