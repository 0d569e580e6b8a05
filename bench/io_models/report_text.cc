#include "bench/io_models/report_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/io_models/text_table.h"

namespace ringcp::io_models {
namespace {

// "812 ns", "9.7 µs", "1.2 ms": at most three digits, because more are not reproducible.
std::string Time(double seconds) {
  if (seconds < 0) return "-";
  if (seconds < 1e-6) return absl::StrFormat("%.0f ns", seconds * 1e9);
  if (seconds < 1e-3) return absl::StrFormat("%.3g µs", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.3g ms", seconds * 1e3);
  return absl::StrFormat("%.3g s", seconds);
}

std::vector<std::string> Head(const WorkResult& work) {
  return {"model",     work.throughput_bytes ? "MiB/s" : "ops/s",
          "calls/op",  "CPU s",
          "CPU µs/op", "p50",
          "p99",       "p99.9"};
}

std::vector<std::string> Cells(const WorkResult& work, const ModelResult& result) {
  if (result.outcome != Outcome::kMeasured) return {result.model};
  const Measurement& measurement = result.measurement;
  const std::optional<double> calls = result.system_calls_per_operation;
  return {result.model,
          absl::StrFormat("%.0f", ThroughputOf(work, measurement)),
          calls.has_value() ? absl::StrFormat("%.2f", *calls) : "?",
          absl::StrFormat("%.3f", measurement.cpu_seconds),
          absl::StrFormat("%.2f", CpuPerOperation(measurement)),
          Time(measurement.latency.p50_seconds),
          Time(measurement.latency.p99_seconds),
          Time(measurement.latency.p999_seconds)};
}

// In percent. From this share on, io_submit() itself did the work.
constexpr double kSubmitShare = 50;

std::string SubmitNote(const ModelResult& result) {
  const double share = 100 * result.measurement.submit_seconds /
                       std::max(result.measurement.wall_seconds, 1e-9);
  return absl::StrFormat(
      "%s: %.0f %% of the time was spent in io_submit%s", result.model, share,
      share < kSubmitShare ? "" : ", which did not return before the work was done");
}

// Notes on what the numbers of the table don't show.
std::vector<std::string> NotesOn(const WorkResult& work) {
  std::vector<std::string> notes;
  std::vector<std::string> not_counted;
  std::string reason;
  for (const ModelResult& result : work.models) {
    const int64_t retries = result.measurement.retries;
    if (result.measurement.submit_seconds >= 0) notes.push_back(SubmitNote(result));
    if (retries > 0) {
      notes.push_back(
          absl::StrFormat("%s: %d calls answered EAGAIN", result.model, retries));
    } else if (retries == 0 && work.is_regular_file) {
      notes.push_back(absl::StrCat(
          result.model, ": no call answered EAGAIN; a regular file ignores O_NONBLOCK"));
    }
    if (!result.not_counted_reason.empty()) {
      not_counted.push_back(result.model);
      reason = result.not_counted_reason;
    }
  }
  if (!not_counted.empty()) {
    notes.push_back(absl::StrCat(absl::StrJoin(not_counted, ", "),
                                 ": system calls were not counted: ", reason));
  }
  return notes;
}

std::string WorkText(const WorkResult& work) {
  TextTable table(Head(work));
  for (const ModelResult& result : work.models) {
    table.AddRow(Cells(work, result), WordsInstead(result));
  }
  std::string text = absl::StrCat(work.name, ": ", work.title, "; an operation is ",
                                  work.operation, "\n\n", table.Text());
  for (const std::string& note : NotesOn(work)) absl::StrAppend(&text, "- ", note, "\n");
  return text;
}

std::string AnswersText(const std::vector<Answer>& answers) {
  TextTable table({"asked of a regular file", "answer"}, /*left_columns=*/2);
  for (const Answer& answer : answers) {
    table.AddRow({answer.question, answer.answer}, "");
  }
  return absl::StrCat("regular-file: what the kernel answers who waits for a file\n\n",
                      table.Text());
}

constexpr char kNotes[] =
    R"(calls/op: system calls between the start and the end of the work, counted by ptrace in a
  run of their own, which it slows down: where they depend on time (how many events one
  wait finds, how often is asked in vain) they are those of the slower run.
CPU s: user and system, of all threads and of the kernel's that work for the process
  (io_uring's workers, SQPOLL's thread), while the work went on.
p50, p99, p99.9: of the time of an operation, from being asked for to being done; in an
  echo as the client sees it.
Every run's result was checked: copies byte by byte, reads by their place in the file,
  echoes and streams byte by byte.)";

}  // namespace

std::string ReportText(const Report& report) {
  std::vector<std::string> parts = {absl::StrFormat(
      "%s, %d processors; files of %d bytes in %s (%s); median of %d runs, seed %d\n",
      report.kernel, report.processors, report.size_bytes, report.directory,
      report.file_system, report.runs, report.seed)};
  for (const WorkResult& work : report.works) parts.push_back(WorkText(work));
  if (!report.regular_file_answers.empty()) {
    parts.push_back(AnswersText(report.regular_file_answers));
  }
  if (!report.works.empty()) parts.emplace_back(kNotes);
  return absl::StrJoin(parts, "\n");
}

}  // namespace ringcp::io_models
