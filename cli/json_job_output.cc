#include "cli/json_job_output.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/message_json.h"
#include "cli/write_all.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

std::string ProgressObject(v1::Job::State state, const v1::Progress& progress) {
  return absl::StrCat("{\"state\":", JsonString(v1::Job::State_Name(state)),
                      ",\"progress\":", MessageJson(progress), "}");
}

std::string TextObject(const std::string& key, std::string_view text) {
  return absl::StrCat("{\"", key, "\":", JsonString(text), "}");
}

}  // namespace

void JsonJobOutput::WriteObject(const std::string& object) {
  const int error_number = WriteAll(descriptor_, absl::StrCat(object, "\n"));
  if (error_number_ == 0) error_number_ = error_number;
}

void JsonJobOutput::ShowProgress(v1::Job::State state, const v1::Progress& progress,
                                 absl::Time now) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (now < next_progress_) return;
  next_progress_ = now + kInterval;
  WriteObject(ProgressObject(state, progress));
}

void JsonJobOutput::PrintError(const v1::FileError& error) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(absl::StrCat("{\"error\":", MessageJson(error), "}"));
}

void JsonJobOutput::PrintFailure(std::string_view message) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("failure", message));
}

void JsonJobOutput::PrintWarning(std::string_view message) {
  std::lock_guard<std::mutex> lock(mutex_);
  // The key already says "warning".
  constexpr std::string_view kPrefix = "warning: ";
  if (message.starts_with(kPrefix)) message.remove_prefix(kPrefix.size());
  WriteObject(TextObject("warning", message));
}

void JsonJobOutput::PrintDebug(std::string_view message) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("debug", message));
}

void JsonJobOutput::PrintCopied(std::string_view source, std::string_view target,
                                std::string_view backup, const ContentsRoute* route) {
  std::lock_guard<std::mutex> lock(mutex_);
  // Quoted like -v's text, because a name may hold any bytes but JSON only holds UTF-8.
  WriteObject(TextObject("copied", CopiedLine(source, target, backup)));
  if (route != nullptr) WriteObject(TextObject("debug", RouteLine(*route)));
}

void JsonJobOutput::PrintSkipped(std::string_view target) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("debug", absl::StrCat("skipped ", Quote(target))));
}

void JsonJobOutput::PrintMadeParent(std::string_view source, std::string_view target) {
  PrintCopied(source, target, /*backup=*/"", /*route=*/nullptr);
}

void JsonJobOutput::PrintTakenBack(std::string_view backup, std::string_view target) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("unbackup", absl::StrCat(Quote(backup), " -> ", Quote(target))));
}

void JsonJobOutput::PrintRemoved(std::string_view target) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("removed", Quote(target)));
}

void JsonJobOutput::ShowQuestion(std::string_view question) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(TextObject("question", question));
}

bool JsonJobOutput::Finish(v1::Job::State state, const v1::Progress& progress) {
  std::lock_guard<std::mutex> lock(mutex_);
  WriteObject(ProgressObject(state, progress));
  return error_number_ == 0;
}

}  // namespace ringcp
