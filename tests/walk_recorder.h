// Runs a walk with threads that release entries in a random order, and with a visitor
// that opens every directory and checks that things happen in the promised order.
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
#include <vector>

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

  // Says that an entry was yielded, and is about to be released.
  void Yielded(const Directory& directory, const WalkEntry& entry);
  void Released(const Directory& directory);

  // By path: the entries yielded, the directories entered, those made ready, and the
  // errno of those that could not be read.
  std::map<std::string, WalkEntry> found();
  std::set<std::string> entered();
  std::map<std::string, bool> ready();  // True for those that were empty then.
  std::map<std::string, int> errors();
  int left();      // How many directories were left.
  int open_max();  // The most directories that were entered and not left.

  // To be set before the walk starts. Called before and after a directory is opened.
  std::function<void(Directory*)> on_enter;
  std::function<void(const Directory&)> on_entered;
  // Called before a directory is made ready.
  std::function<void(const Directory&)> on_ready;
  // Called when the entry to be opened turns out to be no directory.
  std::function<void(const Directory&)> on_no_directory;
  std::set<std::string> refused;     // Names of directories that Enter() refuses.
  std::set<std::string> not_made;    // Names of directories that can't be made ready.
  std::set<std::string> unreadable;  // Names of directories that can't be read.

 private:
  Mutex mutex_;
  std::set<const Directory*> open_ ABSL_GUARDED_BY(mutex_);  // Entered and not left yet.
  std::map<const Directory*, int> entries_out_ ABSL_GUARDED_BY(mutex_);
  std::map<const Directory*, int> children_open_ ABSL_GUARDED_BY(mutex_);
  // The names inside the entries are no longer valid.
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

  void AddRoot(const std::string& path) { AddRoot(path, walk_->top()); }
  void AddRoot(const std::string& path, Directory* parent);
  // Adds a directory in which `names` are given.
  Directory* AddGiven(Directory* parent, const std::string& path,
                      const std::vector<std::string>& names);

  // Asks the walk for work. Waits for other threads until there is a batch, or until
  // there can be none.
  Walk::Result AwaitNext(WalkBatch* batch);

  // Walks until all is done or the walk is stopped. Checks that every directory that was
  // entered has been left.
  void Run(int threads, uint32_t seed);

  // The path, relative to `root`, of everything below it that was found or entered.
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
