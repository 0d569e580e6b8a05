#include "bench/io_models/report_json.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace ringcp::io_models {
namespace {

std::string String(std::string_view text) {
  std::string json = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') json += '\\';
    if (static_cast<unsigned char>(byte) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<unsigned char>(byte));
    } else {
      json += byte;
    }
  }
  return json + '"';
}

std::string Number(double number) { return absl::StrFormat("%.9g", number); }

// The members of an object, in the order in which they are added.
class Object {
 public:
  Object& Add(const char* name, const std::string& json) {
    members_.push_back(absl::StrCat("\"", name, "\": ", json));
    return *this;
  }
  Object& AddString(const char* name, std::string_view text) {
    return Add(name, String(text));
  }
  Object& AddCount(const char* name, int64_t count) {
    return Add(name, absl::StrCat(count));
  }
  // A negative number means that there is none, and is left out.
  Object& AddUnlessNegative(const char* name, double number) {
    return number < 0 ? *this : Add(name, Number(number));
  }

  std::string Json() const {
    return absl::StrCat("{", absl::StrJoin(members_, ", "), "}");
  }

 private:
  std::vector<std::string> members_;
};

// One element in each line.
std::string Array(const std::vector<std::string>& elements) {
  if (elements.empty()) return "[]";
  return absl::StrCat("[\n", absl::StrJoin(elements, ",\n"), "\n]");
}

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMeasured:
      return "measured";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kNotApplicable:
      return "not_applicable";
    case Outcome::kFailed:
      return "failed";
  }
  return "";
}

std::string ModelJson(const WorkResult& work, const ModelResult& result) {
  Object object;
  object.AddString("model", result.model)
      .AddString("description", result.description)
      .AddString("outcome", OutcomeName(result.outcome));
  if (result.outcome != Outcome::kMeasured) {
    return object.AddString("reason", result.reason).Json();
  }
  const Measurement& measurement = result.measurement;
  object.AddCount("operations", measurement.operations)
      .AddCount("bytes", measurement.bytes)
      .Add("wall_seconds", Number(measurement.wall_seconds))
      .Add("cpu_seconds", Number(measurement.cpu_seconds))
      .Add(work.throughput_bytes ? "mib_per_second" : "operations_per_second",
           Number(ThroughputOf(work, measurement)));
  if (result.system_calls_per_operation.has_value()) {
    object.Add("system_calls_per_operation", Number(*result.system_calls_per_operation));
  } else {
    object.AddString("not_counted_reason", result.not_counted_reason);
  }
  object.AddUnlessNegative("latency_p50_seconds", measurement.latency.p50_seconds)
      .AddUnlessNegative("latency_p99_seconds", measurement.latency.p99_seconds)
      .AddUnlessNegative("latency_p999_seconds", measurement.latency.p999_seconds)
      .AddUnlessNegative("io_submit_seconds", measurement.submit_seconds);
  if (measurement.retries >= 0) object.AddCount("eagain_count", measurement.retries);
  return object.Json();
}

std::string WorkJson(const WorkResult& work) {
  std::vector<std::string> models;
  models.reserve(work.models.size());
  for (const ModelResult& result : work.models) models.push_back(ModelJson(work, result));
  return Object()
      .AddString("work", work.name)
      .AddString("title", work.title)
      .AddString("operation", work.operation)
      .Add("models", Array(models))
      .Json();
}

}  // namespace

std::string ReportJson(const Report& report) {
  std::vector<std::string> works;
  works.reserve(report.works.size());
  for (const WorkResult& work : report.works) works.push_back(WorkJson(work));
  std::vector<std::string> answers;
  for (const Answer& answer : report.regular_file_answers) {
    answers.push_back(Object()
                          .AddString("question", answer.question)
                          .AddString("answer", answer.answer)
                          .Json());
  }
  return Object()
      .AddString("kernel", report.kernel)
      .AddCount("processors", report.processors)
      .AddString("directory", report.directory)
      .AddString("file_system", report.file_system)
      .AddCount("size_bytes", report.size_bytes)
      .Add("seed", absl::StrCat(report.seed))
      .AddCount("runs", report.runs)
      .Add("works", Array(works))
      .Add("regular_file_answers", Array(answers))
      .Json();
}

}  // namespace ringcp::io_models
