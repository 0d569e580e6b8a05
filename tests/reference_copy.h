// The rules of GNU cp as one function of plain system calls: one file after the other,
// slow, for root, and written to be read. What the engines do is compared with it.
//
// Thread-safety: pure but for the file system and the process's umask.

#ifndef RINGCP_TESTS_REFERENCE_COPY_H_
#define RINGCP_TESTS_REFERENCE_COPY_H_

#include <string>

#include "core/base/copy_options.h"

namespace ringcp {

// In which order sources and the entries of directories are copied: a directory may list
// its entries in any order.
enum class EntryOrder { kForwards, kBackwards };

// Copies what `request` names, and returns what JobRun::Messages() would: what went
// wrong, sorted, one failure a line; "" if nothing did. Of the options it knows those
// that say what a copy is; how it is made (engine, tuning, page cache, clones) does not
// matter.
//
// REQUIRES: the process is root, its umask is that of the options; with kNotDirectory
// there is one source, else the target is a directory. No source lies in the target or
// the other way round, all names differ, and all is on one file system.
std::string ReferenceCopy(const CopyRequest& request, EntryOrder order);

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFERENCE_COPY_H_
