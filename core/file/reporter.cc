#include "core/file/reporter.h"

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"

namespace ringcp {
namespace {

FileError WordRefusal(Refusal refusal, std::string_view source, std::string_view target) {
  switch (refusal) {
    case Refusal::kUnknownType:
      return MakeRefusal(source, absl::StrCat(Quote(source), " has unknown file type"));
    case Refusal::kSourceReplaced:
      return MakeRefusal(source, absl::StrCat("skipping file ", Quote(source),
                                              ", as it was replaced while being copied"));
    case Refusal::kSameFile:
      return MakeRefusal(target, absl::StrCat(Quote(source), " and ", Quote(target),
                                              " are the same file"));
    case Refusal::kTargetIsDirectory:
      return MakeRefusal(target, absl::StrCat("cannot overwrite directory ",
                                              Quote(target), " with non-directory"));
    case Refusal::kTargetIsNotDirectory:
      return MakeRefusal(target,
                         absl::StrCat("cannot overwrite non-directory ", Quote(target),
                                      " with directory ", Quote(source)));
    case Refusal::kTargetDangling:
      return MakeRefusal(
          target, absl::StrCat("not writing through dangling symlink ", Quote(target)));
    case Refusal::kTargetReplaced:
      return MakeRefusal(target,
                         absl::StrCat("leaving ", Quote(target),
                                      " as it is: it was replaced while being copied"));
    case Refusal::kSourceIsBackup:
      return MakeRefusal(
          target, absl::StrCat("backing up ", Quote(target), " might destroy source;  ",
                               Quote(source), " not copied"));
    case Refusal::kTargetKept:
      return MakeRefusal(target, absl::StrCat("not replacing ", Quote(target)));
    case Refusal::kLinkElsewhere:
      return MakeRefusal(
          target,
          absl::StrCat(QuoteIfNeeded(target),
                       ": can make relative symbolic links only in current directory"));
    case Refusal::kParentIsNotDirectory:
      return MakeRefusal(target,
                         absl::StrCat(Quote(target), " exists but is not a directory"));
    case Refusal::kNone:
      break;
  }
  return MakeRefusal(source, absl::StrCat("not copied: ", Quote(source)));
}

}  // namespace

FileError WordFailure(const CopyFailure& failure, std::string_view source,
                      std::string_view target) {
  if (failure.operation == Operation::kRefuse) {
    return WordRefusal(failure.refusal, source, target);
  }
  return MakeFileError(
      failure.operation, failure.on_target ? target : source, failure.error_number,
      failure.attribute.empty() ? source : std::string_view(failure.attribute));
}

void Reporter::Report(const FileError& error) {
  errors_.fetch_add(1, std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  observer_->OnError(error);
}

void Reporter::Report(const CopyFailure& failure, std::string_view source,
                      std::string_view target) {
  Report(WordFailure(failure, source, target));
}

void Reporter::Warn(std::string_view message) {
  MutexLock lock(&mutex_);
  observer_->OnWarning(message);
}

void Reporter::TellOfXattrs(const std::vector<CopyFailure>& failures,
                            const Preserve& preserve, std::string_view source,
                            std::string_view target) {
  for (const CopyFailure& failure : failures) {
    const FileError error = WordFailure(failure, source, target);
    const bool is_error = preserve.requires_xattrs() && !IsAboutLabel(failure);
    is_error ? Report(error) : Warn(error.message);
  }
}

void Reporter::Copied(std::string_view source, std::string_view target,
                      std::string_view backup, const ContentsRoute* route) {
  MutexLock lock(&mutex_);
  observer_->OnCopied(source, target, backup, route);
}

void Reporter::Begun(std::string_view source, std::string_view target,
                     std::string_view backup) {
  MutexLock lock(&mutex_);
  observer_->OnBegun(source, target, backup);
}

void Reporter::Skipped(std::string_view target) {
  MutexLock lock(&mutex_);
  observer_->OnSkipped(target);
}

void Reporter::MadeParent(std::string_view source, std::string_view target) {
  MutexLock lock(&mutex_);
  observer_->OnMadeParent(source, target);
}

void Reporter::TakenBack(std::string_view backup, std::string_view target) {
  MutexLock lock(&mutex_);
  observer_->OnTakenBack(backup, target);
}

void Reporter::Removed(std::string_view target) {
  MutexLock lock(&mutex_);
  observer_->OnRemoved(target);
}

}  // namespace ringcp
