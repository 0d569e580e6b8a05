// Deals with standard input, output and error that a process was started without (`<&-`,
// `>&-`).
//
// Thread-safety: OccupyStandardStreams() is called before there are other threads; the
// other function is pure.

#ifndef RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_
#define RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_

#include <sys/stat.h>

namespace ringcp {

// Occupies those of descriptors 0, 1 and 2 that are closed, so that no file is opened as
// one of them and has messages written into it. Reading from them or writing to them
// still fails (EBADF). They can't be opened anew as /dev/stdin or /dev/stdout either,
// because they refer to a symbolic link itself.
//
// Called by main(), or, in a program whose libraries open files before main() (gRPC
// does), by RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES. So it uses nothing that has
// to be set up.
void OccupyStandardStreams();

// Whether a path, such as /dev/stdin, leads to a standard stream that was closed and is
// now occupied. `followed` is the stat of the path with all links followed: of nothing
// else does it say that it is a symbolic link. To a process that has not occupied the
// stream, the path would not exist.
inline bool IsClosedStream(const struct statx& followed) {
  return S_ISLNK(followed.stx_mode);
}

}  // namespace ringcp

// To be used once, in the file that has main(): the loader then calls
// OccupyStandardStreams() before it sets up any library.
#define RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES                          \
  namespace {                                                                    \
  [[gnu::section(".preinit_array"),                                              \
    gnu::used]] void (*const kOccupyStreams)() = &ringcp::OccupyStandardStreams; \
  }

#endif  // RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_
