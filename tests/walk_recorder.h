// A walk by threads that release entries in a random order, with a visitor that opens
// every directory and checks that things happen in the promised order.
//
//   RecordedWalk walk;
//   walk.AddRoot(path);
//   walk.Run(/*threads=*/4, seed);
//   EXPECT_EQ(walk.PathsBelow(path), expected);
//
// Thread-safety: a RecordedWalk belongs to one thread; its recorder may be used by all.

#ifndef RINGCP_TESTS_WALK_RECORDER_H_
#define RINGCP_TESTS_WALK_RECORDER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"
#include "core/tree/directory.h"
#include "core/tree/walk.h"

namespace ringcp {

class WalkRecorder : public WalkVisitor {
 public:
  Entered Enter(Kernel* kernel, Directory* directory) override;
  bool MakeReady(Kernel* kernel, Directory* directory, bool empty) override;
  void Leave(Kernel* kernel, Directory* directory) override;
  void OnReadError(const Directory& directory, int error_number) override;
  void OnEntryError(const Directory& directory, const char* name,
                    int error_number) override;

  // An entry was yielded; it is about to be released.
  void Yielded(const Directory& directory, const WalkEntry& entry);
  void Released(const Directory& directory);

  // By path: what was yielded, which directories were entered, what could not be read.
  std::map<std::string, WalkEntry> found();
  std::set<std::string> entered();
  std::map<std::string, bool> ready();  // Whether each was empty when made ready.
  std::map<std::string, int> errors();
  int left();      // Directories left.
  int open_max();  // Directories entered and not left, at most.

  // To be set before the walk starts. Called when a directory is about to be opened, and
  // when it has been.
  std::function<void(Directory*)> on_enter;
  std::function<void(const Directory&)> on_entered;
  // Called when what was to be opened is no directory.
  std::function<void(const Directory&)> on_no_directory;
  std::set<std::string> refused;     // Names of directories not to be read.
  std::set<std::string> not_made;    // Names of directories that can't be made ready.
  std::set<std::string> unreadable;  // Names of directories that can't be read.

 private:
  Mutex mutex_;
  std::set<const Directory*> open_ ABSL_GUARDED_BY(mutex_);  // Entered, not left.
  std::map<const Directory*, int> entries_out_ ABSL_GUARDED_BY(mutex_);
  std::map<const Directory*, int> children_open_ ABSL_GUARDED_BY(mutex_);
  // The names in an entry are not valid any more.
  std::map<std::string, WalkEntry> found_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> entered_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, bool> ready_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> errors_ ABSL_GUARDED_BY(mutex_);
  int left_ ABSL_GUARDED_BY(mutex_) = 0;
  int open_max_ ABSL_GUARDED_BY(mutex_) = 0;
};

class RecordedWalk {
 public:
  explicit RecordedWalk(bool follow_links = false);

  void AddRoot(const std::string& path);

  // Asks the walk for work, and waits for other threads if need be, until there is a
  // batch or never will be.
  Walk::Result AwaitNext(WalkBatch* batch);

  // Walks to the end, or until the walk has been stopped; checks that every directory
  // that was entered has been left.
  void Run(int threads, uint32_t seed);

  // Everything found or entered below `root`, relative to it.
  std::set<std::string> PathsBelow(const std::string& root);

  WalkRecorder& recorder() { return recorder_; }
  Walk& walk() { return *walk_; }

 private:
  void RunThread(uint32_t seed);

  WalkRecorder recorder_;
  std::unique_ptr<Walk> walk_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_WALK_RECORDER_H_
