#include "tests/simulation/sim_mounts.h"

#include <linux/magic.h>

#include <cerrno>
#include <cstddef>
#include <random>

namespace ringcp {
namespace {

constexpr uint64_t kFuseMagic = 0x65735546;

constexpr uint64_t kFatFileMax = (uint64_t{1} << 32) - 1;
constexpr uint32_t kShortTransfer = 1000;
constexpr uint64_t kShortCopy = 5000;

SimMountTraits Ext4() {
  return {.magic = EXT4_SUPER_MAGIC, .direct_alignment = 512, .takes_uncached = true};
}

SimMountTraits Btrfs() {
  return {.magic = BTRFS_SUPER_MAGIC, .direct_alignment = 4096, .can_clone = true};
}

SimMountTraits Nfs() {
  return {.magic = NFS_SUPER_MAGIC,
          .tells_errors_at_close = true,
          .knows_holes = false,
          .copy_range_max = kShortCopy,
          .renames_to_new_names = false};
}

// NFS 4.2, which knows holes.
SimMountTraits NewNfs() {
  SimMountTraits traits = Nfs();
  traits.knows_holes = true;
  return traits;
}

// A server that maps root to another user, and can't copy.
SimMountTraits SquashedNfs() {
  SimMountTraits traits = Nfs();
  traits.refuses_owner = true;
  traits.copy_range_error = EOPNOTSUPP;
  return traits;
}

SimMountTraits Overlay() { return {.magic = OVERLAYFS_SUPER_MAGIC, .copies_up = true}; }

SimMountTraits Cifs() {
  return {.magic = SMB2_SUPER_MAGIC,
          .tells_errors_at_close = true,
          .refuses_owner = true,
          .fixed_mode = 0755,
          .names_have_inodes = true,
          .knows_holes = false,
          .ignores_case = true,
          .has_xattrs = false};
}

SimMountTraits Fuse() {
  return {.magic = kFuseMagic,
          .tells_errors_at_close = true,
          .listed_types = SimMountTraits::ListedTypes::kUnknown,
          .names_have_inodes = true,
          .read_max = kShortTransfer,
          .write_max = kShortTransfer,
          .direct_alignment = 0,
          .renames_to_new_names = false};
}

// Like those for archives and object stores.
SimMountTraits LyingFuse() {
  return {.magic = kFuseMagic,
          .tells_errors_at_close = true,
          .refuses_mode = true,
          .refuses_owner = true,
          .size_told_max = 10,
          .tells_no_blocks = true,
          .listed_types = SimMountTraits::ListedTypes::kWrong,
          .inodes_change = true,
          .takes_writes_in_order = true,
          .caches = false,
          .knows_holes = false,
          .direct_alignment = 0,
          .renames_to_new_names = false,
          .has_xattrs = false};
}

SimMountTraits Proc() {
  return {.magic = PROC_SUPER_MAGIC,
          .size_told_max = 0,
          .tells_no_blocks = true,
          .caches = false,
          .knows_holes = false,
          .direct_alignment = 0,
          .has_xattrs = false};
}

SimMountTraits Fat() {
  return {.magic = MSDOS_SUPER_MAGIC,
          .file_size_max = kFatFileMax,
          .refuses_owner = true,
          .fixed_mode = 0755,
          .knows_holes = false,
          .ignores_case = true,
          .has_links = false,
          .has_xattrs = false};
}

}  // namespace

const std::vector<SimCharacter>& SimCharacters() {
  static const auto* const kCharacters = new std::vector<SimCharacter>{
      {"tmpfs", {}},
      {"ext4", Ext4()},
      {"Btrfs", Btrfs()},
      {"NFS", Nfs()},
      {"NFS that squashes root", SquashedNfs()},
      {"NFS 4.2", NewNfs()},
      {"overlayfs", Overlay()},
      {"CIFS", Cifs()},
      {"FUSE", Fuse()},
      {"FUSE that lies", LyingFuse()},
      {"proc", Proc()},
      {"FAT", Fat()},
  };
  return *kCharacters;
}

SimCharacter RandomCharacter(uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<SimCharacter>& all = SimCharacters();
  SimCharacter character = all[random() % all.size()];
  if (random() % 4 != 0) return character;
  character.name = "a smaller one";
  // From none to about as many as a random tree takes.
  character.traits.pages_max = random() % 200;
  return character;
}

}  // namespace ringcp
