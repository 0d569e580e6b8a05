#include "tests/job_runner.h"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/job_observer.h"
#include "core/base/mutex.h"

namespace ringcp {
namespace {

class Recorder : public JobObserver {
 public:
  Recorder(const JobHooks& hooks, JobRun* run) : hooks_(hooks), run_(run) {}

  // job_observer.h promises that calls come one at a time. With this mutex a broken
  // promise is a fault of the job, and no sanitizer blames this class for it.
  void OnError(const FileError& error) override {
    MutexLock lock(&mutex_);
    run_->errors.push_back(error);
    if (hooks_.on_error) hooks_.on_error(error);
  }
  void OnWarning(std::string_view message) override {
    MutexLock lock(&mutex_);
    run_->warnings.emplace_back(message);
  }
  bool WantsCopied() const override { return true; }
  void OnCopied(std::string_view source, std::string_view target,
                std::string_view /*backup*/, const ContentsRoute* /*route*/) override {
    MutexLock lock(&mutex_);
    run_->copied.emplace_back(source, target);
    if (hooks_.on_copied) hooks_.on_copied(job, static_cast<int>(run_->copied.size()));
  }

  CopyJob* job = nullptr;

 private:
  const JobHooks& hooks_;
  Mutex mutex_;
  JobRun* const run_;
};

}  // namespace

std::string JobRun::Messages() const {
  std::vector<std::string> lines;
  if (!result.status.ok()) lines.emplace_back(result.status.message());
  for (const FileError& error : errors) lines.push_back(error.message);
  std::sort(lines.begin(), lines.end());
  return absl::StrJoin(lines, "\n");
}

JobRun RunJob(const CopyRequest& request, const JobHooks& hooks,
              const JobResources& resources) {
  JobRun run;
  Recorder recorder(hooks, &run);
  CopyJob job(request, &recorder, resources);
  recorder.job = &job;
  std::thread meanwhile;
  if (hooks.meanwhile) meanwhile = std::thread([&] { hooks.meanwhile(&job); });
  run.result = job.Run();
  if (meanwhile.joinable()) meanwhile.join();
  run.progress = job.progress();
  run.report = job.engine_report();
  return run;
}

CopyOptions OptionsFor(const std::string& letters, EngineChoice engine) {
  CopyOptions options;
  options.engine = engine;
  options.umask = umask(0);
  umask(options.umask);
  for (const char letter : letters) {
    const bool archive = letter == 'a';
    if (letter == 'r' || archive) options.recursive = true;
    if (letter == 'p' || archive) {
      options.preserve.mode = true;
      options.preserve.ownership = true;
      options.preserve.timestamps = true;
    }
    if (archive) options.preserve.xattrs = Xattrs::kTried;
    if (letter == 'd' || archive) options.preserve.links = true;
    if (letter == 'd' || letter == 'P' || archive) {
      options.dereference = Dereference::kNever;
    }
    if (letter == 'L') options.dereference = Dereference::kAlways;
    if (letter == 'H') options.dereference = Dereference::kCommandLine;
    if (letter == 'f') options.force = true;
    if (letter == 'n') options.update = Update::kNone;
    if (letter == 'x') options.one_file_system = true;
    if (letter == 'R') options.remove_destination = true;
    if (letter == 'T') options.target_kind = TargetKind::kNotDirectory;
    RINGCP_CHECK(std::string_view("ardpdPLHfnxTR").find(letter) !=
                 std::string_view::npos);
  }
  return options;
}

const char* EngineName(EngineChoice engine) {
  return engine == EngineChoice::kUring     ? "uring"
         : engine == EngineChoice::kThreads ? "threads"
                                            : "auto";
}

}  // namespace ringcp
