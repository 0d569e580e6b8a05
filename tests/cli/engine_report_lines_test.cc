#include "cli/engine_report_lines.h"

#include <string>
#include <vector>

#include "core/base/engine_report.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

EngineReport Uring() {
  EngineReport report;
  report.engine = "uring";
  report.reason = "Linux permits io_uring";
  report.workers = 2;
  return report;
}

std::string FirstLine(const EngineReport& report) {
  return EngineReportLines(report).front();
}

TEST(EngineReportLinesTest, TheEngineThatCopiedIsNamed) {
  EngineReport report = Uring();
  report.sqes = 40;
  report.ops_at_once = 3;  // Ops such as lseek, which no ring has an opcode for.
  EXPECT_EQ(FirstLine(report), "engine uring: Linux permits io_uring");
  report.ops_at_once_with_opcode = 2;
  EXPECT_EQ(FirstLine(report),
            "engine uring, and system calls for what was in memory: Linux permits "
            "io_uring");
  EngineReport threads;
  threads.engine = "threads";
  threads.reason = "it was asked for";
  threads.ops_at_once = 7;
  EXPECT_EQ(FirstLine(threads), "engine threads: it was asked for");
}

TEST(EngineReportLinesTest, AnEngineThatDidNothingIsNotNamed) {
  EngineReport report = Uring();
  report.ops_at_once = 50;
  report.ops_at_once_with_opcode = 50;
  EXPECT_EQ(
      FirstLine(report),
      "system calls copied all: it was in memory, so io_uring, which was ready, had "
      "nothing to do");
  report.ops_at_once = 0;  // Of links, for example.
  EXPECT_EQ(FirstLine(report),
            "no engine had anything to do: no contents of files were copied");
  EXPECT_EQ(FirstLine(EngineReport()), "no engine: nothing was copied");
}

TEST(EngineReportLinesTest, OpsAreReportedByTheWayTheyRan) {
  EngineReport report = Uring();
  report.sqes = 40;
  report.linked = 30;
  report.chains = 10;
  report.enters = 5;
  report.ops_at_once = 3;
  report.ops_at_once_with_opcode = 1;
  EXPECT_EQ(
      EngineReportLines(report)[1],
      "40 SQEs (30 linked) in 10 chains, 5 enters; 3 ops by system calls, 1 of them "
      "with an io_uring opcode");
  report.engine = "threads";
  EXPECT_EQ(EngineReportLines(report)[1], "3 ops by system calls");
}

TEST(EngineReportLinesTest, WhatWasInFlightAndWhatLimitedItAreTold) {
  EngineReport report = Uring();
  report.sqes = report.chains = 10;
  report.in_flight = 61.26;
  report.limited_by = "the target";
  const std::string line = "61.3 in flight on average; limited by the target";
  EXPECT_EQ(EngineReportLines(report).back(), line);
  EXPECT_EQ(EngineSummaryLines(report).back(), line);
  report.engine = "threads";
  EXPECT_EQ(EngineReportLines(report).back(), line);
  report.limited_by = "";
  EXPECT_EQ(EngineSummaryLines(report),
            (std::vector<std::string>{"engine threads: Linux permits io_uring",
                                      "0 ops by system calls"}));
}

}  // namespace
}  // namespace ringcp
