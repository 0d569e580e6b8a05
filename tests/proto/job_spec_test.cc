#include "proto/job_spec.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/path_codec.h"
#include "third_party/google_rpc/rpc_status.pb.h"

namespace ringcp {
namespace {

using std::literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::JobSpec GoodSpec() {
  v1::JobSpec spec;
  spec.add_sources("/source");
  spec.set_target("/target");
  return spec;
}

// The fields that `status` names as bad. The status must be INVALID_ARGUMENT or OK.
std::vector<std::string> RefusedFields(const absl::Status& status) {
  std::vector<std::string> fields;
  if (status.ok()) return fields;
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  EXPECT_TRUE(payload.has_value()) << status;
  google::rpc::BadRequest details;
  EXPECT_TRUE(payload && details.ParseFromString(std::string(*payload)));
  for (const auto& violation : details.field_violations()) {
    EXPECT_FALSE(violation.description().empty());
    fields.push_back(violation.field());
  }
  return fields;
}

// The fields that are refused after `change` was made to a good specification.
std::vector<std::string> RefusedAfter(const std::function<void(v1::JobSpec*)>& change) {
  v1::JobSpec spec = GoodSpec();
  change(&spec);
  const absl::Status status = ValidateJobSpec(spec);
  EXPECT_EQ(CopyRequestFromSpec(spec, 022).status(), status);
  return RefusedFields(status);
}

TEST(ValidateJobSpecTest, OneSourceAndATargetAreEnough) {
  EXPECT_TRUE(ValidateJobSpec(GoodSpec()).ok());
}

TEST(ValidateJobSpecTest, NoSourceIsRefused) {
  EXPECT_THAT(RefusedAfter([](auto* spec) { spec->clear_sources(); }),
              ElementsAre("spec.sources"));
}

TEST(ValidateJobSpecTest, TooManySourcesAreRefused) {
  const auto with_sources = [](int count) {
    return [count](v1::JobSpec* spec) {
      while (spec->sources_size() < count) spec->add_sources("/s");
    };
  };
  EXPECT_THAT(RefusedAfter(with_sources(kSourcesMax)), IsEmpty());
  EXPECT_THAT(RefusedAfter(with_sources(kSourcesMax + 1)), ElementsAre("spec.sources"));
}

TEST(ValidateJobSpecTest, ABadSourceIsNamedByItsIndex) {
  for (const std::string& bad : {""s, "relative"s, "/a\0b"s, "file://host/a"s,
                                 "file:///%zz"s, "/" + std::string(kPathBytesMax, 'a')}) {
    EXPECT_THAT(RefusedAfter([&bad](auto* spec) { spec->add_sources(bad); }),
                ElementsAre("spec.sources[1]"))
        << bad.substr(0, 20);
  }
}

// A source like /dev/stdout would mean the agent's own, which is most likely its log.
TEST(ValidateJobSpecTest, WhatEachProcessHasOfItsOwnIsRefused) {
  for (const char* own :
       {"/dev/stdout", "//dev/./stderr", "/dev/fd/63", "/dev/fd", "/proc/self/fd/1",
        "/proc/thread-self/comm", "/tmp/../dev/stdin", "/../proc/self"}) {
    EXPECT_THAT(RefusedAfter([own](auto* spec) { spec->set_sources(0, own); }),
                ElementsAre("spec.sources[0]"))
        << own;
    EXPECT_THAT(RefusedAfter([own](auto* spec) { spec->set_target(own); }),
                ElementsAre("spec.target"))
        << own;
  }
  for (const char* fine : {"/dev", "/dev/zero", "/proc/1/comm", "/home/dev/stdout"}) {
    EXPECT_THAT(RefusedAfter([fine](auto* spec) { spec->set_sources(0, fine); }),
                IsEmpty())
        << fine;
  }
}

TEST(ValidateJobSpecTest, AMissingOrBadTargetIsRefused) {
  EXPECT_THAT(RefusedAfter([](auto* spec) { spec->clear_target(); }),
              ElementsAre("spec.target"));
  EXPECT_THAT(RefusedAfter([](auto* spec) { spec->set_target("here"); }),
              ElementsAre("spec.target"));
}

TEST(ValidateJobSpecTest, AnUnknownEnumValueIsRefused) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_dereference(
                    static_cast<v1::CopyOptions::Dereference>(4));
              }),
              ElementsAre("spec.options.dereference"));
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_target_kind(
                    static_cast<v1::CopyOptions::TargetKind>(-1));
              }),
              ElementsAre("spec.options.target_kind"));
  EXPECT_THAT(
      RefusedAfter([](auto* spec) {
        spec->mutable_options()->set_engine(static_cast<v1::CopyOptions::Engine>(99));
      }),
      ElementsAre("spec.options.engine"));
}

