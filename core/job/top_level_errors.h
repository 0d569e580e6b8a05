// How copies are told to have failed that can't even begin, because of what their source
// and target are.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CORE_JOB_TOP_LEVEL_ERRORS_H_
#define RINGCP_CORE_JOB_TOP_LEVEL_ERRORS_H_

#include <sys/stat.h>

#include <string>

#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/file/reporter.h"

namespace ringcp {

// The operation that makes the copy of a source of this mode, or the link to it.
Operation MakingOperation(mode_t mode, const CopyOptions& options);

// What has the name of a target that is named with a slash behind it.
struct NamedAsDirectory {
  const struct statx* existing = nullptr;  // nullptr: nothing, or a link to nowhere.
  bool is_dangling = false;
};

// Reports that a target named with a slash behind it can't be the copy of a source that
// has this `stat`, because that is no directory or the target is a link to nowhere.
// Reports nothing if -n or -u leaves the target alone.
void ReportNamedAsDirectory(const CopyRequest& request, const std::string& source,
                            const struct statx& stat, const NamedAsDirectory& target,
                            Reporter* reporter);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TOP_LEVEL_ERRORS_H_
