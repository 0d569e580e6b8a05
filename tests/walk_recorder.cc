#include "tests/walk_recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "gtest/gtest.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

// How many entries a thread keeps before it releases one.
constexpr size_t kHeldMax = 50;

constexpr absl::Duration kLimit = absl::Seconds(60);

}  // namespace

WalkVisitor::Entered WalkRecorder::Enter(Kernel* /*kernel*/, Directory* directory) {
  if (on_enter) on_enter(directory);
  const bool is_refused = refused.contains(directory->source.name);
  const bool is_given = directory->given != nullptr;
  bool is_other = false;
  if (!is_refused && !is_given) {
    const int access = unreadable.contains(directory->source.name) ? O_PATH : O_RDONLY;
    const int no_follow = directory->source.follow ? 0 : O_NOFOLLOW;
    directory->source.fd =
        openat(directory->parent->source.fd, directory->source.name.c_str(),
               access | O_DIRECTORY | O_CLOEXEC | no_follow);
    is_other =
        directory->source.fd < 0 && errno == ENOTDIR && !directory->source.looked_at;
    EXPECT_TRUE(directory->source.fd >= 0 || is_other)
        << directory->source.name << " errno " << errno;
  }
  if (is_other) {
    if (on_no_directory) on_no_directory(*directory);
    return Entered::kIsNoDirectory;
  }
  if (on_entered) on_entered(*directory);
  MutexLock lock(&mutex_);
  EXPECT_TRUE(open_.insert(directory).second) << "entered twice";
  ++children_open_[directory->parent];
  entered_.insert(SourcePath(*directory));
  open_max_ = std::max(open_max_, static_cast<int>(open_.size()));
  return !is_refused && (is_given || directory->source.fd >= 0) ? Entered::kToBeRead
                                                                : Entered::kNotToBeRead;
}

bool WalkRecorder::MakeReady(Kernel* /*kernel*/, Directory* directory, bool empty) {
  if (on_ready) on_ready(*directory);
  MutexLock lock(&mutex_);
  EXPECT_TRUE(open_.contains(directory)) << "made ready before it was entered";
  EXPECT_TRUE(ready_.emplace(SourcePath(*directory), empty).second) << "ready twice";
  return !not_made.contains(directory->source.name);
}

void WalkRecorder::Leave(Kernel* /*kernel*/, Directory* directory) {
  MutexLock lock(&mutex_);
  EXPECT_EQ(open_.erase(directory), 1u) << "left twice, or never entered";
  EXPECT_EQ(entries_out_[directory], 0) << "left before its entries were released";
  EXPECT_EQ(children_open_[directory], 0) << "left before its children";
  entries_out_.erase(directory);
  children_open_.erase(directory);
  --children_open_[directory->parent];
  ++left_;
  if (directory->source.fd >= 0) close(directory->source.fd);
}

void WalkRecorder::OnReadError(const Directory& directory, int error_number) {
  MutexLock lock(&mutex_);
  errors_[SourcePath(directory)] = error_number;
}

void WalkRecorder::OnEntryError(const Directory& directory, const char* name,
                                int error_number) {
  MutexLock lock(&mutex_);
  errors_[SourcePath(directory, name)] = error_number;
}

void WalkRecorder::Yielded(const Directory& directory, const WalkEntry& entry) {
  MutexLock lock(&mutex_);
  ++entries_out_[&directory];
  EXPECT_TRUE(directory.is_top() || ready_.contains(SourcePath(directory)));
  const std::string path = SourcePath(directory, entry.source_name);
  EXPECT_TRUE(found_.emplace(path, entry).second) << path << " came twice";
}

void WalkRecorder::Released(const Directory& directory) {
  MutexLock lock(&mutex_);
  --entries_out_[&directory];
}

std::map<std::string, WalkEntry> WalkRecorder::found() {
  MutexLock lock(&mutex_);
  return found_;
}

