#include "cli/json_job_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/time/time.h"
#include "proto/ringcp.pb.h"

namespace ringcp {
namespace {

constexpr char kZeroes[] =
    R"("bytesDone":"0","bytesTotal":"0","filesDone":"0","filesTotal":"0",)"
    R"("directoriesDone":"0","filesSkipped":"0","filesFailed":"0",)"
    R"("scanComplete":false,"bytesPerSecond":"0")";

class JsonJobOutputTest : public testing::Test {
 protected:
  JsonJobOutputTest() : output_((Open(), ends_[1])) {}
  ~JsonJobOutputTest() override {
    close(ends_[0]);
    close(ends_[1]);
  }

  void Open() { ASSERT_EQ(pipe2(ends_.data(), O_NONBLOCK), 0); }

  // Everything written since the last call.
  std::string Written() {
    std::array<char, 4096> buffer;
    const ssize_t got = read(ends_[0], buffer.data(), buffer.size());
    return got < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(got));
  }

  static absl::Time At(int64_t milliseconds) {
    return absl::FromUnixMillis(milliseconds);
  }

  std::array<int, 2> ends_ = {};
  JsonJobOutput output_;
};

TEST_F(JsonJobOutputTest, HasEveryCounterAlsoWhenItIsZero) {
  output_.ShowProgress(v1::Job::RUNNING, v1::Progress(), At(0));
  EXPECT_EQ(Written(),
            std::string(R"({"state":"RUNNING","progress":{)") + kZeroes + "}}\n");
}

TEST_F(JsonJobOutputTest, WritesATimeOnlyIfItIsKnown) {
  v1::Progress progress;
  progress.mutable_time_remaining()->set_seconds(1);
  progress.mutable_time_remaining()->set_nanos(500'000'000);
  output_.ShowProgress(v1::Job::RUNNING, progress, At(0));
  EXPECT_NE(Written().find(R"("timeRemaining":"1.500s")"), std::string::npos);
}

TEST_F(JsonJobOutputTest, TellsWhatLimitsTheJob) {
  v1::Progress progress;
  progress.mutable_engine()->set_in_flight(61.3);
  progress.mutable_engine()->set_limited_by("the source");
  output_.ShowProgress(v1::Job::RUNNING, progress, At(0));
  EXPECT_NE(Written().find(R"("inFlight":61.3,"limitedBy":"the source")"),
            std::string::npos);
}

TEST_F(JsonJobOutputTest, ShowsProgressAtMostTenTimesASecond) {
  int lines = 0;
  for (int64_t now = 0; now < 1000; ++now) {
    output_.ShowProgress(v1::Job::RUNNING, v1::Progress(), At(now));
    if (!Written().empty()) ++lines;
  }
  EXPECT_EQ(lines, 10);
}

TEST_F(JsonJobOutputTest, EndsWithTheOutcomeWhateverTheTime) {
  output_.ShowProgress(v1::Job::RUNNING, v1::Progress(), At(0));
  Written();
  EXPECT_TRUE(output_.Finish(v1::Job::CANCELLED, v1::Progress()));
  EXPECT_EQ(Written(),
            std::string(R"({"state":"CANCELLED","progress":{)") + kZeroes + "}}\n");
}

TEST_F(JsonJobOutputTest, WritesErrorsAsObjects) {
  v1::FileError error;
  error.set_path("/a\"b");
  error.set_operation("open");
  error.set_message("cannot open 'a\"b'");
  output_.PrintError(error);
  EXPECT_EQ(Written(), R"({"error":{"path":"/a\"b","operation":"open","errnoName":"",)"
                       R"("message":"cannot open 'a\"b'","isWarning":false}})"
                       "\n");
}

TEST_F(JsonJobOutputTest, KeepsEveryTextOnOneLine) {
  output_.PrintFailure("two\nlines");
  EXPECT_EQ(Written(), "{\"failure\":\"two\\nlines\"}\n");
  output_.PrintWarning("odd");
  EXPECT_EQ(Written(), "{\"warning\":\"odd\"}\n");
  output_.PrintDebug("engine");
  EXPECT_EQ(Written(), "{\"debug\":\"engine\"}\n");
  output_.PrintMadeParent("a", "b/a");
  EXPECT_EQ(Written(), "{\"copied\":\"'a' -\\u003e 'b/a'\"}\n");
  output_.PrintCopied("a\xff", "b", "", nullptr);
  EXPECT_EQ(Written(), "{\"copied\":\"'a'$'\\\\377' -\\u003e 'b'\"}\n");
}

TEST_F(JsonJobOutputTest, TellsThatNothingCouldBeWritten) {
  JsonJobOutput broken(-1);
  EXPECT_FALSE(broken.Finish(v1::Job::SUCCEEDED, v1::Progress()));
}

}  // namespace
}  // namespace ringcp
