#include "repository/varint.hpp"

#include <fmt/core.h>

#include "repository/damage.hpp"

namespace howdah::repository {

void put_string(std::string& out, std::string_view text) {
    put_varint(out, text.size());
    out.append(text);
}

void Decoder::fail(std::string_view what) const { throw_damaged(*name_, what); }

std::uint8_t Decoder::byte() { return static_cast<std::uint8_t>(bytes(1)[0]); }

std::uint16_t Decoder::half() {
    const std::string_view two = bytes(2);
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(two[0]) | static_cast<std::uint8_t>(two[1]) << 8);
}

std::uint64_t Decoder::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        const std::uint8_t part = byte();
        if (shift == 63 && part > 1) break;
        value |= static_cast<std::uint64_t>(part & 0x7F) << shift;
        if (part < 0x80) return value;
    }
    fail("a number is longer than 64 bits");
}

std::uint64_t Decoder::varint(std::uint64_t limit, const char* what) {
    const std::uint64_t value = varint();
    if (value > limit) fail(fmt::format("{} {} is larger than {}", what, value, limit));
    return value;
}

std::size_t Decoder::count(std::size_t least, const char* what) { return static_cast<std::size_t>(varint(rest_.size() / least, what)); }

std::string_view Decoder::bytes(std::size_t length) {
    if (length > rest_.size()) fail("it ends too early");
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
}

void Decoder::expect(std::string_view magic) {
    if (bytes(magic.size()) != magic) fail("it does not begin as its kind does");
}

void Decoder::finish() const {
    if (!rest_.empty()) fail(fmt::format("{} bytes follow its end", rest_.size()));
}

}  // namespace howdah::repository
