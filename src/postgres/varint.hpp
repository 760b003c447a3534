#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/failure.hpp"
#include "base/varint.hpp"

namespace howdah::postgres {

using base::put_varint;
using base::varint_size;

/// Reads numbers written by put_varint, and what lies between them. Throws Failure(operation) "NAME is damaged: WHY" instead of going beyond the end.
class VarintReader {
public:
    /// `name` says in a failure what these bytes are; it must live as long as the reader.
    VarintReader(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

    std::uint8_t byte() {
        if (bytes_.empty()) damaged("it ends early");
        const auto value = std::to_integer<std::uint8_t>(bytes_[0]);
        bytes_ = bytes_.subspan(1);
        return value;
    }
    /// Failure also when it is more than `most`.
    std::uint64_t varint(std::uint64_t most) {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint64_t bits = byte();
            if (shift == 63 && bits > 1) damaged("a number is too long");
            value |= (bits & 0x7F) << shift;
            if (bits < 0x80) break;
        }
        if (value > most) damaged("a number is too large");
        return value;
    }
    std::uint32_t varint32() { return static_cast<std::uint32_t>(varint(0xFFFFFFFF)); }
    /// A number of things that each take at least one byte: never more than there are bytes left.
    std::size_t count() {
        const std::uint64_t value = varint(~std::uint64_t{0});
        if (value > bytes_.size()) damaged("it ends early");
        return static_cast<std::size_t>(value);
    }
    std::span<const std::byte> take(std::size_t size) {
        if (size > bytes_.size()) damaged("it ends early");
        const auto taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }
    std::span<const std::byte> take_rest() { return take(bytes_.size()); }
    bool at_end() const { return bytes_.empty(); }
    [[noreturn]] void damaged(std::string_view why) const {
        throw base::Failure(base::FailureKind::operation, std::string(name_) + " is damaged: " + std::string(why),
                            "make it anew from its WAL segments");
    }

private:
    std::span<const std::byte> bytes_;
    std::string_view name_;
};

}  // namespace howdah::postgres