TEST(ValidateJobSpecTest, NumbersOutOfRangeAreRefused) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_workers(Tuning::kWorkersMax + 1);
                spec->mutable_options()->set_queue_depth(-1);
                spec->mutable_options()->set_block_size_bytes(4097);
              }),
              ElementsAre("spec.options.workers", "spec.options.queue_depth",
                          "spec.options.block_size_bytes"));
}

TEST(ValidateJobSpecTest, SqpollIsRefusedWithThreads) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_sqpoll(true);
                spec->mutable_options()->set_engine(v1::CopyOptions::THREADS);
              }),
              ElementsAre("spec.options.sqpoll"));
}

TEST(ValidateJobSpecTest, IopollIsRefusedWithoutDirectAndWithThreads) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_no_cache(true);
                spec->mutable_options()->set_iopoll(true);
              }),
              ElementsAre("spec.options.iopoll"));
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->mutable_options()->set_direct(true);
                spec->mutable_options()->set_iopoll(true);
                spec->mutable_options()->set_engine(v1::CopyOptions::THREADS);
              }),
              ElementsAre("spec.options.iopoll"));
}

TEST(ValidateJobSpecTest, AFieldOfANewerVersionIsRefused) {
  // Field 1000, a varint.
  const std::string newer = "\xC0\x3E\x01";
  EXPECT_THAT(RefusedAfter([&](auto* spec) { spec->MergeFromString(newer); }),
              ElementsAre("spec"));
  EXPECT_THAT(
      RefusedAfter([&](auto* spec) { spec->mutable_options()->MergeFromString(newer); }),
      ElementsAre("spec.options"));
  EXPECT_THAT(RefusedAfter([&](auto* spec) {
                spec->mutable_options()->mutable_preserve()->MergeFromString(newer);
              }),
              ElementsAre("spec.options.preserve"));
}

TEST(ValidateJobSpecTest, SeveralSourcesNeedADirectory) {
  const auto not_directory = [](v1::JobSpec* spec) {
    spec->mutable_options()->set_target_kind(v1::CopyOptions::NOT_DIRECTORY);
  };
  EXPECT_THAT(RefusedAfter(not_directory), IsEmpty());
  EXPECT_THAT(RefusedAfter([&](auto* spec) {
                spec->add_sources("/second");
                not_directory(spec);
              }),
              ElementsAre("spec.options.target_kind"));
}

TEST(ValidateJobSpecTest, LabelsAreLimited) {
  const auto with_label = [](const std::string& key, const std::string& value) {
    return [key, value](v1::JobSpec* spec) { (*spec->mutable_labels())[key] = value; };
  };
  EXPECT_THAT(RefusedAfter(with_label("a", "")), IsEmpty());
  EXPECT_THAT(RefusedAfter(with_label("a" + std::string(62, '-'), "v")), IsEmpty());
  EXPECT_THAT(RefusedAfter(with_label("night_run-2", std::string(256, 'v'))), IsEmpty());
  EXPECT_THAT(RefusedAfter(with_label("k", std::string(257, 'v'))),
              ElementsAre("spec.labels[k]"));
  EXPECT_THAT(RefusedAfter(with_label("K", "v")), ElementsAre("spec.labels[K]"));
  EXPECT_THAT(RefusedAfter(with_label("1k", "v")), ElementsAre("spec.labels[1k]"));
  EXPECT_THAT(RefusedAfter(with_label("", "v")), ElementsAre("spec.labels[]"));
  EXPECT_THAT(RefusedAfter(with_label("a" + std::string(63, 'b'), "v")), SizeIs(1));
  const auto with_labels = [](int count) {
    return [count](v1::JobSpec* spec) {
      for (int i = 0; i < count; ++i) {
        (*spec->mutable_labels())[absl::StrCat("k", i)] = "v";
      }
    };
  };
  EXPECT_THAT(RefusedAfter(with_labels(kLabelsMax)), IsEmpty());
  EXPECT_THAT(RefusedAfter(with_labels(kLabelsMax + 1)), ElementsAre("spec.labels"));
}

