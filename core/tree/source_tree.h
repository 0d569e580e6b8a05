// The source's half of a DirectoryCopy: opens directories to be read and looks at them,
// finds out which of them a walk must not go on in, and what rights their copies are to
// have. Knows nothing of where they are copied to.
//
// Thread-safety: all methods may be called by any thread, never twice for one directory.

#ifndef RINGCP_CORE_TREE_SOURCE_TREE_H_
#define RINGCP_CORE_TREE_SOURCE_TREE_H_

#include <sys/types.h>

#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/directory_failures.h"

namespace ringcp {

class SourceTree {
 public:
  enum class Opened {
    kToBeRead,
    kUnreadable,     // Reported. It is a directory, so its copy is made, though empty.
    kIsNoDirectory,  // Only where it has not been looked at.
    kFailed,         // Reported: there is nothing to copy.
  };

  // REQUIRES: `file_systems` and `failures` outlive this.
  SourceTree(bool one_file_system, FileSystemTable* file_systems,
             DirectoryFailures* failures)
      : one_file_system_(one_file_system),
        file_systems_(file_systems),
        failures_(failures) {}

  // Opens the directory, whose parent is open, and looks at it.
  Opened Open(Kernel* kernel, Directory* directory);

  // Whether it lies in itself, by symbolic links that were followed; reported.
  bool IsCycle(const Directory& directory);
  // Whether it is on another file system, and those are left out.
  bool IsLeftOut(const Directory& directory) const;

  // The mode that its copy is to have if its mode is kept: without what only an access
  // control list grants or denies, of which a job is told once.
  mode_t ModeToKeep(Kernel* kernel, const Directory& directory);

 private:
  const bool one_file_system_;
  FileSystemTable* const file_systems_;
  DirectoryFailures* const failures_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_SOURCE_TREE_H_
