#include "tests/simulation/sim_scenario.h"

#include <linux/magic.h>
#include <sys/stat.h>

#include <chrono>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/job/copy_group.h"
#include "core/kernel/file_systems.h"
#include "tests/job_runner.h"
#include "tests/simulation/sim_mounts.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr uint32_t kBlock = 4096;
constexpr char kTree[] = "/source/tree";
constexpr char kSecond[] = "/source/second";
constexpr std::chrono::milliseconds kWriterLooks(1);

// Options that go with any others. Half of all jobs have some.
CopyOptions RareOptions(uint64_t seed) {
  static constexpr Backup kBackups[] = {Backup::kSimple, Backup::kExisting,
                                        Backup::kNumbered};
  static constexpr Makes kLinks[] = {Makes::kHardLinks, Makes::kSymbolicLinks};
  static constexpr Sparse kSparse[] = {Sparse::kAlways, Sparse::kNever};
  SimChance chance(seed);
  CopyOptions options;
  if (chance.OneIn(2)) return options;
  if (chance.OneIn(4)) options.update = Update::kOlder;
  if (chance.OneIn(4)) options.backup = chance.Of(kBackups);
  if (chance.OneIn(4)) options.makes = chance.Of(kLinks);
  if (chance.OneIn(5)) options.interactive = true;
  if (chance.OneIn(4)) options.sparse = chance.Of(kSparse);
  if (chance.OneIn(6)) options.attributes_only = true;
  if (chance.OneIn(4)) options.keep_directory_symlink = true;
  return options;
}

std::string Words(const CopyOptions& options) {
  std::string words;
  const auto add = [&words](bool is_set, const char* word) {
    if (is_set) absl::StrAppend(&words, " ", word);
  };
  add(options.parents, "--parents");
  add(options.remove_destination, "--remove-destination");
  add(options.update == Update::kOlder, "-u");
  add(options.update == Update::kNoneFail, "--update=none-fail");
  add(options.backup == Backup::kSimple, "--backup=simple");
  add(options.backup == Backup::kExisting, "--backup=existing");
  add(options.backup == Backup::kNumbered, "--backup=numbered");
  add(options.makes == Makes::kHardLinks, "-l");
  add(options.makes == Makes::kSymbolicLinks, "-s");
  add(options.interactive, "-i");
  add(options.sparse == Sparse::kAlways, "--sparse=always");
  add(options.sparse == Sparse::kNever, "--sparse=never");
  add(options.attributes_only, "--attributes-only");
  add(options.keep_directory_symlink, "--keep-directory-symlink");
  add(options.preserve.context != Context::kNone, "--preserve=context");
  add(!options.context.empty(), "--context");
  return words;
}

}  // namespace

