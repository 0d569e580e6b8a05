#include "core/kernel/preloaded_libraries.h"

#include <stdlib.h>

namespace ringcp {

bool LibrariesArePreloaded() {
  const char* const names = secure_getenv("LD_PRELOAD");
  return names != nullptr && *names != '\0';
}

}  // namespace ringcp
