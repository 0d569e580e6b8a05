// How many bytes of a file can be read or written in one polled operation (--iopoll), for
// which the engine asks the device for completions instead of waiting for its interrupts.
// The engine looks this up before it tries to poll, for two reasons:
//  - Older Linux (6.1) accepts polled reads on devices without poll queues, and polls in
//    vain until the interrupt comes; newer Linux (6.18) refuses them.
//  - A polled read or write that the block layer has to split may never end (seen with
//    Linux 6.1 and blocks of 1 MiB on an NVMe device that takes 512 KiB). So none is
//    longer than what the device takes in one piece, and devices that are made of other
//    devices, which split as they like, are not polled.
//
// File systems may still refuse, with EOPNOTSUPP (or with EINVAL, for which O_DIRECT has
// other reasons as well). The copy believes such a refusal once the same read or write
// has succeeded without polling (FileSystem::refuses_polling()).
//
// Thread-safety: pure apart from reading files.

#ifndef RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_
#define RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace ringcp {

// How many bytes of a file on `device` may be read or written in one polled operation: a
// multiple of 4096; 0 if the device can't be polled. `sysfs` is "/sys" except in tests.
uint32_t PollableLength(const std::string& sysfs, dev_t device);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_POLLABLE_LENGTH_H_
