#include "tests/simulation/sim_tree_maker.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "absl/strings/str_cat.h"
#include "core/base/posix_acl.h"
#include "tests/simulation/sim_file.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr uint64_t kBlock = 4096;  // The block size of the jobs that copy the tree.
constexpr int kDepthMax = 2;
constexpr int kEntriesMax = 7;
// So large that two workers may copy a part each.
constexpr uint64_t kLargeBytes = 8 * 1024 * 1024 + 100;

}  // namespace

void SimTreeMaker::MakeTrees(const std::string& source, const std::string& target,
                             bool fills_target) {
  files_made_.clear();
  MakeSimDirectory(files_, source, AnyMode() | 0700);
  if (fills_target && chance_->OneIn(2)) {
    MakeTargetDirectory(target);
    FillDirectory(source, target, /*depth=*/0, /*has_target=*/true);
  } else {
    FillDirectory(source, target, /*depth=*/0, /*has_target=*/false);
  }
}

void SimTreeMaker::MakeFile(const std::string& path) {
  InodePtr file;
  if (chance_->OneIn(4000)) {
    file = MakeSimFile(files_, path, std::string(kLargeBytes, 'l'));
  } else if (chance_->OneIn(6)) {
    file = MakeSimSparseFile(files_, path, (1 + chance_->Below(20)) * kBlock + 10,
                             chance_->OneIn(2) ? "data" : "");
  } else {
    file = MakeSimFile(files_, path, AnyContents());
  }
  file->mode = S_IFREG | AnyMode();
  if (chance_->OneIn(3)) file->user = 1000 + static_cast<uid_t>(chance_->Below(2));
  if (chance_->OneIn(3)) file->group = 100;
  if (chance_->OneIn(8)) GiveAcl(file.get(), kAccessAclName);
  if (chance_->OneIn(8)) {
    SetXattrOf(files_, file.get(), kSimXattrName,
               std::string(chance_->OneIn(8) ? 5000 : 5, 'v'));
  }
  file->modification = {static_cast<time_t>(1'000'000 + chance_->Below(1000)), 5};
  source_time_ = file->modification;
  files_made_.push_back(path);
}

void SimTreeMaker::MakeNamedFile(const std::string& source, const std::string& target) {
  MakeFile(source);
  if (chance_->OneIn(3)) MakeObstacle(target.substr(0, target.rfind('/')), target);
}

mode_t SimTreeMaker::AnyMode() {
  static constexpr mode_t kModes[] = {0644,  0600,  0755,  0777,  0400,
                                      04755, 02750, 04700, 01770, 0000};
  return chance_->Of(kModes);
}

std::string SimTreeMaker::AnyContents() {
  static constexpr uint64_t kSizes[] = {0,      1,          100,        kBlock - 1,
                                        kBlock, kBlock + 1, 2 * kBlock, 3 * kBlock + 7};
  std::string contents(chance_->Of(kSizes), '\0');
  for (char& byte : contents) byte = static_cast<char>('a' + chance_->Below(26));
  return contents;
}

void SimTreeMaker::GiveAcl(SimInode* inode, const char* name) {
  const auto any = [&] { return static_cast<uint16_t>(chance_->Below(8)); };
  posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  std::string acl(reinterpret_cast<const char*>(&header), sizeof(header));
  const auto add = [&](uint16_t tag, uint16_t permissions, uint32_t id) {
    const posix_acl_xattr_entry entry = {htole16(tag), htole16(permissions), htole32(id)};
    acl.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  };
  constexpr auto kNobody = static_cast<uint32_t>(ACL_UNDEFINED_ID);
  add(ACL_USER_OBJ, 7, kNobody);
  add(ACL_USER, any(), 5);
  add(ACL_GROUP_OBJ, any(), kNobody);
  add(ACL_MASK, any(), kNobody);
  add(ACL_OTHER, any(), kNobody);
  SetXattrOf(files_, inode, name, acl);
}

std::string SimTreeMaker::AnyText() {
  switch (chance_->Below(6)) {
    case 0:
      return "nowhere";
    case 1:
      return std::string(300, 'n') + "/" + std::string(20, 'o');
    case 2:
      if (!makes_cycles_) return "entry0";
      return chance_->OneIn(2) ? "." : "..";
    default:
      return "entry0";
  }
}

