// Tests which permissions follow from ACLs, in the kernel's own encoding.

#include "core/base/posix_acl.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

struct Entry {
  uint16_t tag;
  uint16_t rights;
  uint32_t id = 0xFFFFFFFF;
};

std::string Bytes(const std::vector<Entry>& entries, uint32_t version = 2) {
  std::string bytes;
  const posix_acl_xattr_header header = {htole32(version)};
  bytes.append(reinterpret_cast<const char*>(&header), sizeof(header));
  for (const Entry& entry : entries) {
    const posix_acl_xattr_entry raw = {htole16(entry.tag), htole16(entry.rights),
                                       htole32(entry.id)};
    bytes.append(reinterpret_cast<const char*>(&raw), sizeof(raw));
  }
  return bytes;
}

TEST(PosixAclTest, WithoutAMaskTheAclIsTheMode) {
  const std::string acl = Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}});
  EXPECT_EQ(PermissionsWithoutAcl(acl), mode_t{0751});
  EXPECT_EQ(PermissionsGrantedByDefault(acl), mode_t{0751});
}

TEST(PosixAclTest, TheMaskIsNotWhatTheOwningGroupHas) {
  const std::string acl = Bytes({{ACL_USER_OBJ, 6},
                                 {ACL_USER, 6, 65534},
                                 {ACL_GROUP_OBJ, 0},
                                 {ACL_MASK, 6},
                                 {ACL_OTHER, 0}});
  EXPECT_EQ(PermissionsWithoutAcl(acl), mode_t{0600});
  // A file made under this default ACL gets its mask as well.
  EXPECT_EQ(PermissionsGrantedByDefault(acl), mode_t{0660});
}

TEST(PosixAclTest, TheMaskLimitsTheOwningGroup) {
  const std::string acl =
      Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 7}, {ACL_MASK, 4}, {ACL_OTHER, 5}});
  EXPECT_EQ(PermissionsWithoutAcl(acl), mode_t{0745});
  EXPECT_EQ(PermissionsGrantedByDefault(acl), mode_t{0745});
}

TEST(PosixAclTest, NobodyGetsWhatANamedUserIsDenied) {
  EXPECT_EQ(PermissionsWithoutAcl(Bytes({{ACL_USER_OBJ, 6},
                                         {ACL_USER, 0, 1000},
                                         {ACL_GROUP_OBJ, 4},
                                         {ACL_MASK, 4},
                                         {ACL_OTHER, 4}})),
            mode_t{0600});
  // The mask limits this entry, too.
  EXPECT_EQ(PermissionsWithoutAcl(Bytes({{ACL_USER_OBJ, 7},
                                         {ACL_USER, 7, 1000},
                                         {ACL_GROUP_OBJ, 7},
                                         {ACL_MASK, 1},
                                         {ACL_OTHER, 5}})),
            mode_t{0711});
}

TEST(PosixAclTest, OthersDoNotGetWhatANamedGroupIsDenied) {
  EXPECT_EQ(PermissionsWithoutAcl(Bytes({{ACL_USER_OBJ, 7},
                                         {ACL_GROUP_OBJ, 5},
                                         {ACL_GROUP, 1, 1000},
                                         {ACL_MASK, 5},
                                         {ACL_OTHER, 5}})),
            mode_t{0751});
}

TEST(PosixAclTest, AModeIsAnAclOfThreeEntries) {
  EXPECT_EQ(AclOfMode(04751),
            Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}}));
}

TEST(PosixAclTest, ListsAreFoundAmongTheNamesOfAttributes) {
  using namespace std::string_view_literals;
  const AccessAttributes none = FindAccessAttributes("user.x\0security.capabilit\0"sv);
  EXPECT_FALSE(none.access_acl || none.default_acl);
  const AccessAttributes some =
      FindAccessAttributes("system.posix_acl_default\0user.x\0security.capability\0"sv);
  EXPECT_FALSE(some.access_acl);
  EXPECT_TRUE(some.default_acl);
  EXPECT_TRUE(FindAccessAttributes("system.posix_acl_access\0"sv).access_acl);
}

TEST(PosixAclTest, WhatIsMalformedSaysNothing) {
  const std::vector<Entry> whole = {
      {ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}};
  const std::vector<std::string> malformed = {
      "",
      "\2",
      Bytes({}),
      Bytes(whole, /*version=*/1),
      Bytes(whole).substr(0, 27),
      Bytes(whole) + '\0',
      Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}}),
      Bytes({{ACL_USER_OBJ, 7}, {ACL_OTHER, 5}}),
      Bytes({{ACL_GROUP_OBJ, 7}, {ACL_OTHER, 5}}),
      // An entry that occurs twice.
      Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}, {ACL_OTHER, 1}}),
      // A named user without a mask.
      Bytes({{ACL_USER_OBJ, 7}, {ACL_USER, 7, 1}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}}),
      // A tag, and a right, that do not exist.
      Bytes({{ACL_USER_OBJ, 7}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}, {0x40, 1}}),
      Bytes({{ACL_USER_OBJ, 8}, {ACL_GROUP_OBJ, 5}, {ACL_OTHER, 1}}),
  };
  for (const std::string& acl : malformed) {
    EXPECT_EQ(PermissionsWithoutAcl(acl), std::nullopt) << testing::PrintToString(acl);
    EXPECT_EQ(PermissionsGrantedByDefault(acl), std::nullopt)
        << testing::PrintToString(acl);
  }
}

}  // namespace
}  // namespace ringcp
