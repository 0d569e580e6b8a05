#include "tests/simulation/sim_scenario.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/job_runner.h"
#include "tests/simulation/sim_mounts.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr uint32_t kBlock = 4096;
class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  template <typename Range>
  auto Of(const Range& choices) {
    return choices[Below(std::size(choices))];
  }

 private:
  std::mt19937_64 random_;
};

class TreeMaker {
 public:
  TreeMaker(SimFileSystem* files, Chance* chance) : files_(files), chance_(chance) {}

  // Source and target are made together, so that they often have equal names.
  void MakeTrees(const std::string& source, const std::string& target,
                 bool fills_target) {
    fills_target_ = fills_target;
    MakeSimDirectory(files_, source, AnyMode() | 0700);
    if (fills_target && chance_->OneIn(2)) {
      MakeSimDirectory(files_, target);
      FillDirectory(source, target, /*depth=*/0, /*has_target=*/true);
    } else {
      FillDirectory(source, target, /*depth=*/0, /*has_target=*/false);
    }
  }

 private:
  static constexpr int kDepthMax = 2;
  static constexpr int kEntriesMax = 7;

  mode_t AnyMode() {
    static constexpr mode_t kModes[] = {0644, 0600, 0755, 0777, 0400, 04755, 02750, 0000};
    return chance_->Of(kModes);
  }
  std::string AnyContents() {
    static constexpr uint64_t kSizes[] = {0,      1,          100,        kBlock - 1,
                                          kBlock, kBlock + 1, 2 * kBlock, 3 * kBlock + 7};
    std::string contents(chance_->Of(kSizes), '\0');
    for (char& byte : contents) byte = static_cast<char>('a' + chance_->Below(26));
    return contents;
  }

  void MakeFile(const std::string& path) {
    InodePtr file;
    if (chance_->OneIn(6)) {
      file = MakeSimSparseFile(files_, path, (1 + chance_->Below(20)) * kBlock + 10,
                               chance_->OneIn(2) ? "data" : "");
    } else {
      file = MakeSimFile(files_, path, AnyContents());
    }
    file->mode = S_IFREG | AnyMode();
    if (chance_->OneIn(3)) file->user = 1000 + static_cast<uid_t>(chance_->Below(2));
    if (chance_->OneIn(3)) file->group = 100;
    file->modification = {static_cast<time_t>(1'000'000 + chance_->Below(1000)), 5};
    files_made_.push_back(path);
  }

  void FillDirectory(const std::string& source, const std::string& target, int depth,
                     bool has_target) {
    const int entries = static_cast<int>(chance_->Below(kEntriesMax + 1));
    for (int i = 0; i < entries; ++i) {
      const std::string name = absl::StrCat("entry", i);
      const std::string here = absl::StrCat(source, "/", name);
      const std::string there = absl::StrCat(target, "/", name);
      switch (chance_->Below(12)) {
        case 0:
          MakeSimLink(files_, here, chance_->OneIn(2) ? "entry0" : "nowhere");
          break;
        case 1:
          MakeSimNode(files_, here, S_IFIFO | 0640);
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
            MakeSimDirectory(files_, here, AnyMode());
            const bool makes = has_target && chance_->OneIn(2);
            if (makes) MakeSimDirectory(files_, there);
            FillDirectory(here, there, depth + 1, makes);
            if (makes) continue;
            break;
          }
          [[fallthrough]];
        default:
          MakeFile(here);
      }
      if (has_target && chance_->OneIn(2)) MakeObstacle(target, there);
    }
  }

  void MakeObstacle(const std::string& directory, const std::string& path) {
    switch (chance_->Below(6)) {
      case 0:
        MakeSimDirectory(files_, path);
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

  SimFileSystem* const files_;
  Chance* const chance_;
  bool fills_target_ = false;
  std::vector<std::string> files_made_;
  std::vector<std::string> obstacles_;
};

}  // namespace

