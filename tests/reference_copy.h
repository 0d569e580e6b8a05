// The rules of GNU cp as one function of plain system calls. It is slow, needs root,
// copies one file after the other, and is written to be read. The engines are compared
// with it.
//
// Thread-safety: pure but for the file system and the process's umask.

#ifndef RINGCP_TESTS_REFERENCE_COPY_H_
#define RINGCP_TESTS_REFERENCE_COPY_H_

#include <string>

#include "core/base/copy_options.h"

namespace ringcp {

// In which order sources and the entries of directories are copied. Both orders must be
// tried because a directory may list its entries in any order.
enum class EntryOrder { kForwards, kBackwards };

// Copies what `request` names. Returns what JobRun::Messages() would: the failures,
// sorted, one a line; "" if there was none. Obeys only the options that say what a copy
// is. How the copy is made (engine, tuning, page cache, clones) makes no difference here.
//
// REQUIRES: the process is root, and its umask is that of the options. There are no
// backups yet, and nobody is asked (-i). With -s the sources are absolute. With
// kNotDirectory there is one source; otherwise the target is a directory. No source lies
// in the target nor the target in a source, all names differ, and everything is on one
// file system.
std::string ReferenceCopy(const CopyRequest& request, EntryOrder order);

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_H_
