// A set of values of an enumeration, as bits of one word.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_BASE_ENUM_SET_H_
#define RINGCP_CORE_BASE_ENUM_SET_H_

#include <cstdint>
#include <initializer_list>

namespace ringcp {

// REQUIRES: the values are numbered from 0 to 31 at most.
template <typename Value>
class EnumSet {
 public:
  constexpr EnumSet() = default;  // Empty.
  // NOLINTNEXTLINE(google-explicit-constructor): one value is a set, too.
  constexpr EnumSet(Value value) : bits_(BitOf(value)) {}
  constexpr EnumSet(std::initializer_list<Value> values) {
    for (const Value value : values) bits_ |= BitOf(value);
  }
  static constexpr EnumSet All() { return EnumSet().Complement(); }
  static constexpr EnumSet AllBut(EnumSet others) { return others.Complement(); }

  constexpr bool Contains(EnumSet other) const { return (other.bits_ & ~bits_) == 0; }
  constexpr bool Meets(EnumSet other) const { return (other.bits_ & bits_) != 0; }
  friend constexpr bool operator==(const EnumSet&, const EnumSet&) = default;
  constexpr void Add(EnumSet other) { bits_ |= other.bits_; }

 private:
  static constexpr uint32_t BitOf(Value value) {
    return uint32_t{1} << static_cast<uint32_t>(value);
  }
  constexpr EnumSet Complement() const {
    EnumSet complement;
    complement.bits_ = ~bits_;
    return complement;
  }

  uint32_t bits_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_ENUM_SET_H_
