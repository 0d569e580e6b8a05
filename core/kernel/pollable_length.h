// How much of a device's files can be read or written with completions asked for at the
// device (--iopoll), instead of waiting for its interrupts. That is asked before it is
// tried, for two reasons:
//  - Older kernels (6.1) take polled reads of devices without poll queues, and poll in
//    vain until the interrupt comes; newer ones (6.18) refuse them.
//  - A polled read or write that the block layer has to split may never end (seen with
//    Linux 6.1 and blocks of 1 MiB on an NVMe device that takes 512 KiB). So none is
//    longer than what the device takes in one piece, and devices that are made of others,
//    which split as they like, are not polled.
//
// File systems may refuse all the same, with EOPNOTSUPP (or EINVAL, which O_DIRECT also
// has for other reasons). Such a refusal is believed once the same read or write has gone
// well without polling (FileSystem::refuses_polling()).
//
// Thread-safety: pure apart from reading files.

#ifndef RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_
#define RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace ringcp {

// How many bytes of files on `device` may be read or written in one polled operation: a
// multiple of 4096, 0 where it can't be polled. `sysfs` is "/sys" but for tests.
uint32_t PollableLength(const std::string& sysfs, dev_t device);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_
