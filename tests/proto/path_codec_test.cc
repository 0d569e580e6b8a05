#include "proto/path_codec.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using std::literals::operator""s;
using ::testing::HasSubstr;

std::string Refusal(const std::string& text) {
  const auto path = PathFromApi(text);
  return path.ok() ? "(accepted)" : std::string(path.status().message());
}

TEST(PathFromApiTest, AnAbsolutePathIsItself) {
  EXPECT_EQ(*PathFromApi("/"), "/");
  EXPECT_EQ(*PathFromApi("/srv/data/"), "/srv/data/");
  EXPECT_EQ(*PathFromApi("/100%25 ?#"), "/100%25 ?#");
  EXPECT_EQ(*PathFromApi("/caf\u00e9/\U0001F600"), "/caf\u00e9/\U0001F600");
}

TEST(PathFromApiTest, AFileUriIsDecoded) {
  EXPECT_EQ(*PathFromApi("file:///srv/caf%E9"), "/srv/caf\xE9");
  EXPECT_EQ(*PathFromApi("file:///a%20b%3f%0a"), "/a b?\n");
  EXPECT_EQ(*PathFromApi("file:///"), "/");
}

TEST(PathFromApiTest, WhatIsNoAbsolutePathIsRefused) {
  EXPECT_EQ(Refusal(""), "must not be empty");
  for (const char* text : {"srv", "./srv", "~/srv", "file:/srv", "http:///srv"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("must be an absolute path")) << text;
  }
}

TEST(PathFromApiTest, AMalformedUriIsRefused) {
  EXPECT_THAT(Refusal("file://"), HasSubstr("without a host"));
  EXPECT_THAT(Refusal("file://server/srv"), HasSubstr("without a host"));
  for (const char* text : {"file:///%", "file:///%4", "file:///%4g", "file:///%%41"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("two hexadecimal digits")) << text;
  }
  EXPECT_THAT(Refusal("file:///a?b"), HasSubstr("percent-encoded"));
  EXPECT_THAT(Refusal("file:///a#b"), HasSubstr("percent-encoded"));
  EXPECT_THAT(Refusal("file:///a%2Fb"), HasSubstr("'/'"));
}

TEST(PathFromApiTest, ANulByteIsRefused) {
  EXPECT_EQ(Refusal("/a\0b"s), "must not hold a NUL byte");
  EXPECT_EQ(Refusal("file:///a%00b"), "must not hold a NUL byte");
}

TEST(PathFromApiTest, InvalidUtf8IsRefusedInThePlainForm) {
  for (const char* text :
       {"/\xE9", "/\x80", "/\xC0\xAF", "/\xE0\x80\xAF", "/\xED\xA0\x80",
        "/\xF0\x80\x80\x80", "/\xF4\x90\x80\x80", "/\xF5\x80\x80\x80", "/\xC3"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("valid UTF-8"));
  }
}

TEST(PathFromApiTest, TheLengthIsLimited) {
  const std::string longest = "/" + std::string(kPathBytesMax - 1, 'a');
  EXPECT_TRUE(PathFromApi(longest).ok());
  EXPECT_EQ(Refusal(longest + "a"), "must be at most 65536 bytes long");
}

TEST(PathToApiTest, Utf8StaysAndOtherBytesBecomeAUri) {
  EXPECT_EQ(*PathToApi("/srv/100% caf\u00e9"), "/srv/100% caf\u00e9");
  EXPECT_EQ(*PathToApi("/srv/a b%?#/caf\xE9"), "file:///srv/a%20b%25%3F%23/caf%E9");
}

TEST(PathToApiTest, WhatTheApiCannotExpressIsRefused) {
  EXPECT_FALSE(PathToApi("").ok());
  EXPECT_FALSE(PathToApi("srv").ok());
  EXPECT_FALSE(PathToApi("/a\0b"s).ok());
  // It fits as plain bytes, but a URI needs three characters for each of them.
  EXPECT_FALSE(PathToApi("/" + std::string(kPathBytesMax / 2, '\xE9')).ok());
}

TEST(PathCodecTest, EveryByteComesBack) {
  for (int byte = 1; byte < 256; ++byte) {
    for (const char* around : {"/", "/\xFF"}) {
      const std::string path = std::string(around) + static_cast<char>(byte) + "x";
      const auto text = PathToApi(path);
      ASSERT_TRUE(text.ok()) << text.status();
      const auto back = PathFromApi(*text);
      ASSERT_TRUE(back.ok()) << *text << ": " << back.status();
      EXPECT_EQ(*back, path);
    }
  }
}

}  // namespace
}  // namespace ringcp
