// The results of a run of io_models, as data for the table, the JSON document and the
// chart.
//
// Thread-safety: plain values.

#ifndef RINGCP_BENCH_IO_MODELS_REPORT_H_
#define RINGCP_BENCH_IO_MODELS_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/io_models/measurement.h"
#include "bench/io_models/regular_file_answers.h"

namespace ringcp::io_models {

enum class Outcome {
  kMeasured,
  kRefused,        // By the kernel or its settings.
  kNotApplicable,  // The model can't do this kind of work.
  kFailed,
};

struct ModelResult {
  std::string model;
  std::string description;
  Outcome outcome = Outcome::kMeasured;
  std::string reason;       // Why it was not measured; empty if it was.
  Measurement measurement;  // The run with the median time.
  std::optional<double> system_calls_per_operation;
  std::string not_counted_reason;  // Why the system calls were not counted.
};

struct WorkResult {
  std::string name;
  std::string title;
  std::string operation;          // What one operation is: "a block of 128 KiB".
  bool throughput_bytes = false;  // Throughput is in MiB/s, not in operations/s.
  bool is_regular_file = false;   // The work is on a regular file.
  std::vector<ModelResult> models;
};

struct Report {
  std::string kernel;
  int processors = 0;
  std::string directory;    // Quoted.
  std::string file_system;  // Its type, in words.
  int64_t size_bytes = 0;
  uint64_t seed = 0;
  int runs = 0;
  std::vector<WorkResult> works;
  std::vector<Answer> regular_file_answers;
};

// In operations, or MiB, per second.
double ThroughputOf(const WorkResult& work, const Measurement& measurement);
// The text that replaces the numbers of a model that was not measured: "refused: ...".
std::string WordsInstead(const ModelResult& result);
// In microseconds.
double CpuPerOperation(const Measurement& measurement);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REPORT_H_
