#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/varint.hpp"

namespace howdah::repository {

using base::put_varint;
/// Varint length and the bytes.
void put_string(std::string& out, std::string_view text);
constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// Takes values off encoded bytes and never reads beyond them; whatever does not fit throws Failure "object NAME is damaged".
class Decoder {
public:
    Decoder(std::string_view bytes, const std::string& name) : rest_(bytes), name_(&name) {}
    std::uint64_t varint();
    /// Refuses more than `limit`.
    std::uint64_t varint(std::uint64_t limit, const char* what);
    /// A count of things that take at least `least` bytes each, so that no count is larger than the bytes can hold.
    std::size_t count(std::size_t least, const char* what);
    std::uint8_t byte();
    std::uint16_t half();
    std::string_view bytes(std::size_t length);
    std::string_view string() { return bytes(count(1, "string")); }
    void expect(std::string_view magic);
    /// Refuses bytes that nothing claimed.
    void finish() const;
    [[noreturn]] void fail(std::string_view what) const;

private:
    std::string_view rest_;
    const std::string* name_;
};

}  // namespace howdah::repository
