// The source's half of a DirectoryCopy: opens directories for reading and looks at them,
// decides which of them a walk must not go on in, and sees what their copies are to have
// of their attributes. Knows nothing about where they are copied to.
//
// Thread-safety: all methods may be called by any thread, but for one directory only by
// one thread at a time.

#ifndef RINGCP_CORE_TREE_SOURCE_TREE_H_
#define RINGCP_CORE_TREE_SOURCE_TREE_H_

#include <memory>

#include "core/base/copy_options.h"
#include "core/file/source_attributes.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/directory_failures.h"

namespace ringcp {

class SourceTree {
 public:
  enum class Opened {
    kToBeRead,
    kUnreadable,     // Reported. It is a directory, so it gets an empty copy.
    kIsNoDirectory,  // Only if it was not looked at.
    kFailed,         // Reported. There is nothing to copy.
  };

  // REQUIRES: `file_systems` and `failures` outlive this.
  SourceTree(bool one_file_system, FileSystemTable* file_systems,
             DirectoryFailures* failures)
      : one_file_system_(one_file_system),
        file_systems_(file_systems),
        failures_(failures) {}

  // Opens the directory, whose parent is open, and looks at it.
  Opened Open(Kernel* kernel, Directory* directory);

  // Looks at a directory whose entries are given. Returns false, after reporting why, if
  // there is none.
  bool LookAtGiven(Kernel* kernel, Directory* directory);

  // Whether symbolic links that were followed have led to a directory above again; if so,
  // reports it.
  bool IsCycle(const Directory& directory);
  // Whether it is left out because it is on another file system than its root.
  bool IsLeftOut(const Directory& directory) const;

  // Looks at the ACLs and extended attributes of a directory that Open() has opened, for
  // what `preserve` asks for. If modes are kept, the directory's stat has from then on
  // the mode of a copy without these ACLs. Returns nullptr if there are none.
  std::unique_ptr<SourceAttributes> LookAtAttributes(Kernel* kernel,
                                                     const Preserve& preserve,
                                                     Directory* directory);

 private:
  const bool one_file_system_;
  FileSystemTable* const file_systems_;
  DirectoryFailures* const failures_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_SOURCE_TREE_H_