std::set<std::string> WalkRecorder::entered() {
  MutexLock lock(&mutex_);
  return entered_;
}

std::map<std::string, bool> WalkRecorder::ready() {
  MutexLock lock(&mutex_);
  return ready_;
}

std::map<std::string, int> WalkRecorder::errors() {
  MutexLock lock(&mutex_);
  return errors_;
}

int WalkRecorder::left() {
  MutexLock lock(&mutex_);
  return left_;
}

int WalkRecorder::open_max() {
  MutexLock lock(&mutex_);
  return open_max_;
}

RecordedWalk::RecordedWalk(bool follow_links)
    : walk_(std::make_unique<Walk>(SystemKernel(), &recorder_, follow_links,
                                   /*open_max=*/1000)) {
  walk_->top()->source.fd = AT_FDCWD;
}

void RecordedWalk::AddRoot(const std::string& path, Directory* parent) {
  auto root = std::make_unique<Directory>();
  root->source.name = path;
  walk_->AddRoot(parent, std::move(root));
}

Directory* RecordedWalk::AddGiven(Directory* parent, const std::string& path,
                                  const std::vector<std::string>& names) {
  auto directory = std::make_unique<Directory>();
  directory->source.name = path;
  Directory* const given = walk_->AddGiven(parent, std::move(directory));
  for (const std::string& name : names) {
    walk_->AddEntry(given, {.source_name = name, .target_name = "target"});
  }
  return given;
}

Walk::Result RecordedWalk::AwaitNext(WalkBatch* batch) {
  for (;;) {
    const Walk::Result result = walk_->Next(SystemKernel(), /*may_wait=*/true, batch);
    if (result == Walk::Result::kNothingYet) {
      EXPECT_TRUE(AwaitWake(kLimit));
    }
    if (result == Walk::Result::kBatch || result == Walk::Result::kFinished) {
      return result;
    }
  }
}

void RecordedWalk::Run(int threads, uint32_t seed) {
  std::vector<std::thread> running;
  for (int i = 1; i < threads; ++i) {
    running.emplace_back([this, seed, i] { RunThread(seed + i); });
  }
  RunThread(seed);
  for (std::thread& thread : running) thread.join();
  walk_.reset();
  EXPECT_EQ(recorder_.left(), static_cast<int>(recorder_.entered().size()));
}

void RecordedWalk::RunThread(uint32_t seed) {
  std::mt19937 random(seed);
  auto batch = std::make_unique<WalkBatch>();
  std::vector<Directory*> held;
  const auto release = [&] {
    std::swap(held[random() % held.size()], held.back());
    recorder_.Released(*held.back());
    walk_->Release(SystemKernel(), held.back());
    held.pop_back();
  };
  for (;;) {
    const Walk::Result result =
        walk_->Next(SystemKernel(), /*may_wait=*/held.empty(), batch.get());
    if (result == Walk::Result::kFinished) break;
    if (result == Walk::Result::kNothingYet && !held.empty()) {
      release();
    } else if (result == Walk::Result::kNothingYet) {
      EXPECT_TRUE(AwaitWake(kLimit));
    }
    if (result != Walk::Result::kBatch) continue;
    while (!batch->entries().empty()) {
      recorder_.Yielded(*batch->directory(), walk_->Take(batch.get()));
      held.push_back(batch->directory());
      walk_->ShareIfWanted(batch.get());
    }
    while (held.size() > kHeldMax) release();
  }
  while (!held.empty()) release();
}

std::set<std::string> RecordedWalk::PathsBelow(const std::string& root) {
  std::set<std::string> paths = recorder_.entered();
  for (const auto& [path, entry] : recorder_.found()) paths.insert(path);
  std::set<std::string> below;
  for (const std::string& path : paths) {
    if (path != root) below.insert(path.substr(root.size() + 1));
  }
  return below;
}

}  // namespace ringcp
