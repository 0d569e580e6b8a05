// How the contents of a file reached its copy, for --debug. GNU cp tells the same three
// things about each file.

#ifndef RINGCP_CORE_BASE_CONTENTS_ROUTE_H_
#define RINGCP_CORE_BASE_CONTENTS_ROUTE_H_

namespace ringcp {

struct ContentsRoute {
  enum class Means {
    kNo,           // The options forbid it.
    kYes,          // Some or all of the contents came so.
    kAvoided,      // It was not tried.
    kUnsupported,  // The file systems don't do it, or refused.
    kUnknown,      // It did not matter.
  };
  enum class Holes {
    kNotSought,      // There were none to be seen, or they are filled.
    kAsked,          // The file system was asked where they are (SEEK_HOLE).
    kZeros,          // Zeros were taken for holes.
    kAskedAndZeros,  // Both.
    kUnknown,        // It did not matter.
  };

  Means server = Means::kAvoided;  // The server of both files copied them.
  Means clone = Means::kAvoided;
  Holes holes = Holes::kNotSought;

  friend bool operator==(const ContentsRoute&, const ContentsRoute&) = default;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_CONTENTS_ROUTE_H_