TEST(ValidateJobSpecTest, ATooLargeSpecificationIsRefused) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                const std::string path = "/" + std::string(kPathBytesMax - 1, 'a');
                for (int i = 0; i < 50; ++i) spec->add_sources(path);
              }),
              ElementsAre("spec"));
}

TEST(ValidateJobSpecTest, AllRefusedFieldsAreNamedUpToALimit) {
  EXPECT_THAT(RefusedAfter([](auto* spec) {
                spec->set_sources(0, "a");
                spec->set_target("b");
              }),
              ElementsAre("spec.sources[0]", "spec.target"));
  v1::JobSpec spec = GoodSpec();
  for (int i = 0; i < 100; ++i) spec.add_sources("relative");
  const absl::Status status = ValidateJobSpec(spec);
  EXPECT_THAT(RefusedFields(status), SizeIs(8));
  EXPECT_EQ(status.message(),
            "spec.sources[1]: must be an absolute path, such as /srv/data (and 99 more)");
}

TEST(ValidateRequestIdTest, TheLengthIsLimited) {
  EXPECT_TRUE(ValidateRequestId("").ok());
  EXPECT_TRUE(ValidateRequestId(std::string(128, 'i')).ok());
  EXPECT_THAT(RefusedFields(ValidateRequestId(std::string(129, 'i'))),
              ElementsAre("request_id"));
}

TEST(CopyRequestFromSpecTest, PathsAreDecodedAndTheUmaskIsTheAgents) {
  v1::JobSpec spec = GoodSpec();
  spec.add_sources("file:///caf%E9");
  const auto request = CopyRequestFromSpec(spec, 027);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->sources, ElementsAre("/source", "/caf\xE9"));
  EXPECT_EQ(request->target, "/target");
  EXPECT_EQ(request->options.umask, 027u);
}

TEST(CopyRequestFromSpecTest, NoOptionsMeanTheEnginesDefaults) {
  const auto request = CopyRequestFromSpec(GoodSpec(), 022);
  ASSERT_TRUE(request.ok()) << request.status();
  CopyOptions defaults;
  defaults.umask = 022;
  EXPECT_EQ(request->options, defaults);
}

