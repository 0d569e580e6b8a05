// RINGCP_CHECK(condition): stops the program with file and line when an assumption of the
// code itself is wrong. For bugs only; whatever a user, a file or the kernel can cause is
// a status or a FileError. (Debian 12's abseil has no CHECK yet.)

#ifndef RINGCP_CORE_BASE_CHECK_H_
#define RINGCP_CORE_BASE_CHECK_H_

#include "absl/base/internal/raw_logging.h"

#define RINGCP_CHECK(condition) \
  ABSL_INTERNAL_CHECK(condition, "this is a bug in ringcp; please report it")

#endif  // RINGCP_CORE_BASE_CHECK_H_
