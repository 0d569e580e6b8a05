// Standard input, output and error that a process was started without (`<&-`, `>&-`).
//
// Thread-safety: OccupyStandardStreams() is called before there are other threads; the
// other function is pure.

#ifndef RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_
#define RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_

#include <sys/stat.h>

namespace ringcp {

// Occupies those of descriptors 0, 1 and 2 that are closed, so that no file is opened as
// one of them and gets messages written into it. What is read from them or written to
// them fails as it would have (EBADF), and what they are can't be opened anew as
// /dev/stdin or /dev/stdout: they are a symbolic link itself.
//
// Called by main(), or, in a program whose libraries open files before that (gRPC does),
// by RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES: uses nothing that has to be set up.
void OccupyStandardStreams();

// Whether a path is that of a closed standard stream, such as /dev/stdin, by what stat(),
// having followed all links, says of it: of nothing else it says that it is a link. To a
// process that had not occupied the stream it would not exist.
inline bool IsClosedStream(const struct statx& followed) {
  return S_ISLNK(followed.stx_mode);
}

}  // namespace ringcp

// Once in the file that has main(): the loader calls what it names before it sets up any
// library.
#define RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES                          \
  namespace {                                                                    \
  [[gnu::section(".preinit_array"),                                              \
    gnu::used]] void (*const kOccupyStreams)() = &ringcp::OccupyStandardStreams; \
  }

#endif  // RINGCP_CORE_KERNEL_STANDARD_STREAMS_H_
