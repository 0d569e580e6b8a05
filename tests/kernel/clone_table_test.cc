// Tests what the table remembers about file systems that can't clone.

#include "core/kernel/clone_table.h"

#include <cerrno>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(CloneTableTest, APairIsRefusedOnceItWasNoted) {
  CloneTable table;
  EXPECT_FALSE(table.Refused(1, 2));
  table.NoteRefused(1, 2);
  table.NoteRefused(1, 2);
  EXPECT_TRUE(table.Refused(1, 2));
  EXPECT_FALSE(table.Refused(2, 1));
  EXPECT_FALSE(table.Refused(2, 2));
}

TEST(CloneTableTest, AnUnknownSourceIsRefusedOnceAnyWas) {
  CloneTable table;
  EXPECT_FALSE(table.Refused(CloneTable::kAnyDevice, 2));
  table.NoteRefused(1, 2);
  EXPECT_TRUE(table.Refused(CloneTable::kAnyDevice, 2));
  EXPECT_FALSE(table.Refused(CloneTable::kAnyDevice, 1));
}

TEST(CloneTableTest, OneFileMayBeRefusedWithoutTheOthers) {
  for (const int error_number : {EOPNOTSUPP, EXDEV, ENOTTY}) {
    EXPECT_TRUE(CloneTable::RefusesAll(error_number));
  }
  for (const int error_number : {EINVAL, EPERM, ENOSPC, ETXTBSY, EIO}) {
    EXPECT_FALSE(CloneTable::RefusesAll(error_number));
  }
}

}  // namespace
}  // namespace ringcp
