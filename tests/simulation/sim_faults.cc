#include "tests/simulation/sim_faults.h"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_file.h"
#include "tests/simulation/sim_random_faults.h"
#include "tests/simulation/sim_random_others.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr uint64_t kOthersOneIn = 20;  // Counts ops.

// Adds the regular files at or below `inode`, with their paths.
void AddFiles(const SimFileSystem& files, const InodePtr& inode, const std::string& path,
              std::vector<std::pair<std::string, InodePtr>>* found) {
  if (inode == nullptr) return;
  if (inode->is_regular()) found->emplace_back(path, inode);
  if (!inode->is_directory()) return;
  for (const auto& [name, entry] : inode->entries) {
    AddFiles(files, files.Lookup(inode, name), absl::StrCat(path, "/", name), found);
  }
}

class Others {
 public:
  explicit Others(SimScenario* scenario)
      : world_(scenario->world.get()),
        files_(world_->files()),
        replace_(scenario->others == SimOthers::kReplaceTargets) {}

  void Interfere(const SimOpContext& context) {
    NoteLook(*context.op);
    if (world_->RandomBelow(kOthersOneIn) != 0) return;
    const std::string top = absl::StrCat(replace_ ? kSimTarget : kSimSource, "/tree");
    std::vector<std::pair<std::string, InodePtr>> found;
    AddFiles(*files_, FindSim(*files_, top), top, &found);
    if (found.empty()) return;
    const auto& [path, inode] = found[world_->RandomBelow(found.size())];
    files_->set_actor(SimActor::kOther);
    if (!replace_) {
      ChangeSize(inode.get());
    } else if (inode->made_by == SimActor::kEngine && inode->mount->pages_free() > 0 &&
               !IsBeingLookedAt(path)) {
      // This job made the file that is replaced, so nobody may expect to find it.
      const std::string own = absl::StrCat(kSimTarget, "/of somebody else");
      MakeSimFile(files_, own, "somebody else's only copy");
      files_->Rename(files_->root(), own, files_->root(), path);
    }
    files_->set_actor(SimActor::kEngine);
  }

 private:
  // After the engine has looked at a name, and before it removes the name, another file
  // can come there: removal.h has that window. Nothing is put into it here.
  static constexpr int64_t kWindowOps = 300;

  // What is appended has no zeros, which a copy has where it wrote what it never read.
  void ChangeSize(SimInode* inode) {
    const uint64_t old_size = inode->contents.size();
    const uint64_t size = world_->RandomBelow(2 * old_size + 2);
    if (size <= old_size) return inode->contents.SetSize(size);
    WriteContents(files_, inode, old_size, std::string(size - old_size, 'z'));
  }

  void NoteLook(const Op& op) {
    ++ops_;
    if (op.kind != OpKind::kStatx || *op.stat.name == '\0') return;
    const std::string name = op.stat.name;
    looks_[name.substr(name.rfind('/') + 1)] = ops_;
  }
  bool IsBeingLookedAt(const std::string& path) const {
    const auto look = looks_.find(path.substr(path.rfind('/') + 1));
    return look != looks_.end() && ops_ - look->second < kWindowOps;
  }

  SimWorld* const world_;
  SimFileSystem* const files_;
  const bool replace_;
  int64_t ops_ = 0;
  std::map<std::string, int64_t> looks_;  // By the name's last component.
};

}  // namespace

void SetFaults(SimScenario* scenario) {
  SimWorld* const world = scenario->world.get();
  const auto faults = std::make_shared<SimRandomFaults>(
      world->Random(), SimRandomFaultOptions{.one_in = scenario->fault_one_in,
                                             .most = scenario->faults_max});
  world->SetFaults([faults, decide = faults->function()](const SimOpContext& context) {
    return decide(context);
  });
  if (scenario->others == SimOthers::kNothing) return;
  if (scenario->others == SimOthers::kAnything) {
    const auto others = std::make_shared<SimRandomOthers>(
        world->Random(), world->files(),
        SimRandomOthersOptions{.trees = {kSimSource, kSimTarget}});
    world->SetInterference([others, act = others->function()](
                               const SimOpContext& context) { act(context); });
    return;
  }
  const auto others = std::make_shared<Others>(scenario);
  world->SetInterference(
      [others](const SimOpContext& context) { others->Interfere(context); });
}

}  // namespace ringcp
