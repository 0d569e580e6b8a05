#include "core/kernel/attribute_rules.h"

#include <attr/attributes.h>
#include <attr/error_context.h>
#include <attr/libattr.h>

#include <cstring>

#include "core/base/mutex.h"

namespace ringcp {
namespace {

int RuleOfLibattr(const char* name) {
  // libattr keeps the file's contents in a variable of its own, without a lock.
  static Mutex* const kMutex = new Mutex;
  MutexLock lock(kMutex);
  return attr_copy_action(name, /*ctx=*/nullptr);
}

}  // namespace

AttributeRule RuleOfAttribute(const char* name) {
  // The file may be missing; a file's ACLs are about permissions all the same.
  if (std::strncmp(name, "system.posix_acl_", 17) == 0) {
    return AttributeRule::kPermissions;
  }
  switch (RuleOfLibattr(name)) {
    case ATTR_ACTION_SKIP:
      return AttributeRule::kSkip;
    case ATTR_ACTION_PERMISSIONS:
      return AttributeRule::kPermissions;
    default:
      return AttributeRule::kCopy;
  }
}

}  // namespace ringcp
