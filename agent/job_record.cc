#include "agent/job_record.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/job_conversion.h"

namespace ringcp {
namespace {

std::shared_ptr<const v1::JobSpec> WithFirstSource(
    const std::shared_ptr<const v1::JobSpec>& spec) {
  if (spec->sources_size() <= 1) return spec;
  auto basic = std::make_shared<v1::JobSpec>();
  basic->add_sources(spec->sources(0));
  basic->set_target(spec->target());
  if (spec->has_options()) *basic->mutable_options() = spec->options();
  *basic->mutable_labels() = spec->labels();
  return basic;
}

}  // namespace

JobRecord::JobRecord(std::string name, std::shared_ptr<const v1::JobSpec> spec,
                     absl::Time create_time)
    : spec_(std::move(spec)),
      basic_spec_(WithFirstSource(spec_)),
      bytes_(static_cast<int64_t>(sizeof(JobRecord) + spec_->SpaceUsedLong())) {
  job_.set_name(std::move(name));
  job_.set_state(v1::Job::QUEUED);
  *job_.mutable_create_time() = TimeToApi(create_time);
  *job_.mutable_labels() = spec_->labels();
  job_.mutable_progress();
  job_.set_sources_count(spec_->sources_size());
  job_.set_version(1);
}

void JobRecord::Start(absl::Time now) {
  RINGCP_CHECK(state() == v1::Job::QUEUED);
  job_.set_state(v1::Job::RUNNING);
  *job_.mutable_start_time() = TimeToApi(now);
  job_.set_attempts(job_.attempts() + 1);
  NoteChange();
}

void JobRecord::UpdateProgress(const v1::Progress& progress) {
  RINGCP_CHECK(state() == v1::Job::RUNNING);
  if (google::protobuf::util::MessageDifferencer::Equals(progress, job_.progress())) {
    return;
  }
  *job_.mutable_progress() = progress;
  NoteChange();
}

void JobRecord::AddError(v1::FileError error, bool keep) {
  RINGCP_CHECK(state() == v1::Job::RUNNING);
  NoteChange();
  if (!keep) return;
  bytes_ += ErrorBytes(error);
  errors_.push_back({version(), std::move(error)});
  job_.set_errors_count(static_cast<int32_t>(errors_.size()));
}

void JobRecord::End(v1::Job::State state, std::string reason, absl::Time now) {
  RINGCP_CHECK(job_.state() == v1::Job::RUNNING ||
               (job_.state() == v1::Job::QUEUED && state == v1::Job::CANCELLED));
  job_.set_state(state);
  RINGCP_CHECK(ended());
  job_.set_error(std::move(reason));
  *job_.mutable_end_time() = TimeToApi(now);
  NoteChange();
}

bool JobRecord::ended() const {
  return state() == v1::Job::SUCCEEDED || state() == v1::Job::FAILED ||
         state() == v1::Job::CANCELLED;
}

size_t JobRecord::ErrorsUpTo(int64_t version) const {
  const auto later = std::upper_bound(
      errors_.begin(), errors_.end(), version,
      [](int64_t wanted, const KeptError& kept) { return wanted < kept.version; });
  return static_cast<size_t>(later - errors_.begin());
}

int64_t JobRecord::ErrorBytes(const v1::FileError& error) {
  return static_cast<int64_t>(sizeof(KeptError) + error.SpaceUsedLong());
}

}  // namespace ringcp
