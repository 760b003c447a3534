#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "howdah/result.hpp"

namespace howdah::inline v0 {

/// The values of $1, $2, … in the form in which libpq takes them: four parallel arrays. Up to 16 values, of which those that must be
/// copied take up to 256 bytes together, cost no allocation. Text and bytes added by reference must outlive the sending of the statement.
/// A value that cannot be sent makes the whole list unusable and error() tells why; nothing is sent then.
class ParameterList {
public:
    ParameterList() noexcept {}
    ParameterList(const ParameterList&) = delete;
    ParameterList& operator=(const ParameterList&) = delete;

    /// NULL, of a type or of the one that the server infers (0).
    void add_null(std::uint32_t type = 0) { put(nullptr, 0, type, false); }
    /// A whole number or the bits of one, in the binary form of its type: the size is the type's.
    template <typename Number>
    void add_number(Number number, std::uint32_t type) {
        std::array<char, sizeof(Number)> bytes;
        for (std::size_t at = 0; at < sizeof(Number); ++at)
            bytes[at] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * (sizeof(Number) - 1 - at)));
        add_binary_copy(bytes.data(), bytes.size(), type);
    }
    void add_binary_copy(const char* bytes, std::size_t size, std::uint32_t type) {
        put(std::memcpy(room_for(size), bytes, size), size, type, true);
    }
    /// Referenced.
    void add_binary(const char* bytes, std::size_t size, std::uint32_t type);
    /// Referenced: text[size] must be the terminating zero. A zero before it is an error.
    void add_text(const char* text, std::size_t size, std::uint32_t type = 0);
    /// The same of text that does not end in a zero.
    void add_text_copy(std::string_view text, std::uint32_t type = 0);
    /// For codecs: the value to come cannot be sent. `why` is "what is wrong: the value seen".
    void fail(std::string_view why, std::string hint);

    /// The first thing that was wrong (phase encode, cause usage); none when the list can be sent.
    const std::optional<Error>& error() const noexcept { return error_; }

    std::size_t size() const noexcept { return size_; }
    const char* const* values() const noexcept { return more_ ? more_->values.data() : values_.data(); }
    const int* lengths() const noexcept { return more_ ? more_->lengths.data() : lengths_.data(); }
    const int* formats() const noexcept { return more_ ? more_->formats.data() : formats_.data(); }
    const std::uint32_t* types() const noexcept { return more_ ? more_->types.data() : types_.data(); }

private:
    friend class ArrayParameter;
    void clear() noexcept;
    static constexpr std::size_t kInline = 16;
    struct More {
        std::vector<const char*> values;
        std::vector<int> lengths, formats;
        std::vector<std::uint32_t> types;
    };

    void put(const void* value, std::size_t size, std::uint32_t type, bool binary) {
        if (size_ >= kInline) return put_more(static_cast<const char*>(value), size, type, binary);
        values_[size_] = static_cast<const char*>(value);
        lengths_[size_] = static_cast<int>(size);
        formats_[size_] = binary ? 1 : 0;
        types_[size_++] = type;
    }
    void put_more(const char* value, std::size_t size, std::uint32_t type, bool binary);
    char* room_for(std::size_t size) {
        if (size > room_.size() - used_) return new_block(size);
        used_ += size;
        return room_.data() + used_ - size;
    }
    char* new_block(std::size_t size);
    void too_long(std::size_t size);

    std::size_t size_ = 0;
    std::size_t used_ = 0;
    std::array<const char*, kInline> values_;
    std::array<int, kInline> lengths_, formats_;
    std::array<std::uint32_t, kInline> types_;
    std::array<char, 256> room_;
    std::unique_ptr<More> more_;                   ///< All values once there are more than kInline.
    std::vector<std::unique_ptr<char[]>> blocks_;  ///< Copies that did not fit into room_.
    std::optional<Error> error_;
};

/// One array being made up of elements that are each encoded as a parameter of its own: in binary form when they are, as text otherwise.
class ArrayParameter {
public:
    /// `type` is the array's, 0 for the one that the server infers.
    explicit ArrayParameter(std::uint32_t type) : type_(type) {}
    /// Takes the element that was just added to `one()`; NULL counts.
    ParameterList& one() noexcept { return one_; }
    void take();
    /// The whole array becomes the next value of `list`.
    void finish(ParameterList& list);

private:
    void begin(bool binary);
    void append_big_endian(std::uint32_t number);
    void append_quoted(std::string_view text);

    std::uint32_t type_;
    std::uint32_t count_ = 0, element_type_ = 0;
    bool begun_ = false, binary_ = false, nulls_ = false;
    std::string bytes_;
    ParameterList one_;
};

}  // namespace howdah::inline v0
