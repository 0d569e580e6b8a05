// What a run of io_models has found, as data: for the table, the JSON document and the
// chart alike.
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
  kNotApplicable,  // The model can't do such a work.
  kFailed,
};

struct ModelResult {
  std::string model;
  std::string description;
  Outcome outcome = Outcome::kMeasured;
  std::string reason;       // Why not measured; empty if it was.
  Measurement measurement;  // The run with the median time.
  std::optional<double> system_calls_per_operation;
  std::string not_counted_reason;  // Why there is none.
};

struct WorkResult {
  std::string name;
  std::string title;
  std::string operation;          // What is one: "a block of 128 KiB".
  bool throughput_bytes = false;  // Throughput is in MiB/s, not in operations.
  bool is_regular_file = false;   // What is read and written.
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

// Operations, or MiB, in a second.
double ThroughputOf(const WorkResult& work, const Measurement& measurement);
// What stands in place of the numbers of a model that was not measured: "refused: ...".
std::string WordsInstead(const ModelResult& result);
// In microseconds.
double CpuPerOperation(const Measurement& measurement);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REPORT_H_
