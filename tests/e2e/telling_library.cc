// A library to be named in LD_PRELOAD: it writes the name of each call that it stands in
// for to standard error, one a line, and makes the call. What a program asks of files
// past the C library's functions shows as "syscall NUMBER", or not at all.
//
// The C library's headers are not included, because some of them define these functions.
//
// Thread-safety: the functions may be called by any thread.

#include <dlfcn.h>
#include <stdio.h>
#include <sys/types.h>

namespace {

constexpr int kStandardError = 2;

template <typename Function>
Function* Next(Function* /*self*/, const char* name) {
  dprintf(kStandardError, "%s\n", name);
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// The macro's arguments are a declaration and a call, which parentheses would break.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define TELLS(name, parameters, arguments) \
  extern "C" int name parameters { return Next(&name, #name) arguments; }
// NOLINTEND(bugprone-macro-parentheses)

TELLS(chmod, (const char* path, mode_t mode), (path, mode))
TELLS(fchmod, (int fd, mode_t mode), (fd, mode))
TELLS(fchownat, (int at, const char* path, uid_t user, gid_t group, int flags),
      (at, path, user, group, flags))
TELLS(futimens, (int fd, const void* times), (fd, times))
TELLS(linkat, (int from, const char* old_path, int at, const char* path, int flags),
      (from, old_path, at, path, flags))
TELLS(mkdirat, (int at, const char* path, mode_t mode), (at, path, mode))
TELLS(mknodat, (int at, const char* path, mode_t mode, dev_t device),
      (at, path, mode, device))
// Without O_CREAT there is no mode, and what is passed on for it is not looked at.
TELLS(openat, (int at, const char* path, int flags, mode_t mode), (at, path, flags, mode))
TELLS(renameat, (int from, const char* old_path, int at, const char* path),
      (from, old_path, at, path))
TELLS(statx, (int at, const char* path, int flags, unsigned mask, void* stat),
      (at, path, flags, mask, stat))
TELLS(symlinkat, (const char* text, int at, const char* path), (text, at, path))
TELLS(unlinkat, (int at, const char* path, int flags), (at, path, flags))
TELLS(utimensat, (int at, const char* path, const void* times, int flags),
      (at, path, times, flags))

// NOLINTBEGIN(google-runtime-int,readability-identifier-naming): like syscall(2).
extern "C" long syscall(long number, long a, long b, long c, long d, long e, long f) {
  dprintf(kStandardError, "syscall %ld\n", number);
  auto* const next = reinterpret_cast<decltype(&syscall)>(dlsym(RTLD_NEXT, "syscall"));
  return next(number, a, b, c, d, e, f);
}
// NOLINTEND(google-runtime-int,readability-identifier-naming)
