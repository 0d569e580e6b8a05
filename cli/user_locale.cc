#include "cli/user_locale.h"

#include <locale.h>
#include <stdlib.h>
#include <strings.h>

#include <cstring>
#include <initializer_list>

namespace ringcp {

bool IsUtf8LocaleOfUser() {
  const char* name = nullptr;
  for (const char* const variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    name = getenv(variable);
    if (name != nullptr && *name != '\0') break;
  }
  if (name == nullptr) return false;
  // By the name, because in a static program nl_langinfo_l(CODESET) always says ASCII
  // (glibc 2.36).
  const char* const charset = strchr(name, '.');
  if (charset == nullptr ||
      (strncasecmp(charset, ".UTF-8", 6) != 0 && strncasecmp(charset, ".UTF8", 5) != 0)) {
    return false;
  }
  const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return false;
  freelocale(locale);
  return true;
}

}  // namespace ringcp
