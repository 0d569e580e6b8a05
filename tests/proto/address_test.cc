#include "proto/address.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const std::string& address) {
  const auto path = SocketPath(address);
  return path.ok() ? "(accepted)" : std::string(path.status().message());
}

TEST(SocketPathTest, AUnixAddressNamesASocket) {
  EXPECT_EQ(*SocketPath("unix:/run/a.sock"), "/run/a.sock");
  EXPECT_EQ(*SocketPath("unix:///run/a.sock"), "/run/a.sock");
}

TEST(SocketPathTest, TcpIsRefusedWithTheReason) {
  for (const char* address :
       {"localhost:50051", "127.0.0.1:1", "[::1]:1", "dns:///host:1"}) {
    EXPECT_EQ(Refusal(address), std::string(address) +
                                    ": TCP needs mutual TLS, which this version does not "
                                    "have; use unix:/path");
  }
}

TEST(SocketPathTest, WhatIsNoAddressIsRefused) {
  EXPECT_THAT(Refusal(""), HasSubstr("not an address; use unix:/path"));
  EXPECT_THAT(Refusal("/run/a.sock"), HasSubstr("not an address; use unix:/path"));
  EXPECT_THAT(Refusal("unix-abstract:a"), HasSubstr("not an address; use unix:/path"));
  EXPECT_THAT(Refusal("unix:a.sock"), HasSubstr("must be absolute"));
  EXPECT_THAT(Refusal("unix:"), HasSubstr("must be absolute"));
  EXPECT_THAT(Refusal("unix://host/a.sock"), HasSubstr("must be absolute"));
  EXPECT_THAT(Refusal("unix:/run/"), HasSubstr("not the path of a socket"));
}

TEST(SocketPathTest, TheLengthIsThatOfASocketsAddress) {
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_EQ(*SocketPath("unix:" + longest), longest);
  EXPECT_THAT(Refusal("unix:" + longest + "a"), HasSubstr("at most 107 bytes"));
}

TEST(DefaultAgentAddressTest, TheRuntimeDirectoryComesFirst) {
  EXPECT_EQ(*DefaultAgentAddress("/run/user/7", 7), "unix:/run/user/7/ringcp/agent.sock");
  EXPECT_EQ(*DefaultAgentAddress("/run/user/0/", 0),
            "unix:/run/user/0/ringcp/agent.sock");
}

TEST(DefaultAgentAddressTest, RootHasRun) {
  EXPECT_EQ(*DefaultAgentAddress(nullptr, 0), "unix:/run/ringcp/agent.sock");
  EXPECT_EQ(*DefaultAgentAddress("", 0), "unix:/run/ringcp/agent.sock");
  EXPECT_EQ(*DefaultAgentAddress("relative", 0), "unix:/run/ringcp/agent.sock");
}

TEST(DefaultAgentAddressTest, OthersHaveNone) {
  EXPECT_EQ(DefaultAgentAddress(nullptr, 7).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ringcp
