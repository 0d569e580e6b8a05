// Makes hard links: to the copy of a file that has several names, for its further ones;
// with -l, to a source.
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
  // One name of the copy.
  int directory = AT_FDCWD;
  const char* name = nullptr;
};

// Makes names.target a hard link to the copy of names.source, which is another name of
// `copied`. GNU cp's rules decide whether it replaces an old target. If the hard link
// can't be made, the old target stays, unless it is one that GNU cp removes before it
// tries. If symbolic links are followed in the place where the source was found, the
// copy's name may be a symbolic link that the copy wrote through; names.target then
// becomes a name of the file that this link leads to.
NodeResult MakeHardLink(const FileCopyPolicy& policy, const FileCopyNames& names,
                        const CopiedFile& copied);

// Makes names.target a hard link to the source itself (-l), which is `source`. The same
// rules decide what becomes of an old target.
NodeResult MakeHardLinkToSource(const FileCopyPolicy& policy, const FileCopyNames& names,
                                const NodeSource& source);

// Opens the directory that the last part of `path` is in. It goes step by step beneath
// `top`, and `path` may be longer than PATH_MAX. Symbolic links are followed only as far
// as the target's directories may be reached through some: all of them with
// --keep-directory-symlink, and to known parents. Returns an O_PATH descriptor, or
// -errno.
int OpenParentBeneath(const FileCopyPolicy& policy, Kernel* kernel, int top,
                      const std::string& path);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_HARD_LINK_H_