SimScenario::SimScenario(uint64_t a_seed) : seed(a_seed) {
  Chance chance(seed);
  SimWorldOptions options;
  options.seed = seed;
  options.latency_max =
      chance.OneIn(3) ? absl::Milliseconds(20) : absl::Microseconds(200);
  world = std::make_unique<SimWorld>(options);
  SimFileSystem* const files = world->files();
  MakeSimDirectory(files, kSimSource);
  MakeSimDirectory(files, kSimTarget);
  const auto [source_name, source_traits] = RandomCharacter(chance.Below(1 << 30));
  const auto [target_name, target_traits] = RandomCharacter(chance.Below(1 << 30));
  source_kind = source_name;
  source_size_lies = source_traits.size_told_max.has_value();
  target_kind = target_name;
  SimMount* const source_mount = files->Mount(kSimSource, source_traits);
  SimMount* const target_mount =
      chance.OneIn(3) ? nullptr : files->Mount(kSimTarget, target_traits);
  if (target_mount == nullptr) target_kind = "the root's";
  // What is there beforehand can be made in any case.
  source_mount->traits.pages_max = SimMountTraits().pages_max;
  source_mount->traits.has_links = true;
  if (target_mount != nullptr) target_mount->traits = SimMountTraits();
  TreeMaker(files, &chance)
      .MakeTrees(absl::StrCat(kSimSource, "/tree"), absl::StrCat(kSimTarget, "/tree"),
                 chance.OneIn(2));
  if (target_mount != nullptr) {
    target_mount->traits = target_traits;
    const bool is_small = target_traits.pages_max < SimMountTraits().pages_max;
    if (is_small || chance.OneIn(5)) {
      target_mount->traits.pages_max = target_mount->pages + chance.Below(10);
    }
  }
  source_inodes_change = source_traits.inodes_change || source_traits.names_have_inodes;

  static constexpr std::string_view kLetters[] = {
      "r", "r", "a", "a", "rp", "rf", "af", "rn", "an", "rL", "rd", "ax", "rpf", "aLf"};
  letters = std::string(chance.Of(kLetters));
  request.sources = {absl::StrCat(kSimSource, "/tree")};
  request.target = kSimTarget;
  request.options = OptionsFor(letters, chance.Of(kEngines));
  request.options.umask = 022;
  files->set_umask(022);
  if (chance.OneIn(10)) request.options.remove_destination = true;
  if (chance.OneIn(4)) request.options.reflink = Reflink::kNever;
  if (chance.OneIn(8)) request.options.page_cache = PageCache::kDrop;
  if (chance.OneIn(8)) request.options.page_cache = PageCache::kBypass;

  job.workers = 1 + static_cast<int>(chance.Below(3));
  job.limits.block_bytes = kBlock;
  job.limits.copies_in_flight = 1 + static_cast<int>(chance.Below(6));
  job.limits.copies_in_flight_warm =
      1 + static_cast<int>(chance.Below(job.limits.copies_in_flight));
  job.limits.extra_blocks = static_cast<int>(chance.Below(4));
  job.directories_max = 2 + static_cast<int>(chance.Below(6));
  job.kernel.slots = job.limits.copies_in_flight;
  job.kernel.chains_max = 1 + static_cast<int>(chance.Below(8));
  job.kernel.can_install_descriptor = !chance.OneIn(4);
  job.kernel.can_queue_truncate = !chance.OneIn(4);
  job.kernel.failed_path_op_severs = chance.OneIn(2);
  job.kernel.slow_call_one_in = chance.OneIn(2) ? 0 : 5;
  if (chance.OneIn(10)) job.cancelled_after = static_cast<int64_t>(chance.Below(60));

  static constexpr int kFaults[] = {0, 0, 200, 50, 15};
  fault_one_in = chance.Of(kFaults);
  faults_max = chance.OneIn(2) ? 1 + static_cast<int>(chance.Below(4)) : 1000;
  static constexpr SimOthers kOthers[] = {
      SimOthers::kReplaceTargets, SimOthers::kChangeSources, SimOthers::kAnything};
  if (chance.OneIn(4)) others = chance.Of(kOthers);
}

std::string SimScenario::Describe() const {
  return absl::StrCat(
      "seed ", seed, ": -", letters, " from ", source_kind, " to ", target_kind,
      ", engine ", EngineName(request.options.engine), ", ", job.workers, " workers, ",
      job.limits.copies_in_flight, " copies in flight, ", job.directories_max,
      " directories, faults one in ", fault_one_in, ", others ", static_cast<int>(others),
      job.cancelled_after < 0
          ? ""
          : absl::StrCat(", cancelled after ", job.cancelled_after, " steps"));
}

}  // namespace ringcp
