#include "tests/simulation/sim_access.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/copy_options.h"
#include "core/base/posix_acl.h"
#include "core/kernel/security_labels.h"
#include "tests/simulation/sparse_bytes.h"

namespace ringcp {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

std::string XattrOf(const SimInode& inode, const std::string& name) {
  const auto found = inode.xattrs.find(name);
  if (found == inode.xattrs.end()) return "";
  // A label may be set with a NUL at its end.
  const std::string& value = found->second;
  return name == kLabelAttribute ? value.substr(0, value.find('\0')) : value;
}

// Whether `target` has an access control list, and it is that of `source`.
bool HasSourcesAcl(const SimInode& source, const SimInode& target) {
  const std::string acl = XattrOf(target, kAccessAclName);
  return !acl.empty() && acl == XattrOf(source, kAccessAclName);
}
// A limit, because links may lead in circles.
constexpr int kDepthMax = 4;

}  // namespace

mode_t AllowedMode(const SimInode& source, bool keeps_mode) {
  const mode_t mode = source.mode & 07777;
  const auto acl = source.xattrs.find(kAccessAclName);
  if (acl == source.xattrs.end() || !keeps_mode) return mode;
  return (mode & ~mode_t{0777}) | PermissionsWithoutAcl(acl->second).value_or(S_IRWXU);
}

std::string WrongMode(const SimScenario& scenario, const SimInode& source,
                      const SimInode& target, bool is_stream) {
  const SimMountTraits& traits = target.mount->traits;
  const CopyOptions& options = scenario.request.options;
  if (source.is_link() || source.mount->traits.fixed_mode.has_value() ||
      traits.fixed_mode.has_value()) {
    return "";
  }
  mode_t expected = options.preserve.mode ? source.mode & 07777
                                          : AllowedMode(source, /*keeps_mode=*/false);
  const mode_t mode = target.mode & 07777;
  // A pipe has no lists, so permissions that are not known are given to nobody.
  bool may_be_less = is_stream;
  if (options.preserve.mode) {
    if (!is_stream &&
        XattrOf(source, kAccessAclName) != XattrOf(target, kAccessAclName)) {
      return "has not its source's ACL";
    }
    if (source.is_directory() &&
        XattrOf(source, kDefaultAclName) != XattrOf(target, kDefaultAclName)) {
      return "has not its source's default ACL";
    }
  } else {
    if (target.made_by != SimActor::kEngine) return "";
    // A default ACL takes the place of the umask.
    expected &= scenario.has_default_acls ? 0777 : ~options.umask & 0777;
    expected |= target.mode & (S_ISGID | S_ISVTX);  // Its directory's, or its own.
    // Not to be able to set a mode is no error then. Nor is it one if permissions that
    // the owner got for a while can't be taken away again.
    may_be_less =
        scenario.fault_one_in > 0 || traits.refuses_mode || scenario.has_default_acls;
    if (may_be_less) expected |= S_IRWXU;
  }
  if (mode == expected || (may_be_less && (mode & ~expected) == 0)) return "";
  return absl::StrFormat("has mode %04o, not %04o", mode, expected);
}

std::vector<const char*> WrongAttributes(const SimScenario& scenario,
                                         const SimInode& source, const SimInode& target) {
  std::vector<const char*> wrong;
  const Preserve& preserve = scenario.request.options.preserve;
  const timespec& time = source.modification;
  const bool is_time_kept = time.tv_sec == target.modification.tv_sec &&
                            time.tv_nsec == target.modification.tv_nsec;
  // Others change the times of directories.
  const bool has_time = scenario.others == SimOthers::kNothing || !source.is_directory();
  if (preserve.timestamps && has_time && !is_time_kept) {
    wrong.push_back("has another time");
  }
  const bool is_owner_kept = source.user == target.user && source.group == target.group;
  if (preserve.ownership && !is_owner_kept) wrong.push_back("has another owner");
  const bool keeps_label = preserve.keeps_label() && target.mount->traits.has_xattrs &&
                           !XattrOf(source, kLabelAttribute).empty();
  const bool must_have_label =
      preserve.context == Context::kRequired || scenario.fault_one_in == 0;
  if (keeps_label && must_have_label &&
      XattrOf(source, kLabelAttribute) != XattrOf(target, kLabelAttribute)) {
    wrong.push_back("has not its source's label");
  }
  if (preserve.xattrs == Xattrs::kRequired &&
      XattrOf(source, kSimXattrName) != XattrOf(target, kSimXattrName)) {
    wrong.push_back("has not its source's attribute");
  }
  return wrong;
}

