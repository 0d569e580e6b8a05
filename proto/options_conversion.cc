#include "proto/options_conversion.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

using ApiOptions = v1::CopyOptions;

// Each pair is the same value in the API's words and in the engine's.
constexpr std::pair<ApiOptions::Dereference, Dereference> kDereferences[] = {
    {ApiOptions::DEREFERENCE_UNSPECIFIED, Dereference::kDefault},
    {ApiOptions::DEREFERENCE_NEVER, Dereference::kNever},
    {ApiOptions::DEREFERENCE_COMMAND_LINE, Dereference::kCommandLine},
    {ApiOptions::DEREFERENCE_ALWAYS, Dereference::kAlways},
};

constexpr std::pair<ApiOptions::TargetKind, TargetKind> kTargetKinds[] = {
    {ApiOptions::TARGET_KIND_UNSPECIFIED, TargetKind::kDefault},
    {ApiOptions::DIRECTORY, TargetKind::kDirectory},
    {ApiOptions::NOT_DIRECTORY, TargetKind::kNotDirectory},
};

constexpr std::pair<ApiOptions::Engine, EngineChoice> kEngines[] = {
    {ApiOptions::ENGINE_UNSPECIFIED, EngineChoice::kAuto},
    {ApiOptions::URING, EngineChoice::kUring},
    {ApiOptions::THREADS, EngineChoice::kThreads},
};

constexpr std::pair<ApiOptions::Reflink, Reflink> kReflinks[] = {
    {ApiOptions::REFLINK_UNSPECIFIED, Reflink::kAuto},
    {ApiOptions::REFLINK_ALWAYS, Reflink::kAlways},
    {ApiOptions::REFLINK_NEVER, Reflink::kNever},
};

constexpr std::pair<ApiOptions::Update, Update> kUpdates[] = {
    {ApiOptions::UPDATE_UNSPECIFIED, Update::kAll},
    {ApiOptions::UPDATE_NONE, Update::kNone},
    {ApiOptions::UPDATE_NONE_FAIL, Update::kNoneFail},
    {ApiOptions::UPDATE_OLDER, Update::kOlder},
};

constexpr std::pair<ApiOptions::Makes, Makes> kMakes[] = {
    {ApiOptions::MAKES_UNSPECIFIED, Makes::kCopies},
    {ApiOptions::HARD_LINKS, Makes::kHardLinks},
    {ApiOptions::SYMBOLIC_LINKS, Makes::kSymbolicLinks},
};

constexpr std::pair<ApiOptions::Backup, Backup> kBackups[] = {
    {ApiOptions::BACKUP_UNSPECIFIED, Backup::kNone},
    {ApiOptions::SIMPLE, Backup::kSimple},
    {ApiOptions::EXISTING, Backup::kExisting},
    {ApiOptions::NUMBERED, Backup::kNumbered},
};

constexpr std::pair<ApiOptions::Sparse, Sparse> kSparse[] = {
    {ApiOptions::SPARSE_UNSPECIFIED, Sparse::kAuto},
    {ApiOptions::SPARSE_ALWAYS, Sparse::kAlways},
    {ApiOptions::SPARSE_NEVER, Sparse::kNever},
};

constexpr std::pair<ApiOptions::Xattrs, Xattrs> kXattrs[] = {
    {ApiOptions::XATTRS_UNSPECIFIED, Xattrs::kNone},
    {ApiOptions::XATTRS_TRIED, Xattrs::kTried},
    {ApiOptions::XATTRS_REPORTED, Xattrs::kReported},
    {ApiOptions::XATTRS_REQUIRED, Xattrs::kRequired},
};

constexpr std::pair<ApiOptions::Xattrs, Context> kContexts[] = {
    {ApiOptions::XATTRS_UNSPECIFIED, Context::kNone},
    {ApiOptions::XATTRS_TRIED, Context::kTried},
    {ApiOptions::XATTRS_REPORTED, Context::kReported},
    {ApiOptions::XATTRS_REQUIRED, Context::kRequired},
};

