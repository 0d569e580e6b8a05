// How many files this process may have open.
//
// Thread-safety: both may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_OPEN_FILES_H_
#define RINGCP_CORE_KERNEL_OPEN_FILES_H_

namespace ringcp {

int OpenFilesMax();

// Raises it as far as the process may: a job keeps many files open, and a deep tree all
// directories on its way down. The limit that a shell sets is low only for the sake of
// select(2), which nothing here uses. To be called before there are threads.
void RaiseOpenFilesMax();

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_OPEN_FILES_H_