SimScenario::SimScenario(uint64_t a_seed) : seed(a_seed) {
  SimChance chance(seed);
  SimWorldOptions options;
  options.seed = seed;
  options.latency_max =
      chance.OneIn(3) ? absl::Milliseconds(20) : absl::Microseconds(200);
  world = std::make_unique<SimWorld>(options);
  SimFileSystem* const files = world->files();
  has_selinux = SimChance(seed + 4).OneIn(4);
  files->set_has_selinux(has_selinux);
  MakeSimDirectory(files, kSimSource);
  MakeSimDirectory(files, kSimTarget);
  const auto [source_name, source_traits] = RandomCharacter(chance.Below(1 << 30));
  const auto [target_name, target_traits] = RandomCharacter(chance.Below(1 << 30));
  source_kind = source_name;
  source_size_lies = source_traits.size_told_max.has_value();
  target_kind = target_name;
  const CopyOptions rare = RareOptions(seed + 3);
  // Source and target are on one server, which copies ranges between them, or where hard
  // links can be made.
  SimChance chance_of_mount(seed + 1);
  const bool is_one_mount = (KindWithMagic(source_traits.magic).copies_on_server ||
                             rare.makes == Makes::kHardLinks) &&
                            !chance_of_mount.OneIn(3);
  SimMount* const root = files->root()->mount;
  if (is_one_mount) root->traits = source_traits;
  SimMount* const source_mount =
      is_one_mount ? root : files->Mount(kSimSource, source_traits);
  SimMount* const target_mount =
      chance.OneIn(3) || is_one_mount ? nullptr : files->Mount(kSimTarget, target_traits);
  if (target_mount == nullptr) target_kind = "the root's";
  // Makes sure that what exists beforehand can be made.
  source_mount->traits.pages_max = SimMountTraits().pages_max;
  source_mount->traits.has_links = true;
  if (chance.OneIn(4)) {
    source_mount->traits.list_max = 1 + static_cast<uint32_t>(chance.Below(3));
  }
  if (target_mount != nullptr) target_mount->traits = SimMountTraits();
  const uint64_t choice = chance.Below(12);
  const bool trees_meet = choice == 8 || choice == 9;
  const bool target_has_xattrs = is_one_mount              ? source_traits.has_xattrs
                                 : target_mount != nullptr ? target_traits.has_xattrs
                                                           : true;
  SimTreeMaker maker(files, &chance, target_has_xattrs,
                     !source_traits.ignores_case && !trees_meet);
  if (trees_meet) maker.MakeFilesOnly();
  if (target_traits.ignores_case) maker.MakeNoPipes();
  source_inodes_change = source_traits.inodes_change || source_traits.names_have_inodes;
  if (!source_inodes_change) maker.MakeCycles();
  if (rare.update == Update::kOlder) maker.AgeTargets();
  if (rare.backup != Backup::kNone) maker.MakeBackups();
  if (rare.keep_directory_symlink && !trees_meet) maker.MakeDirectoryLinks();
  maker.MakeTrees(kTree, absl::StrCat(kSimTarget, "/tree"), chance.OneIn(2));
  const bool is_recursive = MakeCopies(choice, &chance, &maker);
  SimChance chance_of_parents(seed + 2);
  const bool has_parents =
      request.options.target_kind == TargetKind::kDefault && chance_of_parents.OneIn(6);
  if (has_parents) {
    for (auto& [source, target] : copies) target = absl::StrCat(kSimTarget, source);
  }
  has_default_acls = maker.has_default_acls();
  if (target_mount != nullptr) {
    target_mount->traits = target_traits;
    const bool is_small = target_traits.pages_max < SimMountTraits().pages_max;
    if (is_small || chance.OneIn(5)) {
      target_mount->traits.pages_max = target_mount->pages + chance.Below(10);
    }
  }

  static constexpr std::string_view kLetters[] = {
      "r", "r", "a", "a", "rp", "rf", "af", "rn", "an", "rL", "rd", "ax", "rpf", "aLf"};
  static constexpr std::string_view kLettersOfFiles[] = {"", "p", "f", "n", "d", "pf"};
  letters = std::string(is_recursive ? chance.Of(kLetters) : chance.Of(kLettersOfFiles));
  const CopyOptions options_of_letters = OptionsFor(letters, chance.Of(kEngines));
  const TargetKind target_kind_asked = request.options.target_kind;
  for (const auto& [source, target] : copies) request.sources.push_back(source);
  request.options = options_of_letters;
  request.options.target_kind = target_kind_asked;
  request.options.parents = has_parents;
  request.options.umask = 022;
  files->set_umask(022);
  if (chance.OneIn(10)) request.options.remove_destination = true;
  if (chance.OneIn(4)) request.options.preserve.xattrs = Xattrs::kRequired;
  if (chance.OneIn(4)) request.options.reflink = Reflink::kNever;
  if (chance.OneIn(8)) request.options.reflink = Reflink::kAlways;
  if (chance.OneIn(8)) request.options.page_cache = PageCache::kDrop;
  if (chance.OneIn(8)) request.options.page_cache = PageCache::kBypass;
  AddRareOptions(rare);
  if (has_selinux) AddLabels();

  job.workers = 1 + static_cast<int>(chance.Below(3));
  job.limits.block_bytes = kBlock;
  job.limits.copies_in_flight = 1 + static_cast<int>(chance.Below(6));
  job.limits.copies_in_flight_warm =
      1 + static_cast<int>(chance.Below(job.limits.copies_in_flight));
  job.limits.extra_blocks = static_cast<int>(chance.Below(12));
  job.directories_max = 2 + static_cast<int>(chance.Below(6));
  if (chance.OneIn(10)) {
    has_few_descriptors = true;
    world->process()->set_descriptors_max(8 + static_cast<int>(chance.Below(30)));
  }
  job.kernel.slots = job.limits.copies_in_flight;
  job.kernel.chains_max = 1 + static_cast<int>(chance.Below(8));
  job.kernel.can_install_descriptor = !chance.OneIn(4);
  job.kernel.can_queue_truncate = !chance.OneIn(4);
  job.kernel.failed_path_op_severs = chance.OneIn(2);
  job.kernel.slow_call_one_in = chance.OneIn(2) ? 0 : 5;
  job.kernel.helped_one_in = static_cast<int>(chance.Below(4));
  if (chance.OneIn(10)) job.cancelled_after = static_cast<int64_t>(chance.Below(60));

  static constexpr int kFaults[] = {0, 0, 200, 50, 15};
  fault_one_in = chance.Of(kFaults);
  faults_max = chance.OneIn(2) ? 1 + static_cast<int>(chance.Below(4)) : 1000;
  static constexpr SimOthers kOthers[] = {
      SimOthers::kReplaceTargets, SimOthers::kChangeSources, SimOthers::kAnything};
  if (chance.OneIn(4)) others = chance.Of(kOthers);
  if (chance.OneIn(4)) job.kernel.call_time = CopyGroup::kDearCall;
  job.limits.made_in_directory = 1 + static_cast<int>(chance.Below(3));
  if (request.options.interactive) job.workers = 1;  // As WorkerCount() says.
}

