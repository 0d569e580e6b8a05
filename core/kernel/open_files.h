// How many files this process may have open.
//
// Thread-safety: OpenFilesMax() may be called by any thread; RaiseOpenFilesMax() is
// called before there are other threads.

#ifndef RINGCP_CORE_KERNEL_OPEN_FILES_H_
#define RINGCP_CORE_KERNEL_OPEN_FILES_H_

namespace ringcp {

int OpenFilesMax();

// Raises that limit as far as the process may, because a job keeps many files open, and
// in a deep tree also all directories on its way down. Shells set a low limit only for
// the sake of select(2), which nothing here uses.
void RaiseOpenFilesMax();

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_OPEN_FILES_H_
