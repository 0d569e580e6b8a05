#include "cli/job_table_format.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/progress_line.h"
#include "cli/quantity_format.h"
#include "core/base/file_error.h"
#include "core/job/progress.h"
#include "proto/job_conversion.h"
#include "proto/path_codec.h"

namespace ringcp {
namespace {

constexpr char kColumnGap[] = "  ";

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

// "123/456", with "~" before the total while the job still finds files.
std::string DoneOfTotal(const std::string& done, const std::string& total,
                        bool is_final) {
  return absl::StrCat(done, "/", is_final ? "" : "~", total);
}

// "42%", or "-" if the totals are unknown or the job ended before it found anything.
std::string PercentText(v1::Job::State state, const Progress& progress) {
  const int percent = PercentDone(progress);
  const bool nothing_found = progress.bytes_total == 0 && progress.files_total == 0;
  if (percent < 0 || (nothing_found && state != v1::Job::SUCCEEDED)) return "-";
  return absl::StrCat(percent, "%");
}

std::string RateText(const Progress& progress) {
  return absl::StrCat(FormatBytes(progress.bytes_per_second), "/s");
}

// Lines of "Name:    text" with the texts aligned. A field without text gets no line.
class FieldLines {
 public:
  void Add(const std::string& name, std::string text) {
    if (!text.empty()) lines_.emplace_back(absl::StrCat(name, ":"), std::move(text));
  }

  // Adds further text below the last field's.
  void AddMore(std::string text) { lines_.emplace_back("", std::move(text)); }