// Tries each option alone, so that no two of them can be mixed up.
TEST(CopyRequestFromSpecTest, EveryOptionMeansTheSameOnBothSides) {
  const std::vector<std::function<void(CopyOptions*)>> changes = {
      [](CopyOptions* options) { options->recursive = true; },
      [](CopyOptions* options) { options->dereference = Dereference::kNever; },
      [](CopyOptions* options) { options->dereference = Dereference::kCommandLine; },
      [](CopyOptions* options) { options->dereference = Dereference::kAlways; },
      [](CopyOptions* options) { options->target_kind = TargetKind::kDirectory; },
      [](CopyOptions* options) { options->target_kind = TargetKind::kNotDirectory; },
      [](CopyOptions* options) { options->preserve.mode = true; },
      [](CopyOptions* options) { options->preserve.ownership = true; },
      [](CopyOptions* options) { options->preserve.timestamps = true; },
      [](CopyOptions* options) { options->preserve.links = true; },
      [](CopyOptions* options) { options->default_mode = true; },
      [](CopyOptions* options) { options->force = true; },
      [](CopyOptions* options) { options->update = Update::kNone; },
      [](CopyOptions* options) { options->update = Update::kNoneFail; },
      [](CopyOptions* options) { options->update = Update::kOlder; },
      [](CopyOptions* options) { options->makes = Makes::kHardLinks; },
      [](CopyOptions* options) { options->makes = Makes::kSymbolicLinks; },
      [](CopyOptions* options) { options->attributes_only = true; },
      [](CopyOptions* options) { options->strip_trailing_slashes = true; },
      [](CopyOptions* options) { options->parents = true; },
      [](CopyOptions* options) { options->sparse = Sparse::kAlways; },
      [](CopyOptions* options) { options->sparse = Sparse::kNever; },
      [](CopyOptions* options) { options->copy_contents = true; },
      [](CopyOptions* options) { options->keep_directory_symlink = true; },
      [](CopyOptions* options) { options->backup = Backup::kSimple; },
      [](CopyOptions* options) { options->backup = Backup::kExisting; },
      [](CopyOptions* options) {
        options->backup = Backup::kNumbered;
        options->backup_suffix = ".\xff";
      },
      [](CopyOptions* options) { options->remove_destination = true; },
      [](CopyOptions* options) { options->one_file_system = true; },
      [](CopyOptions* options) { options->reflink = Reflink::kAlways; },
      [](CopyOptions* options) { options->reflink = Reflink::kNever; },
      [](CopyOptions* options) { options->engine = EngineChoice::kUring; },
      [](CopyOptions* options) { options->engine = EngineChoice::kThreads; },
      [](CopyOptions* options) { options->page_cache = PageCache::kDrop; },
      [](CopyOptions* options) { options->page_cache = PageCache::kBypass; },
      [](CopyOptions* options) { options->sqpoll = true; },
      [](CopyOptions* options) {
        options->page_cache = PageCache::kBypass;
        options->iopoll = true;
      },
      [](CopyOptions* options) { options->tuning.workers = 1; },
      [](CopyOptions* options) { options->tuning.queue_depth = 2; },
      [](CopyOptions* options) { options->tuning.block_size_bytes = 4096; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    CopyRequest request = {.sources = {"/s"}, .target = "/t", .options = {}};
    changes[i](&request.options);
    const auto spec = SpecFromCopyRequest(request);
    ASSERT_TRUE(spec.ok()) << spec.status();
    const auto back = CopyRequestFromSpec(*spec, request.options.umask);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(back->options, request.options) << "change " << i;
    EXPECT_NE(back->options, CopyOptions()) << "change " << i;
  }
}

TEST(ValidateJobSpecTest, OptionsThatExcludeEachOtherAreRefused) {
  const auto refused = [](const std::function<void(v1::CopyOptions*)>& change) {
    v1::JobSpec spec = GoodSpec();
    change(spec.mutable_options());
    return RefusedFields(ValidateJobSpec(spec));
  };
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_parents(true);
                options->set_target_kind(v1::CopyOptions::NOT_DIRECTORY);
              }),
              ElementsAre("spec.options.parents"));
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_backup(v1::CopyOptions::SIMPLE);
                options->set_update(v1::CopyOptions::UPDATE_NONE_FAIL);
              }),
              ElementsAre("spec.options.backup"));
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_backup(v1::CopyOptions::SIMPLE);
                options->set_backup_suffix("/x");
              }),
              ElementsAre("spec.options.backup_suffix"));
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_backup_suffix(std::string("x\0y", 3));
              }),
              ElementsAre("spec.options.backup_suffix"));
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_backup_suffix(std::string(256, 'x'));
              }),
              ElementsAre("spec.options.backup_suffix"));
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_backup_suffix(std::string(255, 'x'));
              }),
              ElementsAre());
  EXPECT_THAT(refused([](v1::CopyOptions* options) {
                options->set_sparse(v1::CopyOptions::SPARSE_NEVER);
                options->set_reflink(v1::CopyOptions::REFLINK_ALWAYS);
              }),
              ElementsAre("spec.options.sparse"));
}

TEST(SpecFromCopyRequestTest, ARelativePathIsRefusedByItsField) {
  CopyRequest request = {.sources = {"/s", "s"}, .target = "/t", .options = {}};
  EXPECT_THAT(RefusedFields(SpecFromCopyRequest(request).status()),
              ElementsAre("spec.sources[1]"));
  request.sources.pop_back();
  request.target = "t";
  EXPECT_THAT(RefusedFields(SpecFromCopyRequest(request).status()),
              ElementsAre("spec.target"));
}

}  // namespace
}  // namespace ringcp