// Translates `value` by `table`. An unknown value is a violation of `field`, and yields
// the table's first entry.
template <typename Api, typename Engine, size_t kSize>
Engine FromApi(const std::pair<Api, Engine> (&table)[kSize], Api value,
               std::string_view field, FieldViolations* violations) {
  for (const auto& [api, engine] : table) {
    if (api == value) return engine;
  }
  violations->Add(field, absl::StrCat("must be a value that this version knows, not ",
                                      static_cast<int>(value)));
  return table[0].second;
}

template <typename Api, typename Engine, size_t kSize>
Api ToApi(const std::pair<Api, Engine> (&table)[kSize], Engine value) {
  for (const auto& [api, engine] : table) {
    if (engine == value) return api;
  }
  return table[0].first;
}

int ReadCount(int count, int most, std::string_view field, FieldViolations* violations) {
  if (count < 0 || count > most) {
    violations->Add(field, absl::StrCat("must be 0 to ", most));
  }
  return count;
}

Tuning ReadTuning(const ApiOptions& options, FieldViolations* violations) {
  Tuning tuning;
  tuning.workers = ReadCount(options.workers(), Tuning::kWorkersMax,
                             "spec.options.workers", violations);
  tuning.queue_depth = ReadCount(options.queue_depth(), Tuning::kQueueDepthMax,
                                 "spec.options.queue_depth", violations);
  tuning.block_size_bytes = options.block_size_bytes();
  if (tuning.block_size_bytes != 0 && !Tuning::IsBlockSize(tuning.block_size_bytes)) {
    violations->Add("spec.options.block_size_bytes",
                    absl::StrCat("must be 0 or a multiple of ", Tuning::kBlockBytesMin,
                                 " up to ", Tuning::kBlockBytesMax));
  }
  return tuning;
}

void ReadBackup(const ApiOptions& options, CopyOptions* result,
                FieldViolations* violations) {
  constexpr size_t kSuffixBytesMax = 255;  // Of a file's name (NAME_MAX).
  result->backup = FromApi(kBackups, options.backup(), "spec.options.backup", violations);
  if (result->backup != Backup::kNone && KeepsExisting(result->update)) {
    violations->Add("spec.options.backup",
                    "must not be set with UPDATE_NONE or UPDATE_NONE_FAIL");
  }
  if (options.backup_suffix().empty()) return;
  result->backup_suffix = options.backup_suffix();
  constexpr std::string_view kForbidden("/\0", 2);
  if (result->backup_suffix.size() > kSuffixBytesMax ||
      result->backup_suffix.find_first_of(kForbidden) != std::string::npos) {
    violations->Add("spec.options.backup_suffix",
                    absl::StrCat("must be at most ", kSuffixBytesMax,
                                 " bytes, and must not hold a slash or a NUL"));
  }
}

}  // namespace