  std::string Format() const {
    size_t width = 0;
    for (const auto& [name, text] : lines_) width = std::max(width, name.size());
    return absl::StrJoin(lines_, "\n", [width](std::string* out, const auto& line) {
      const auto& [name, text] = line;
      absl::StrAppend(out, name, std::string(width - name.size(), ' '), kColumnGap, text);
    });
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

// The command-line options that `options` stands for.
std::string OptionsText(const v1::CopyOptions& options) {
  std::vector<std::string> words;
  const auto add_if = [&words](bool set, const char* word) {
    if (set) words.emplace_back(word);
  };
  add_if(options.recursive(), "-r");
  add_if(options.dereference() == v1::CopyOptions::DEREFERENCE_NEVER, "-P");
  add_if(options.dereference() == v1::CopyOptions::DEREFERENCE_COMMAND_LINE, "-H");
  add_if(options.dereference() == v1::CopyOptions::DEREFERENCE_ALWAYS, "-L");
  add_if(options.target_kind() == v1::CopyOptions::DIRECTORY, "-t");
  add_if(options.target_kind() == v1::CopyOptions::NOT_DIRECTORY, "-T");
  add_if(options.force(), "-f");
  add_if(options.attributes_only(), "--attributes-only");
  add_if(options.sparse() == v1::CopyOptions::SPARSE_ALWAYS, "--sparse=always");
  add_if(options.sparse() == v1::CopyOptions::SPARSE_NEVER, "--sparse=never");
  add_if(options.copy_contents(), "--copy-contents");
  add_if(options.keep_directory_symlink(), "--keep-directory-symlink");
  add_if(options.backup() == v1::CopyOptions::SIMPLE, "--backup=simple");
  add_if(options.backup() == v1::CopyOptions::EXISTING, "--backup=existing");
  add_if(options.backup() == v1::CopyOptions::NUMBERED, "--backup=numbered");
  add_if(options.strip_trailing_slashes(), "--strip-trailing-slashes");
  add_if(options.parents(), "--parents");
  add_if(options.makes() == v1::CopyOptions::HARD_LINKS, "-l");
  add_if(options.makes() == v1::CopyOptions::SYMBOLIC_LINKS, "-s");
  add_if(options.update() == v1::CopyOptions::UPDATE_NONE, "-n");
  add_if(options.update() == v1::CopyOptions::UPDATE_NONE_FAIL, "--update=none-fail");
  add_if(options.update() == v1::CopyOptions::UPDATE_OLDER, "-u");
  add_if(options.remove_destination(), "--remove-destination");
  add_if(options.one_file_system(), "-x");

  std::vector<std::string> attributes;
  if (options.preserve().mode()) attributes.push_back("mode");
  if (options.preserve().ownership()) attributes.push_back("ownership");
  if (options.preserve().timestamps()) attributes.push_back("timestamps");
  if (options.preserve().links()) attributes.push_back("links");
  if (options.preserve().context() == v1::CopyOptions::XATTRS_REQUIRED) {
    attributes.push_back("context");
  }
  if (options.preserve().xattrs() != v1::CopyOptions::XATTRS_UNSPECIFIED) {
    attributes.push_back("xattr");
  }
  if (!attributes.empty()) {
    words.push_back(absl::StrCat("--preserve=", absl::StrJoin(attributes, ",")));
  }
  add_if(options.default_mode(), "--no-preserve=mode");
  add_if(options.default_context(), "-Z");
  add_if(!options.context().empty(), "--context");
  add_if(options.engine() == v1::CopyOptions::URING, "--engine=uring");
  add_if(options.engine() == v1::CopyOptions::THREADS, "--engine=threads");
  return absl::StrJoin(words, " ");
}

std::string TimeText(const google::protobuf::Timestamp& timestamp, absl::Time now,
                     absl::TimeZone zone) {
  const absl::Time time = TimeOf(timestamp);
  return absl::StrCat(absl::FormatTime("%Y-%m-%d %H:%M:%S %z", time, zone), " (",
                      FormatSeconds(now - time), " ago)");
}

}  // namespace

std::string DisplayPath(std::string_view api_path) {
  const absl::StatusOr<std::string> path = PathFromApi(api_path);
  return Quote(path.ok() ? *path : api_path);
}

void JobTable::Add(const v1::Job& job) {
  const Progress progress = ProgressFromApi(job.progress());
  const bool is_final = progress.scan_complete;
  rows_.push_back({
      job.name(),
      v1::Job::State_Name(job.state()),
      PercentText(job.state(), progress),
      DoneOfTotal(FormatCount(progress.files_done), FormatCount(progress.files_total),
                  is_final),
      DoneOfTotal(FormatBytes(progress.bytes_done), FormatBytes(progress.bytes_total),
                  is_final),
      RateText(progress),
      FormatSeconds(now_ - TimeOf(job.create_time())),
      DisplayPath(job.spec().target()),
  });
}

std::string JobTable::Format() const {
  static const Row kHeading = {"JOB",   "STATE", "DONE", "FILES",
                               "BYTES", "RATE",  "AGE",  "TARGET"};
  // Words are aligned to the left, numbers to the right.
  static constexpr std::array<bool, kColumns> kToTheRight = {false, false, true, true,
                                                             true,  true,  true, false};
  std::array<size_t, kColumns> widths = {};
  const auto widen = [&widths](const Row& row) {
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  widen(kHeading);
  for (const Row& row : rows_) widen(row);

  std::string table;
  const auto append = [&widths, &table](const Row& row) {
    for (size_t i = 0; i < kColumns; ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      absl::StrAppend(&table, i == 0 ? "" : kColumnGap, kToTheRight[i] ? padding : "",
                      row[i]);
      // Nothing follows the last column, so it needs no padding.
      if (!kToTheRight[i] && i + 1 < kColumns) table += padding;
    }
  };
  append(kHeading);
  for (const Row& row : rows_) {
    table += '\n';
    append(row);
  }
  return table;
}

std::string FormatJob(const v1::Job& job, absl::Time now, absl::TimeZone zone) {
  const Progress progress = ProgressFromApi(job.progress());
  FieldLines lines;
  lines.Add("Job", job.name());
  lines.Add("State", v1::Job::State_Name(job.state()));
  lines.Add("Error", job.error());
  for (int i = 0; i < job.spec().sources_size(); ++i) {
    std::string source = DisplayPath(job.spec().sources(i));
    if (i == 0) {
      lines.Add("Sources", std::move(source));
    } else {
      lines.AddMore(std::move(source));
    }
  }
  lines.Add("Target", DisplayPath(job.spec().target()));
  lines.Add("Options", OptionsText(job.spec().options()));
  const std::map<std::string, std::string> labels(job.labels().begin(),
                                                  job.labels().end());
  lines.Add("Labels", absl::StrJoin(labels, " ", absl::PairFormatter("=")));
  lines.Add("Created", TimeText(job.create_time(), now, zone));
  if (job.has_start_time()) lines.Add("Started", TimeText(job.start_time(), now, zone));
  if (job.has_end_time()) lines.Add("Ended", TimeText(job.end_time(), now, zone));
  lines.Add("Done", progress.scan_complete ? PercentText(job.state(), progress)
                                           : "unknown: files are still being found");
  lines.Add("Bytes",
            DoneOfTotal(FormatBytes(progress.bytes_done),
                        FormatBytes(progress.bytes_total), progress.scan_complete));
  lines.Add("Files",
            DoneOfTotal(absl::StrCat(progress.files_done),
                        absl::StrCat(progress.files_total), progress.scan_complete));
  lines.Add("Directories", absl::StrCat(progress.directories_done));
  lines.Add("Skipped", absl::StrCat(progress.files_skipped));
  lines.Add("Failed", absl::StrCat(progress.files_failed));
  lines.Add("Rate", RateText(progress));
  if (job.state() == v1::Job::RUNNING && progress.time_remaining.has_value()) {
    lines.Add("Time left", FormatSeconds(*progress.time_remaining));
  }
  const v1::EngineReport& engine = job.progress().engine();
  if (!engine.limited_by().empty()) {
    lines.Add("In flight", absl::StrFormat("%.1f", engine.in_flight()));
    lines.Add("Limited by", engine.limited_by());
  }
  return lines.Format();
}

std::string FormatAgentInfo(const v1::AgentInfo& info, const std::string& address) {
  const v1::AgentInfo::Limits& limits = info.limits();
  FieldLines lines;
  lines.Add("Agent", address);
  lines.Add("Version", info.version());
  lines.Add("Kernel", info.kernel());
  lines.Add("Engine", absl::StrCat(info.engine(), ": ", info.engine_reason()));
  const v1::EngineReport& totals = info.engine_totals();
  lines.Add("Ops", absl::StrCat(totals.sqes(), " by io_uring (", totals.linked_sqes(),
                                " linked), ", totals.ops_at_once(), " by system calls"));
  lines.Add("Running", absl::StrCat(info.jobs_running(), " of at most ",
                                    limits.max_running_jobs(), " jobs"));
  lines.Add("Queued", absl::StrCat(info.jobs_queued(), " of at most ",
                                   limits.max_queued_jobs(), " jobs"));
  lines.Add("Remembers",
            absl::StrCat("at most ", limits.max_finished_jobs(), " ended jobs, ",
                         limits.max_errors_per_job(), " errors of each"));
  lines.Add("Watchers", absl::StrCat("at most ", limits.max_watchers()));
  return lines.Format();
}

}  // namespace ringcp
