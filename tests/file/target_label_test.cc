#include "core/file/target_label.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/file/source_attributes.h"
#include "gtest/gtest.h"
#include "tests/simulation/lone_sim_kernel.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr char kSourceLabel[] = "user:role:source_t:s0";

struct With {
  Context context = Context::kTried;
  const char* label = nullptr;
  Xattrs xattrs = Xattrs::kNone;
  bool attributes_only = false;
  int source_error = 0;  // Why the source's label can't be read.
};

// What is said of a label that could not be given to a new target, or to an old one, with
// `error_number`; "" if nothing is. Behind it stands whether the copy ends.
std::string Said(const With& with, int error_number, bool is_new = true) {
  FileCopyPolicy policy;
  policy.preserve = {.xattrs = with.xattrs, .context = with.context};
  policy.label = with.label;
  policy.attributes_only = with.attributes_only;
  FileCopyNames names;
  names.target = "target";
  SourceAttributes source;
  source.Start({.context = with.context}, FileRef::Descriptor(3), S_IFREG | 0644);
  LookBy(&source, [&](const Op& op) -> int32_t {
    EXPECT_STREQ(op.xattr.name, "security.selinux");
    if (with.source_error != 0) return -with.source_error;
    std::memcpy(op.xattr.value, kSourceLabel, sizeof(kSourceLabel));
    return sizeof(kSourceLabel);  // With its NUL.
  });
  const TargetLabel label(policy, names, &source);
  EXPECT_TRUE(label.is_set());
  std::optional<CopyFailure> failure;
  if (is_new) {
    failure = label.FailureOfNew(-error_number);
  } else {
    LoneSimKernel kernel({}, {});
    MakeSimFile(kernel.its_world()->files(), "/target", "");
    kernel.its_world()->SetFaults([&](const SimOpContext& context) {
      const bool sets = context.op->kind == OpKind::kSetXattr ||
                        context.op->kind == OpKind::kSetDefaultLabel;
      return sets ? SimFault{SimFault::Kind::kFails, error_number, 0} : SimFault{};
    });
    const int fd = kernel.Open(AT_FDCWD, "/target", O_RDWR);
    failure = label.SetOnExisting(&kernel, FileRef::Descriptor(fd), S_IFREG | 0644);
    kernel.Close(fd);
  }
  if (!failure.has_value()) return "";
  const FileError error =
      MakeFileError(failure->operation, failure->on_target ? "target" : "source",
                    failure->error_number, failure->attribute);
  return absl::StrCat(error.message, label.is_required() ? " !" : "");
}

TEST(TargetLabelTest, ARequiredLabelEndsTheCopyAndOthersDoNot) {
  EXPECT_EQ(Said({.context = Context::kRequired}, EACCES),
            "failed to set default file creation context to 'user:role:source_t:s0': "
            "Permission denied !");
  EXPECT_EQ(Said({.context = Context::kReported}, EACCES),
            "failed to set default file creation context to 'user:role:source_t:s0': "
            "Permission denied");
  EXPECT_EQ(Said({.context = Context::kTried}, EACCES), "");
  EXPECT_EQ(Said({.context = Context::kReplaced, .label = "a:b:c"}, EINVAL),
            "failed to set default file creation context to 'a:b:c': Invalid argument !");
  EXPECT_EQ(
      Said({.context = Context::kReplaced}, EACCES),
      "failed to set default file creation context for 'target': Permission denied");
}

TEST(TargetLabelTest, AnExistingTargetsLabelIsToldAsGnuCpTellsIt) {
  constexpr char kText[] =
      "failed to set the security context of 'target': Permission denied";
  const auto said = [](const With& with, int error_number) {
    return Said(with, error_number, /*is_new=*/false);
  };
  EXPECT_EQ(said({.context = Context::kRequired}, EACCES), absl::StrCat(kText, " !"));
  EXPECT_EQ(said({.context = Context::kReported}, EACCES), kText);
  EXPECT_EQ(said({.context = Context::kTried}, EACCES), "");
  EXPECT_EQ(said({.context = Context::kReplaced}, EACCES), kText);
  EXPECT_EQ(said({.context = Context::kReplaced, .xattrs = Xattrs::kTried}, EACCES), "");
  // A label that was named is for new files.
  EXPECT_EQ(said({.context = Context::kReplaced, .label = "a:b:c"}, EACCES), "");
}

TEST(TargetLabelTest, ThatThereAreNoLabelsIsToldOnlyIfOneIsRequired) {
  for (const int none : {EOPNOTSUPP, ENODATA}) {
    EXPECT_EQ(Said({.context = Context::kReported}, none), "");
    EXPECT_EQ(Said({.context = Context::kReplaced}, none), "");
    EXPECT_NE(Said({.context = Context::kRequired}, none), "");
    EXPECT_NE(Said({.context = Context::kTried, .attributes_only = true}, none), "");
  }
}

TEST(TargetLabelTest, ThatThereWasTooLittleOfSomethingIsAlwaysTold) {
  EXPECT_EQ(Said({.context = Context::kTried}, EMFILE),
            "failed to set default file creation context to 'user:role:source_t:s0': "
            "Too many open files");
}

TEST(TargetLabelTest, ASourceWhoseLabelCanNotBeReadIsNotCopiedIfItIsRequired) {
  EXPECT_EQ(Said({.context = Context::kRequired, .source_error = EOPNOTSUPP}, 0),
            "failed to get security context of 'source': Operation not supported !");
  EXPECT_EQ(Said({.context = Context::kReported, .source_error = EACCES}, 0),
            "failed to get security context of 'source': Permission denied");
  EXPECT_EQ(Said({.context = Context::kReported, .source_error = EOPNOTSUPP}, 0), "");
}

}  // namespace
}  // namespace ringcp