CopyOptions ReadOptions(const ApiOptions& options, FieldViolations* violations) {
  CopyOptions result;
  result.recursive = options.recursive();
  result.dereference = FromApi(kDereferences, options.dereference(),
                               "spec.options.dereference", violations);
  result.target_kind = FromApi(kTargetKinds, options.target_kind(),
                               "spec.options.target_kind", violations);
  result.preserve.mode = options.preserve().mode();
  result.preserve.ownership = options.preserve().ownership();
  result.preserve.timestamps = options.preserve().timestamps();
  result.preserve.links = options.preserve().links();
  result.preserve.xattrs = FromApi(kXattrs, options.preserve().xattrs(),
                                   "spec.options.preserve.xattrs", violations);
  result.preserve.context = FromApi(kContexts, options.preserve().context(),
                                    "spec.options.preserve.context", violations);
  result.default_mode = options.default_mode();
  result.force = options.force();
  result.attributes_only = options.attributes_only();
  result.makes = FromApi(kMakes, options.makes(), "spec.options.makes", violations);
  result.update = FromApi(kUpdates, options.update(), "spec.options.update", violations);
  result.remove_destination = options.remove_destination();
  ReadBackup(options, &result, violations);
  result.strip_trailing_slashes = options.strip_trailing_slashes();
  result.parents = options.parents();
  if (result.parents && result.target_kind == TargetKind::kNotDirectory) {
    violations->Add("spec.options.parents", "must not be set with NOT_DIRECTORY");
  }
  result.writes_through_dangling_links = options.writes_through_dangling_links();
  result.one_file_system = options.one_file_system();
  result.reflink =
      FromApi(kReflinks, options.reflink(), "spec.options.reflink", violations);
  result.sparse = FromApi(kSparse, options.sparse(), "spec.options.sparse", violations);
  if (result.sparse != Sparse::kAuto && result.reflink == Reflink::kAlways) {
    violations->Add("spec.options.sparse", "must not be set with REFLINK_ALWAYS");
  }
  result.copy_contents = options.copy_contents();
  result.keep_directory_symlink = options.keep_directory_symlink();
  result.default_context = options.default_context();
  result.context = options.context();
  if (result.context.find('\0') != std::string::npos) {
    violations->Add("spec.options.context", "must not hold a NUL");
  }
  result.engine = FromApi(kEngines, options.engine(), "spec.options.engine", violations);
  if (options.no_cache()) result.page_cache = PageCache::kDrop;
  if (options.direct()) result.page_cache = PageCache::kBypass;
  result.sqpoll = options.sqpoll();
  if (result.sqpoll && result.engine == EngineChoice::kThreads) {
    violations->Add("spec.options.sqpoll", "must not be set with THREADS");
  }
  result.iopoll = options.iopoll();
  if (result.iopoll && result.page_cache != PageCache::kBypass) {
    violations->Add("spec.options.iopoll", "must not be set without direct");
  } else if (result.iopoll && result.engine == EngineChoice::kThreads) {
    violations->Add("spec.options.iopoll", "must not be set with THREADS");
  }
  result.tuning = ReadTuning(options, violations);
  return result;
}

void WriteOptions(const CopyOptions& options, ApiOptions* result) {
  result->set_recursive(options.recursive);
  result->set_dereference(ToApi(kDereferences, options.dereference));
  result->set_target_kind(ToApi(kTargetKinds, options.target_kind));
  result->mutable_preserve()->set_mode(options.preserve.mode);
  result->mutable_preserve()->set_ownership(options.preserve.ownership);
  result->mutable_preserve()->set_timestamps(options.preserve.timestamps);
  result->mutable_preserve()->set_links(options.preserve.links);
  result->mutable_preserve()->set_xattrs(ToApi(kXattrs, options.preserve.xattrs));
  result->mutable_preserve()->set_context(ToApi(kContexts, options.preserve.context));
  result->set_default_mode(options.default_mode);
  result->set_force(options.force);
  result->set_backup(ToApi(kBackups, options.backup));
  if (options.backup != Backup::kNone) {
    result->set_backup_suffix(options.backup_suffix);
  }
  result->set_strip_trailing_slashes(options.strip_trailing_slashes);
  result->set_parents(options.parents);
  result->set_sparse(ToApi(kSparse, options.sparse));
  result->set_copy_contents(options.copy_contents);
  result->set_keep_directory_symlink(options.keep_directory_symlink);
  result->set_default_context(options.default_context);
  result->set_context(options.context);
  result->set_attributes_only(options.attributes_only);
  result->set_makes(ToApi(kMakes, options.makes));
  result->set_update(ToApi(kUpdates, options.update));
  result->set_remove_destination(options.remove_destination);
  result->set_writes_through_dangling_links(options.writes_through_dangling_links);
  result->set_one_file_system(options.one_file_system);
  result->set_reflink(ToApi(kReflinks, options.reflink));
  result->set_engine(ToApi(kEngines, options.engine));
  result->set_direct(options.page_cache == PageCache::kBypass);
  result->set_no_cache(options.page_cache == PageCache::kDrop);
  result->set_sqpoll(options.sqpoll);
  result->set_iopoll(options.iopoll);
  result->set_workers(options.tuning.workers);
  result->set_queue_depth(options.tuning.queue_depth);
  result->set_block_size_bytes(static_cast<int32_t>(options.tuning.block_size_bytes));
}

}  // namespace ringcp
