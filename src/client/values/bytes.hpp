#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace howdah::inline v0 {

/// Reads big-endian integers of a value in binary form, from the front.
class BytesReader {
public:
    explicit BytesReader(std::string_view bytes) : rest_(bytes) {}

    /// None, and nothing is read, when too few bytes are left.
    template <typename Integer>
    std::optional<Integer> next() {
        if (rest_.size() < sizeof(Integer)) return std::nullopt;
        std::uint64_t bits = 0;
        for (std::size_t at = 0; at < sizeof(Integer); ++at) bits = bits << 8 | static_cast<unsigned char>(rest_[at]);
        rest_.remove_prefix(sizeof(Integer));
        return static_cast<Integer>(bits);
    }
    std::optional<std::string_view> next(std::size_t size) {
        if (rest_.size() < size) return std::nullopt;
        const std::string_view bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return bytes;
    }
    std::string_view rest() const { return rest_; }
    bool empty() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// A whole value that is one big-endian integer.
template <typename Integer>
std::optional<Integer> only(std::string_view bytes) {
    BytesReader reader(bytes);
    return bytes.size() == sizeof(Integer) ? reader.next<Integer>() : std::nullopt;
}

/// 0 to 15; none for anything but a hexadecimal digit.
constexpr std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace howdah::inline v0