std::string SimTreeMaker::Name(int number, bool has_target) {
  if (number > 0 && differs_in_case_ && !has_target && chance_->OneIn(8)) {
    return absl::StrCat("ENTRY", number - 1);
  }
  if (number > 0 && makes_backups_ && chance_->OneIn(6)) {
    return absl::StrCat("entry", number - 1, "~");
  }
  return absl::StrCat("entry", number);
}

void SimTreeMaker::FillDirectory(const std::string& source, const std::string& target,
                                 int depth, bool has_target) {
  const int entries = static_cast<int>(chance_->Below(kEntriesMax + 1));
  for (int i = 0; i < entries; ++i) {
    const std::string name = Name(i, has_target);
    const std::string here = absl::StrCat(source, "/", name);
    const std::string there = absl::StrCat(target, "/", name);
    switch (files_only_ ? 3 + chance_->Below(9) : chance_->Below(12)) {
      case 0:
        MakeSimLink(files_, here, AnyText());
        break;
      case 1:
        MakeSimNode(files_, here, pipe_type_ | 0640);
        break;
      case 2:
        MakeSimNode(files_, here, S_IFCHR | 0600, makedev(1, 3));
        break;
      case 3:
      case 4:
        if (files_made_.empty()) {
          MakeFile(here);
        } else {
          MakeSimHardLink(files_, chance_->Of(files_made_), here);
        }
        break;
      case 5:
      case 6:
        if (depth < kDepthMax) {
          const InodePtr made = MakeSimDirectory(files_, here, AnyMode());
          if (chance_->OneIn(8)) GiveAcl(made.get(), kAccessAclName);
          const bool is_free = has_target && FindSim(*files_, there) == nullptr;
          const bool makes = chance_->OneIn(2) && is_free;
          const bool links =
              makes_directory_links_ && is_free && !makes && chance_->OneIn(2);
          const std::string below = links ? there + ".d" : there;
          if (links) MakeSimLink(files_, there, name + ".d");
          if (makes || links) MakeTargetDirectory(below);
          FillDirectory(here, below, depth + 1, makes || links);
          // Behind what is in it, which would get another ACL by that.
          if (chance_->OneIn(8)) GiveAcl(made.get(), kDefaultAclName);
          if (makes || links) continue;
          break;
        }
        [[fallthrough]];
      default:
        MakeFile(here);
    }
    if (has_target && chance_->OneIn(2)) MakeObstacle(target, there);
  }
}

void SimTreeMaker::MakeTargetDirectory(const std::string& path) {
  const InodePtr directory = MakeSimDirectory(files_, path);
  if (!gives_acls_ || !chance_->OneIn(10)) return;
  GiveAcl(directory.get(), kDefaultAclName);
  has_default_acls_ = true;
}

void SimTreeMaker::MakeObstacle(const std::string& directory, const std::string& path) {
  if (FindSim(*files_, path) != nullptr) return;
  MakeAnyObstacle(directory, path);
  if (ages_targets_) {
    Age(path);
    Age(directory + "/elsewhere");
  }
  if (!makes_backups_) return;
  for (const char* const ending : {"~", ".~1~", ".~3~"}) {
    const std::string backup = absl::StrCat(path, ending);
    if (chance_->OneIn(4) && FindSim(*files_, backup) == nullptr) {
      MakeSimFile(files_, backup, "an older backup of what was there");
    }
  }
}

void SimTreeMaker::Age(const std::string& path) {
  const InodePtr inode = FindSim(*files_, path);
  if (inode == nullptr || chance_->OneIn(4)) return;
  inode->modification =
      chance_->OneIn(4)
          ? source_time_
          : timespec{static_cast<time_t>(1'000'000 + chance_->Below(1000)), 5};
}

void SimTreeMaker::MakeAnyObstacle(const std::string& directory,
                                   const std::string& path) {
  switch (chance_->Below(6)) {
    case 0:
      MakeTargetDirectory(path);
      break;
    case 1:
      MakeSimLink(files_, path, chance_->OneIn(2) ? "elsewhere" : "nowhere");
      if (FindSim(*files_, directory + "/elsewhere") == nullptr) {
        MakeSimFile(files_, directory + "/elsewhere", "what was elsewhere");
      }
      break;
    case 2:
      MakeSimNode(files_, path, S_IFSOCK | 0600);
      break;
    case 3:
      if (!obstacles_.empty()) {
        MakeSimHardLink(files_, chance_->Of(obstacles_), path);
        break;
      }
      [[fallthrough]];
    default:
      MakeSimFile(files_, path, "what was there before, and is longer than nothing");
      obstacles_.push_back(path);
  }
}

}  // namespace ringcp
