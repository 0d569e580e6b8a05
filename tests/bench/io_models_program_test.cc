// Tests io_models as a user runs it: the real program, but with little work.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "bench/io_models/svg_chart.h"
#include "bench/io_models/text_table.h"
#include "bench/io_models/works.h"
#include "gtest/gtest.h"
#include "tests/io_models_under_test.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/subprocess.h"

namespace ringcp::io_models {
namespace {

class IoModelsProgramTest : public testing::Test {
 protected:
  Subprocess::Result Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "io_models");
    Subprocess::Options options;
    options.program = ProgramPath("bench/io_models/io_models");
    options.arguments = std::move(arguments);
    options.environment = {"TMPDIR=" + scratch_.path()};
    options.directory = scratch_.path();
    return RunProgram(options);
  }

  // Prints the value of `expression`, in which `d` is the parsed document. Python's
  // parsers decide whether it is well-formed.
  std::string Ask(const std::string& parser, const std::string& document,
                  const std::string& expression) {
    scratch_.WriteFile("document", document);
    Subprocess::Options options;
    options.program = "/usr/bin/python3";
    options.arguments = {"python3", "-c",
                         "import json, xml.etree.ElementTree as xml\nd = " + parser +
                             "(open('document', encoding='utf-8'))\nprint(" + expression +
                             ")"};
    options.directory = scratch_.path();
    const Subprocess::Result result = RunProgram(options);
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return result.output;
  }

  ScratchDirectory scratch_;
};

constexpr char kTiny[] = "--size=300007";

TEST_F(IoModelsProgramTest, MeasuresEveryModelAtEveryWork) {
  std::string names;
  std::string models;
  for (const Work& work : Works()) {
    for (const WorkModel& model : work.models) {
      if (!RunsInThisBuild(model.name)) continue;
      names += work.name + "/" + model.name + "\n";
      models += (models.empty() ? "" : ",") + model.name;
    }
  }
  const Subprocess::Result result = Run({kTiny, "--runs=1", "--json", "--seed=7",
                                         "--chart=chart.svg", "--model=" + models});
  ASSERT_EQ(result.exit_code, 0) << result.error << result.output;
  // A model that was not measured has a reason.
  EXPECT_EQ(Ask("json.load", result.output,
                "[m for w in d['works'] for m in w['models']"
                " if m['outcome'] != 'measured' and not m['reason']]"),
            "[]\n");
  EXPECT_EQ(Ask("json.load", result.output,
                "[m for w in d['works'] for m in w['models']"
                " if m['outcome'] == 'measured' and not (m['wall_seconds'] > 0"
                " and m['cpu_seconds'] >= 0 and m['operations'] > 0"
                " and m['system_calls_per_operation'] >= 0)]"),
            "[]\n");
  // Every model is listed.
  EXPECT_EQ(Ask("json.load", result.output,
                "'\\n'.join(w['work'] + '/' + m['model']"
                " for w in d['works'] for m in w['models'])"),
            names);
  EXPECT_EQ(Ask("json.load", result.output, "d['seed'], d['size_bytes']"), "7 300007\n");
  EXPECT_EQ(Ask("json.load", result.output,
                "[a['answer'] for a in d['regular_file_answers']"
                " if a['question'].startswith('epoll_ctl')]"),
            "['EPERM (Operation not permitted)']\n");

  // The chart, too, has a row for each of them.
  const std::string chart = ReadFileOrNone(scratch_.Path("chart.svg"));
  EXPECT_EQ(Ask("xml.parse", chart, "d.getroot().tag"),
            "{http://www.w3.org/2000/svg}svg\n");
  EXPECT_EQ(Ask("xml.parse", chart,
                "sum(t.get('class') == 'label' for t in d.getroot().iter())"),
            std::to_string(std::count(names.begin(), names.end(), '\n')) + "\n");
  // No file of the work is left.
  EXPECT_EQ(Ask("json.load", "[]", "sorted(__import__('os').listdir('.'))"),
            "['chart.svg', 'document']\n");
}

