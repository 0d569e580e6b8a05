// The version that --version and GetAgentInfo report.

#ifndef RINGCP_CORE_BASE_VERSION_H_
#define RINGCP_CORE_BASE_VERSION_H_

namespace ringcp {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_VERSION_H_
