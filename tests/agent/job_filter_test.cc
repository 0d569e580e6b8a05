#include "agent/job_filter.h"

#include <string>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

// Whether `text` matches a RUNNING job with the labels team=web, note='a "b" AND c\'.
std::string Matched(const std::string& text) {
  v1::JobSpec spec;
  (*spec.mutable_labels())["team"] = "web";
  (*spec.mutable_labels())["note"] = "a \"b\" AND c\\";
  const auto filter = JobFilter::Parse(text);
  if (!filter.ok()) return std::string(filter.status().message());
  return filter->Matches(v1::Job::RUNNING, spec) ? "yes" : "no";
}

TEST(JobFilterTest, AnEmptyFilterMatchesEveryJob) {
  EXPECT_EQ(Matched(""), "yes");
  EXPECT_EQ(Matched("  "), "yes");
}

TEST(JobFilterTest, AStateMatchesJobsInIt) {
  EXPECT_EQ(Matched("state=RUNNING"), "yes");
  EXPECT_EQ(Matched("state = RUNNING"), "yes");
  EXPECT_EQ(Matched("state=\"RUNNING\""), "yes");
  EXPECT_EQ(Matched("state=QUEUED"), "no");
}

TEST(JobFilterTest, ALabelMatchesJobsThatHaveItWithThatValue) {
  EXPECT_EQ(Matched("labels.team=web"), "yes");
  EXPECT_EQ(Matched("labels.team=we"), "no");
  EXPECT_EQ(Matched("labels.team=\"\""), "no");
  EXPECT_EQ(Matched("labels.other=web"), "no");
  EXPECT_EQ(Matched(R"(labels.note="a \"b\" AND c\\")"), "yes");
}

TEST(JobFilterTest, AndNeedsBothConditions) {
  EXPECT_EQ(Matched("state=RUNNING AND labels.team=web"), "yes");
  EXPECT_EQ(Matched("state=RUNNING AND labels.team=db"), "no");
  EXPECT_EQ(Matched("state=QUEUED AND labels.team=web"), "no");
  EXPECT_EQ(Matched("state=RUNNING AND state=QUEUED"), "no");
}

TEST(JobFilterTest, WhatIsNoFilterIsRefused) {
  EXPECT_EQ(Matched("state"),
            "filter: must have state=STATE or labels.KEY=VALUE at 'state'");
  EXPECT_EQ(Matched("state=RUNNING AND x=1"),
            "filter: must have state=STATE or labels.KEY=VALUE at 'x=1'");
  EXPECT_EQ(Matched("state=running"),
            "filter: must name a state of a job at 'state=running'");
  for (const char* text :
       {"state=", "=RUNNING", "labels.=x", "labels.K=x", "label.k=x", "labels.k=\"open",
        "state>RUNNING", "state=RUNNING OR state=QUEUED", "state=RUNNING AND",
        "AND state=RUNNING", "state=RUNNING state=RUNNING", "\xFF"}) {
    EXPECT_EQ(Matched(text).rfind("filter: ", 0), 0u) << text << " -> " << Matched(text);
  }
  EXPECT_EQ(Matched(std::string(4097, ' ')), "filter: must be at most 4096 bytes");
}

}  // namespace
}  // namespace ringcp
