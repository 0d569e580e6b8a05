// Which extended attributes belong to a copy. These are libattr's rules, as for GNU cp:
// the system's administrator may change them in /etc/xattr.conf.
//
// Thread-safety: the function may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_ATTRIBUTE_RULES_H_
#define RINGCP_CORE_KERNEL_ATTRIBUTE_RULES_H_

namespace ringcp {

enum class AttributeRule {
  kCopy,
  kPermissions,  // It says who has access, so it goes with the mode.
  kSkip,         // It means nothing in a copy, or only the kernel may set it.
};

// The rule for the attribute `name`, which is the whole name, such as "user.comment".
// The first call reads /etc/xattr.conf. If that can't be read, only what is known to be
// about permissions is not simply copied.
AttributeRule RuleOfAttribute(const char* name);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_ATTRIBUTE_RULES_H_