TEST_F(IoModelsProgramTest, CountsASystemCallForEachReadAndWrite) {
  const Subprocess::Result result =
      Run({"--size=32M", "--runs=1", "--json", "--work=copy-cached",
           "--model=blocking,uring-one"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  // The file has 256 blocks. A sanitizer's run time adds a few calls.
  EXPECT_EQ(Ask("json.load", result.output,
                "[2 <= m['system_calls_per_operation'] < 2.05"
                " for m in d['works'][0]['models']]"),
            "[True, True]\n");
}

TEST_F(IoModelsProgramTest, PrintsATableForPeople) {
  const Subprocess::Result result =
      Run({kTiny, "--runs=1", "--work=read-cached,regular", "--model=blocking,libaio"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(absl::StrContains(result.output, "\nread-cached-1: ")) << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, "ops/s  calls/op  CPU s"))
      << result.output;
  EXPECT_TRUE(absl::StrContains(result.output,
                                "\nblocking  does not apply: it has one read under way"))
      << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, "of the time was spent in io_submit"))
      << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, "EPERM")) << result.output;
  EXPECT_FALSE(absl::StrContains(result.output, "thread-pool")) << result.output;
}

TEST_F(IoModelsProgramTest, AnEmptyFileIsNoTrouble) {
  const Subprocess::Result result = Run({"--size=0", "--runs=1", "--work=copy,read,pipe",
                                         "--model=blocking,thread-pool,libaio,uring"});
  EXPECT_EQ(result.exit_code, 0) << result.error << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, "smaller than one read")) << result.output;
}

TEST_F(IoModelsProgramTest, ListsWorksAndModels) {
  const Subprocess::Result result = Run({"--list"});
  EXPECT_EQ(result.exit_code, 0);
  for (const Work& work : Works()) {
    EXPECT_TRUE(absl::StrContains(result.output, work.name + ": ")) << work.name;
  }
  EXPECT_TRUE(absl::StrContains(result.output, "\n  uring-multishot ")) << result.output;
  EXPECT_EQ(Run({"--help"}).exit_code, 0);
}

TEST_F(IoModelsProgramTest, RefusesWhatMakesNoSense) {
  for (const char* argument :
       {"--work=none", "--model=none", "--work=", "--size=1T", "--size=-1", "--runs=0",
        "--seed=x", "--unknown", "operand"}) {
    const Subprocess::Result result = Run({argument});
    EXPECT_EQ(result.exit_code, 1) << argument;
    EXPECT_TRUE(absl::StrContains(result.error, "--help")) << argument << result.error;
  }
}

TEST_F(IoModelsProgramTest, TellsWhereFilesCanNotBeMade) {
  const Subprocess::Result result = Run({"--directory=missing", "--work=copy-cached"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.error, "missing/io_models")) << result.error;
  EXPECT_TRUE(absl::StrContains(result.error, "ENOENT")) << result.error;
}

TEST(SvgChartTest, TextIsEscapedAndLargeSpansAreLogarithmic) {
  const std::string chart = SvgChart(
      "a < b & \"c\"", {{.title = "group",
                         .measures = {"near", "far"},
                         .rows = {{.label = "one", .values = {1, 1}, .words = ""},
                                  {.label = "two", .values = {10, 1000}, .words = ""},
                                  {.label = "three", .values = {0, 0}, .words = ""},
                                  {.label = "none", .values = {}, .words = "<why>"}}}});
  EXPECT_TRUE(absl::StrContains(chart, "a &lt; b &amp; &quot;c&quot;")) << chart;
  EXPECT_TRUE(absl::StrContains(chart, ">&lt;why&gt;<")) << chart;
  EXPECT_TRUE(absl::StrContains(chart, ">near<")) << chart;
  EXPECT_TRUE(absl::StrContains(chart, ">far (logarithmic)<")) << chart;
}

TEST(TextTableTest, AlignsNumbersToTheRight) {
  TextTable table({"name", "µs"});
  table.AddRow({"a", "1"}, "");
  table.AddRow({"b", "1000"}, "");
  table.AddRow({"long name"}, "words instead");
  EXPECT_EQ(table.Text(),
            "name         µs\n"
            "a             1\n"
            "b          1000\n"
            "long name  words instead\n");
}

}  // namespace
}  // namespace ringcp::io_models
