// Makes further names of what has been copied: hard links to the copy.
//
// Thread-safety: the functions may be called by any thread, for different targets.

#ifndef RINGCP_CORE_FILE_HARD_LINK_H_
#define RINGCP_CORE_FILE_HARD_LINK_H_

#include <fcntl.h>

#include <string>

#include "core/base/file_identity.h"
#include "core/file/copy_policy.h"
#include "core/file/node_copy.h"
#include "core/file/target_decision.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// A file that has been copied under one of its names.
struct CopiedFile {
  FileIdentity source;
  CopyKind kind = CopyKind::kContents;  // Or kLink, kNode.
  // The copy.
  int directory = AT_FDCWD;
  const char* name = nullptr;
};

// Makes names.target a hard link to the copy of names.source, which is another name of
// `copied`. What is there is replaced or not by GNU cp's rules; where no link can be
// made, it stays, but for what GNU cp removes before it tries. If links are followed
// where the source is found, the name of a copy may be a link that was written through:
// then names.target becomes a name of what it leads to.
NodeResult MakeHardLink(const FileCopyPolicy& policy, const FileCopyNames& names,
                        const CopiedFile& copied);

// Opens the directory that the last part of `path` is in, step by step beneath `top` and
// without following links: an O_PATH descriptor, or -errno. `path` may be longer than
// PATH_MAX.
int OpenParentBeneath(Kernel* kernel, int top, const std::string& path);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_HARD_LINK_H_