void SimScenario::AddRareOptions(const CopyOptions& rare) {
  CopyOptions& options = request.options;
  if (rare.update == Update::kOlder) {
    options.update = KeepsExisting(options.update) ? Update::kNoneFail : Update::kOlder;
  }
  if (!KeepsExisting(options.update)) {
    options.backup = rare.backup;
    options.interactive = rare.interactive;
  }
  options.makes = rare.makes;
  if (options.reflink != Reflink::kAlways) options.sparse = rare.sparse;
  options.attributes_only = rare.attributes_only;
  // Otherwise the links are in the way.
  options.keep_directory_symlink = rare.keep_directory_symlink && seed % 4 != 0;
}

void SimScenario::AddLabels() {
  SimFileSystem* const files = world->files();
  for (const char* const path :
       {"/sys", "/sys/fs", "/sys/fs/selinux", "/etc", "/etc/selinux"}) {
    MakeSimDirectory(files, path);
  }
  MakeSimFile(files, "/etc/selinux/config", "");
  SimMountTraits traits;
  traits.magic = SELINUX_MAGIC;
  files->Mount("/sys/fs/selinux", traits);
  static constexpr Context kContexts[] = {Context::kNone, Context::kTried,
                                          Context::kReported, Context::kRequired};
  SimChance chance(seed + 5);
  if (chance.OneIn(4)) {
    request.options.context = kSimNamedLabel;
  } else {
    request.options.preserve.context = chance.Of(kContexts);
  }
}

bool SimScenario::follows_links() const {
  const CopyOptions& options = request.options;
  return options.dereference == Dereference::kAlways ||
         (options.dereference == Dereference::kDefault &&
          (!options.recursive || options.makes == Makes::kHardLinks));
}

// Returns whether directories are among the copies.
bool SimScenario::MakeCopies(uint64_t choice, SimChance* chance, SimTreeMaker* maker) {
  const std::string tree = absl::StrCat(kSimTarget, "/tree");
  const auto add = [&](const std::string& source, const std::string& name) {
    copies.emplace_back(absl::StrCat(kSimSource, source), absl::StrCat(kSimTarget, name));
  };
  const auto add_file = [&](const std::string& source, const std::string& name) {
    add(source, name);
    maker->MakeNamedFile(copies.back().first, copies.back().second);
  };
  SimFileSystem* const files = world->files();
  request.target = kSimTarget;
  if (choice >= 8) MakeSimDirectory(files, kSecond);
  switch (choice) {
    case 8:  // Trees that are merged.
    case 9:
      add("/tree", "/tree");
      maker->MakeTrees(absl::StrCat(kSecond, "/tree"), tree, /*fills_target=*/false);
      add("/second/tree", "/tree");
      if (choice == 8) return true;
      [[fallthrough]];
    case 10: {  // Files, two of which get one name.
      add_file("/file0", "/file0");
      if (choice == 10) AddPipe(chance);
      add_file("/file1", "/file1");
      if (!chance->OneIn(3)) {
        add("/second/file0", "/file0");
        maker->MakeFile(copies.back().first);
      }
      return choice == 9;
    }
    case 11:  // A copy under another name.
      if (chance->OneIn(2)) {
        add_file("/file0", "/new name");
        request.target = copies.back().second;
        // If a directory has that name, the copy must not be made inside it.
        request.options.target_kind = TargetKind::kNotDirectory;
        return false;
      }
      add("/tree", "/tree");
      request.target = tree;
      request.options.target_kind = TargetKind::kNotDirectory;
      return true;
    default:
      add("/tree", "/tree");
      return true;
  }
}

void SimScenario::AddPipe(SimChance* chance) {
  copies.emplace_back(absl::StrCat(kSimSource, "/pipe"),
                      absl::StrCat(kSimTarget, "/pipe"));
  const InodePtr pipe = MakeSimNode(world->files(), copies.back().first, S_IFIFO | 0640);
  if (chance->OneIn(2)) {
    MakeSimFile(world->files(), copies.back().second, "what was there before the pipe");
  }
  pipe->pipe = std::string(1 + chance->Below(9000), 'p');
  pipe->writers = 1;
  pipe->writers_ever = 1;
  world->OthersDoAt(world->now() + kWriterLooks,
                    [this, pipe](SimFileSystem*) { LeavePipe(pipe); });
}

// The pipe's writer leaves as soon as somebody reads.
void SimScenario::LeavePipe(const InodePtr& pipe) {
  if (pipe->readers > 0) {
    pipe->writers = 0;
    return;
  }
  world->OthersDoAt(world->now() + kWriterLooks,
                    [this, pipe](SimFileSystem*) { LeavePipe(pipe); });
}

std::string SimScenario::Describe() const {
  return absl::StrCat(
      "seed ", seed, ": -", letters, Words(request.options), " ", copies.size(),
      " sources from ", source_kind, " to ", target_kind, ", engine ",
      EngineName(request.options.engine), ", ", job.workers, " workers, ",
      job.limits.copies_in_flight, " copies in flight, ", job.directories_max,
      " directories, faults one in ", fault_one_in, ", others ", static_cast<int>(others),
      job.cancelled_after < 0
          ? ""
          : absl::StrCat(", cancelled after ", job.cancelled_after, " steps"));
}

}  // namespace ringcp
