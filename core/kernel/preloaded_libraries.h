// Libraries that stand in for the C library's calls, such as fakeroot's (LD_PRELOAD, see
// ld.so(8)).
//
// What is true while there are any, and who sees to it:
//  - Calls go through the C library, and io_uring is not used, because nobody could stand
//    in for that: UringKernel::Create() fails, and ringcp becomes the program that is
//    linked dynamically (cli/companion_program.h). By syscall(2) goes only what changes
//    no file: cachestat(2), which tells what is in memory, and what standard_streams.h
//    does before there are libraries. fchmodat2(2) is left out (path_descriptor.cc), and
//    openat2(2) is called by kernels with a ring alone (asked_calls.h).
//  - One thread copies (core/job/worker_count.cc), because such libraries are written
//    for programs such as cp, which have one. fakeroot's mkdirat() and mknodat() change
//    the process's umask for a moment: another thread's new files would get permissions
//    that the user withholds, and two threads could leave the wrong umask behind. (The
//    thread that adds up sizes for the progress makes nothing.)
//  - Whether a node's name is taken is seen before the node is made, because fakeroot's
//    mknodat() empties what has that name (system_calls.cc).
//  - Owners and modes are set even if they look right
//    (FileCopyPolicy::always_sets_attributes).
//
// Other ways to put a library into a process are left alone. /etc/ld.so.preload is meant
// for all programs that are linked dynamically, which ringcp is not, and asking for it
// would cost every start a call. LD_AUDIT is for watching them being linked, and
// LD_LIBRARY_PATH only says where libraries lie.
//
// Thread-safety: may be called by any thread, as long as none changes the environment.

#ifndef RINGCP_CORE_KERNEL_PRELOADED_LIBRARIES_H_
#define RINGCP_CORE_KERNEL_PRELOADED_LIBRARIES_H_

namespace ringcp {

// Whether this process, or the dynamically linked program that it becomes, has such
// libraries. They may be missing or have done nothing: that only costs time. False if the
// process runs with more rights than its user has (set-user-ID): then the user does not
// get to choose its code.
bool LibrariesArePreloaded();

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_PRELOADED_LIBRARIES_H_