std::string WrongLabel(const SimScenario& scenario, const SimInode& source,
                       const SimInode& made) {
  if (!scenario.has_selinux || !made.mount->traits.has_xattrs) return "";
  const CopyOptions& options = scenario.request.options;
  const std::string label = XattrOf(made, kLabelAttribute);
  std::string expected = XattrOf(source, kLabelAttribute);
  bool may_be_systems = false;
  if (!options.context.empty()) {
    expected = kSimNamedLabel;
  } else if (!options.preserve.keeps_label()) {
    // Where labels are not decided on, they are attributes like others.
    if (options.preserve.has_xattrs()) return "";
    expected = kSimLabel;
  } else {
    const bool is_required = options.preserve.context == Context::kRequired;
    may_be_systems = !is_required && (scenario.fault_one_in > 0 || expected.empty() ||
                                      scenario.has_few_descriptors);
  }
  if (label == expected || (may_be_systems && label == kSimLabel)) return "";
  return absl::StrCat("has the label ", label, ", not ", expected);
}

bool HasLostHoles(const SimScenario& scenario, const SimInode& source,
                  const SimInode& target) {
  constexpr uint64_t kBlockBytes = 512;  // The unit of stat(2).
  const SparseBytes& contents = source.contents;
  const SimMountTraits& traits = source.mount->traits;
  const uint64_t blocks = contents.pages() * SparseBytes::kPageBytes / kBlockBytes;
  const bool has_holes =
      contents.size() > SparseBytes::kPageBytes && blocks < contents.size() / kBlockBytes;
  const bool is_told = !traits.tells_no_blocks && !traits.size_told_max.has_value();
  return source.is_regular() && has_holes && is_told && scenario.fault_one_in == 0 &&
         target.made_by == SimActor::kEngine &&
         target.contents.pages_with_data() > contents.pages_with_data();
}

bool HasHoles(const SimInode& target) {
  const SparseBytes& contents = target.contents;
  return contents.size() > 0 && contents.NextHole(0) < contents.size();
}

bool StoresZeros(const SimScenario& scenario, const SimInode& source,
                 const SimInode& target) {
  const bool may_be_clone = scenario.request.options.reflink != Reflink::kNever &&
                            source.mount == target.mount &&
                            source.mount->traits.can_clone;
  return !may_be_clone && scenario.fault_one_in == 0 &&
         !source.mount->traits.size_told_max.has_value() &&
         target.contents.pages_of_zeros() > 0;
}

SimAccessWatch::SimAccessWatch(const SimScenario* scenario) : scenario_(scenario) {
  for (const auto& [source, target] : scenario->copies) AddSources(source, target);
}

void SimAccessWatch::AddSources(const std::string& source, const std::string& target) {
  const SimFileSystem& files = *scenario_->world->files();
  InodePtr inode;
  files.Find(files.root(), source, scenario_->follows_links(), &inode);
  const auto [known, is_new] = source_of_.emplace(target, inode);
  if (!is_new) known->second = nullptr;
  if (inode == nullptr || !inode->is_directory() || depth_ == kDepthMax) return;
  ++depth_;
  for (const auto& [below, entry] : inode->entries) {
    AddSources(absl::StrCat(source, "/", below), absl::StrCat(target, "/", below));
  }
  --depth_;
}

void SimAccessWatch::TakeInEffects() {
  const auto& effects = scenario_->world->files()->effects();
  for (; effects_seen_ < effects.size(); ++effects_seen_) {
    const SimEffect& effect = effects[effects_seen_];
    if (effect.kind != SimEffect::Kind::kMade || effect.actor != SimActor::kEngine) {
      continue;
    }
    const auto source = source_of_.find(effect.path);
    if (source != source_of_.end() && source->second != nullptr) {
      made_from_[effect.inode] = source->second;
    }
  }
}

void SimAccessWatch::Look(const SimOpContext& context) {
  TakeInEffects();
  if (context.inode == nullptr) return;
  const SimInode& target = *context.inode;
  const auto made_from = made_from_.find(target.number);
  if (made_from == made_from_.end()) return;
  // A further name of what one tree made may get the attributes of another tree's file.
  const bool may_have_names =
      scenario_->request.options.attributes_only || made_from->second->links > 1;
  if (may_have_names && scenario_->copies.size() > 1) return;
  const std::string wrong_label = WrongLabel(*scenario_, *made_from->second, target);
  if (!wrong_label.empty() && told_.insert(target.number).second) {
    absl::StrAppend(&violations_, "a copy of #", made_from->second->number, " ",
                    wrong_label, "\n");
  }
  if (target.is_link()) return;
  const SimInode& source = *made_from->second;
  if (source.mount->traits.fixed_mode.has_value() ||
      target.mount->traits.fixed_mode.has_value()) {
    return;
  }
  const bool has_owner = source.user == target.user && source.group == target.group;
  const Preserve& preserve = scenario_->request.options.preserve;
  // A list's mask lets in those whom the list names, as its source does.
  const mode_t granted =
      HasSourcesAcl(source, target) ? source.mode : AllowedMode(source, preserve.mode);
  const mode_t allowed = preserve.ownership && !has_owner ? 0 : granted & kOthers;
  const mode_t more = target.mode & kOthers & ~allowed;
  if (more == 0 || !told_.insert(target.number).second) return;
  absl::StrAppend(&violations_,
                  absl::StrFormat("a copy of #%d is open to others (%04o more)\n",
                                  source.number, more));
}

}  // namespace ringcp
