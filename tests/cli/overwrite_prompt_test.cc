#include "cli/overwrite_prompt.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(OverwritePromptTest, PermissionsAreShownAsLsShowsThem) {
  EXPECT_EQ(PermissionLetters(0), "---------");
  EXPECT_EQ(PermissionLetters(0755), "rwxr-xr-x");
  EXPECT_EQ(PermissionLetters(S_IFREG | 07777), "rwsrwsrwt");
  EXPECT_EQ(PermissionLetters(07666), "rwSrwSrwT");
}

class AnswersTest : public testing::Test {
 protected:
  AnswersTest() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~AnswersTest() override {
    close(ends_[0]);
    if (ends_[1] != -1) close(ends_[1]);
  }
  void Type(const std::string& text) {
    EXPECT_EQ(write(ends_[1], text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  void End() {
    close(ends_[1]);
    ends_[1] = -1;
  }

  std::array<int, 2> ends_ = {-1, -1};
};

TEST_F(AnswersTest, ALineThatBeginsWithYMeansYes) {
  OverwritePrompt prompt(ends_[0]);
  Type("y\nn\nYes\n\n y\nyellow");
  End();
  EXPECT_TRUE(prompt.ReadAnswer());
  EXPECT_FALSE(prompt.ReadAnswer());
  EXPECT_TRUE(prompt.ReadAnswer());
  EXPECT_FALSE(prompt.ReadAnswer());
  EXPECT_FALSE(prompt.ReadAnswer());
  EXPECT_TRUE(prompt.ReadAnswer());  // Without its newline.
  EXPECT_FALSE(prompt.ReadAnswer());
}

TEST_F(AnswersTest, OnceStoppedNothingMeansYes) {
  OverwritePrompt prompt(ends_[0]);
  Type("y");
  prompt.Stop();
  EXPECT_FALSE(prompt.ReadAnswer());
}

}  // namespace
}  // namespace ringcp
