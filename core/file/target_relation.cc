#include "core/file/target_relation.h"

#include <fcntl.h>

#include <string>
#include <string_view>

#include "core/base/file_identity.h"

namespace ringcp {
namespace {

// Whether source and target are the same entry: equal names in the same directory.
bool IsSameName(Kernel* kernel, const FileCopyNames& names) {
  const std::string_view source = names.source;
  const size_t slash = source.rfind('/');
  const std::string_view last =
      slash == std::string_view::npos ? source : source.substr(slash + 1);
  if (last != names.target) return false;
  const std::string directory(
      slash == std::string_view::npos ? "." : source.substr(0, slash + 1));
  struct statx source_in;
  struct statx target_in;
  return kernel->Stat(names.source_directory, directory.c_str(), 0, &source_in) == 0 &&
         kernel->Stat(names.target_directory, ".", 0, &target_in) == 0 &&
         SameFile(source_in, target_in);
}

// Whether the source's name is a symbolic link that the copy follows.
bool IsBehindLink(Kernel* kernel, const FileCopyNames& names) {
  struct statx named;
  return names.follow_source && (kernel->Stat(names.source_directory, names.source,
                                              AT_SYMLINK_NOFOLLOW, &named) != 0 ||
                                 S_ISLNK(named.stx_mode));
}

// REQUIRES: the target is the source's file.
Relation RelationOfName(Kernel* kernel, const FileCopyNames& names) {
  if (IsSameName(kernel, names)) return Relation::kSameEntry;
  return IsBehindLink(kernel, names) ? Relation::kBehindSource : Relation::kOtherName;
}

}  // namespace

Relation RelationOfContents(Kernel* kernel, const FileCopyNames& names,
                            const struct statx& source, const struct statx& existing) {
  if (S_ISLNK(existing.stx_mode)) {
    return names.follow_source && IsSameName(kernel, names) ? Relation::kSameEntry
                                                            : Relation::kOtherFile;
  }
  return SameFile(source, existing) ? RelationOfName(kernel, names)
                                    : Relation::kOtherFile;
}

Relation RelationOfNode(Kernel* kernel, const FileCopyNames& names,
                        const struct statx& source, const struct statx& existing) {
  const bool source_is_link = S_ISLNK(source.stx_mode);
  const bool target_is_link = S_ISLNK(existing.stx_mode);
  if (names.follows_links_here || source_is_link == target_is_link) {
    return SameFile(source, existing) ? RelationOfName(kernel, names)
                                      : Relation::kOtherFile;
  }
  // The file that the symbolic link among the two leads to.
  struct statx pointee;
  if (source_is_link) {
    return kernel->Stat(names.source_directory, names.source, 0, &pointee) == 0 &&
                   SameFile(pointee, existing)
               ? Relation::kBehindSource
               : Relation::kOtherFile;
  }
  return kernel->Stat(names.target_directory, names.target, 0, &pointee) == 0 &&
                 SameFile(source, pointee)
             ? Relation::kLeadsToSource
             : Relation::kOtherFile;
}

}  // namespace ringcp
