#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "howdah/cell.hpp"
#include "howdah/parameter_list.hpp"
#include "howdah/result.hpp"
#include "howdah/types.hpp"
#include "howdah/value.hpp"

namespace howdah::inline v0 {

/// How a C++ type travels. A program may specialise it for types of its own:
///
///     static constexpr std::uint32_t kType;                            what it is sent as; 0: the server infers
///     static void encode(ParameterList& list, const T& value);         adds exactly one value, or fails
///     static Result<T> decode(const Cell& cell);                       never called with NULL
///
/// What there is, with the types that each is read from (text and binary form both):
///
///     bool                                   bool
///     short, int, long, long long            int2, int4, int8, oid; what does not fit is an error
///     float, double                          float4; double also float8
///     Numeric                                numeric, int2, int4, int8
///     std::string, std::string_view          every type in text form: the server's own text; in binary form the types of texts
///     const char*                            (sent only)
///     std::vector<std::byte>                 bytea; std::span<const std::byte> (sent only)
///     Uuid                                   uuid
///     Timestamp, LocalTimestamp, Date        timestamptz, timestamp, date; in text form only with DateStyle ISO
///     std::chrono::sys_time of other units   (sent only, as timestamptz, rounded down to the microsecond)
///     Json                                   json, jsonb
///     std::optional of these                 the same, or NULL
///     std::vector of these                   one-dimensional arrays; elements that may be NULL are optional. std::span is sent only.
template <typename T>
struct Codec;

/// Adds the value to the list.
template <typename T>
void encode(ParameterList& list, const T& value) {
    Codec<std::decay_t<const T>>::encode(list, value);
}

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = !std::is_same_v<T, std::byte>;

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// The value of a cell as a T; NULL is an error unless T is a std::optional.
template <typename T>
Result<T> decode(const Cell& cell) {
    if constexpr (kIsOptional<T>) {
        if (cell.is_null()) return T();
        auto value = Codec<typename T::value_type>::decode(cell);
        if (!value) return value.error();
        return T(std::move(*value));
    } else {
        if (cell.is_null()) return null_error(cell);
        return Codec<T>::decode(cell);
    }
}

/// What the codecs below are made of.
namespace codec {

Result<bool> read_bool(const Cell& cell);
/// `bits` is 16, 32 or 64.
Result<std::int64_t> read_integer(const Cell& cell, int bits);
Result<float> read_float(const Cell& cell);
Result<double> read_double(const Cell& cell);
Result<Numeric> read_numeric(const Cell& cell);
Result<std::string_view> read_text(const Cell& cell);
Result<std::vector<std::byte>> read_bytes(const Cell& cell);
Result<Uuid> read_uuid(const Cell& cell);
Result<Timestamp> read_timestamp(const Cell& cell);
Result<LocalTimestamp> read_local_timestamp(const Cell& cell);
Result<Date> read_date(const Cell& cell);
Result<Json> read_json(const Cell& cell);

void write_bytes(ParameterList& list, std::span<const std::byte> bytes);
void write_timestamp(ParameterList& list, Timestamp::duration since_1970, std::uint32_t type);
void write_date(ParameterList& list, Date date);
void write_c_string(ParameterList& list, const char* text);
/// For moments beyond what microseconds can count.
void fail_timestamp(ParameterList& list);

/// The elements of a cell that is an array, one after the other.
class ArrayReader {
public:
    explicit ArrayReader(const Cell& array);
    /// The next element, valid until the next call; false at the end and after a failure.
    bool next(Cell& element);
    const std::optional<Error>& error() const noexcept { return error_; }

private:
    void begin_text();
    void begin_binary();
    bool next_text(Cell& element);
    bool next_binary(Cell& element);
    bool quoted(Cell& element);
    bool finish_element();
    bool fail(std::string_view hint = {});
    bool too_many_dimensions();

    Cell array_;
    std::string_view rest_;
    std::size_t seen_ = 0;
    std::size_t left_ = 0;       ///< Binary form: elements still to come.
    std::uint32_t element_ = 0;  ///< Their type.
    std::string unescaped_;
    std::optional<Error> error_;
};

template <typename T>
concept Integer = std::same_as<T, short> || std::same_as<T, int> || std::same_as<T, long> || std::same_as<T, long long>;

template <typename Elements>
void write_array(ParameterList& list, const Elements& elements, std::uint32_t type) {
    ArrayParameter array(type);
    for (const auto& element : elements) {
        encode(array.one(), static_cast<const typename Elements::value_type&>(element));
        array.take();
    }
    array.finish(list);
}

}  // namespace codec

template <>
struct Codec<bool> {
    static constexpr std::uint32_t kType = type::kBool;
    static void encode(ParameterList& list, bool value) { list.add_number<std::uint8_t>(value ? 1 : 0, kType); }
    static Result<bool> decode(const Cell& cell) { return codec::read_bool(cell); }
};

template <codec::Integer T>
struct Codec<T> {
    static constexpr std::uint32_t kType = sizeof(T) == 2 ? type::kInt2 : sizeof(T) == 4 ? type::kInt4 : type::kInt8;
    static void encode(ParameterList& list, T value) { list.add_number(value, kType); }
    static Result<T> decode(const Cell& cell) {
        const auto value = codec::read_integer(cell, static_cast<int>(8 * sizeof(T)));
        if (!value) return value.error();
        return static_cast<T>(*value);
    }
};

template <>
struct Codec<float> {
    static constexpr std::uint32_t kType = type::kFloat4;
    static void encode(ParameterList& list, float value) { list.add_number(std::bit_cast<std::uint32_t>(value), kType); }
    static Result<float> decode(const Cell& cell) { return codec::read_float(cell); }
};

template <>
struct Codec<double> {
    static constexpr std::uint32_t kType = type::kFloat8;
    static void encode(ParameterList& list, double value) { list.add_number(std::bit_cast<std::uint64_t>(value), kType); }
    static Result<double> decode(const Cell& cell) { return codec::read_double(cell); }
};

template <>
struct Codec<Numeric> {
    static constexpr std::uint32_t kType = type::kNumeric;
    static void encode(ParameterList& list, const Numeric& value) { list.add_text(value.text().c_str(), value.text().size(), kType); }
    static Result<Numeric> decode(const Cell& cell) { return codec::read_numeric(cell); }
};

template <>
struct Codec<std::string> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, const std::string& value) { list.add_text(value.c_str(), value.size()); }
    static Result<std::string> decode(const Cell& cell) {
        const auto text = codec::read_text(cell);
        if (!text) return text.error();
        return std::string(*text);
    }
};

template <>
struct Codec<std::string_view> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, std::string_view value) { list.add_text_copy(value); }
    static Result<std::string_view> decode(const Cell& cell) { return codec::read_text(cell); }
};

template <>
struct Codec<const char*> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, const char* value) { codec::write_c_string(list, value); }
};

template <>
struct Codec<char*> : Codec<const char*> {};

template <>
struct Codec<std::nullopt_t> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, std::nullopt_t) { list.add_null(); }
};

template <>
struct Codec<std::vector<std::byte>> {
    static constexpr std::uint32_t kType = type::kBytea;
    static void encode(ParameterList& list, const std::vector<std::byte>& value) { codec::write_bytes(list, value); }
    static Result<std::vector<std::byte>> decode(const Cell& cell) { return codec::read_bytes(cell); }
};

template <std::size_t kExtent>
struct Codec<std::span<const std::byte, kExtent>> {
    static constexpr std::uint32_t kType = type::kBytea;
    static void encode(ParameterList& list, std::span<const std::byte> value) { codec::write_bytes(list, value); }
};

template <>
struct Codec<Uuid> {
    static constexpr std::uint32_t kType = type::kUuid;
    static void encode(ParameterList& list, const Uuid& value) {
        list.add_binary_copy(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size(), kType);
    }
    static Result<Uuid> decode(const Cell& cell) { return codec::read_uuid(cell); }
};

template <>
struct Codec<Timestamp> {
    static constexpr std::uint32_t kType = type::kTimestamptz;
    static void encode(ParameterList& list, Timestamp value) { codec::write_timestamp(list, value.time_since_epoch(), kType); }
    static Result<Timestamp> decode(const Cell& cell) { return codec::read_timestamp(cell); }
};

template <>
struct Codec<LocalTimestamp> {
    static constexpr std::uint32_t kType = type::kTimestamp;
    static void encode(ParameterList& list, LocalTimestamp value) { codec::write_timestamp(list, value.time_since_epoch(), kType); }
    static Result<LocalTimestamp> decode(const Cell& cell) { return codec::read_local_timestamp(cell); }
};

template <>
struct Codec<Date> {
    static constexpr std::uint32_t kType = type::kDate;
    static void encode(ParameterList& list, Date value) { codec::write_date(list, value); }
    static Result<Date> decode(const Cell& cell) { return codec::read_date(cell); }
};

template <typename Length>
    requires std::integral<typename Length::rep>
struct Codec<std::chrono::sys_time<Length>> {
    static constexpr std::uint32_t kType = type::kTimestamptz;
    static void encode(ParameterList& list, std::chrono::sys_time<Length> value) {
        using Microseconds = std::chrono::microseconds;
        if constexpr (std::ratio_greater_v<typename Length::period, Microseconds::period>) {
            constexpr auto kMost = std::chrono::duration_cast<Length>(Microseconds::max()).count();
            if (value.time_since_epoch().count() > kMost || value.time_since_epoch().count() < -kMost) return codec::fail_timestamp(list);
        }
        codec::write_timestamp(list, std::chrono::floor<Microseconds>(value.time_since_epoch()), kType);
    }
};

template <>
struct Codec<Json> {
    static constexpr std::uint32_t kType = type::kJsonb;
    static void encode(ParameterList& list, const Json& value) { list.add_text(value.text.c_str(), value.text.size(), kType); }
    static Result<Json> decode(const Cell& cell) { return codec::read_json(cell); }
};

template <typename T>
struct Codec<std::optional<T>> {
    static constexpr std::uint32_t kType = Codec<T>::kType;
    static void encode(ParameterList& list, const std::optional<T>& value) {
        value ? Codec<T>::encode(list, *value) : list.add_null(kType);
    }
};

template <typename T>
struct Codec<std::vector<T>> {
    static constexpr std::uint32_t kType = 0;
    static_assert(!kIsVector<T>, "arrays have one dimension here");
    static void encode(ParameterList& list, const std::vector<T>& value) {
        codec::write_array(list, value, type::array_of(Codec<T>::kType));
    }
    static Result<std::vector<T>> decode(const Cell& cell) {
        static_assert(!std::is_same_v<T, std::string_view> && !std::is_same_v<T, std::optional<std::string_view>>,
                      "an unescaped element has no place of its own: read std::vector<std::string>");
        std::vector<T> values;
        codec::ArrayReader reader(cell);
        Cell element;
        while (reader.next(element)) {
            auto value = howdah::decode<T>(element);
            if (!value) return value.error();
            values.push_back(std::move(*value));
        }
        if (reader.error()) return *reader.error();
        return values;
    }
};

template <typename T, std::size_t kExtent>
struct Codec<std::span<T, kExtent>> {
    static constexpr std::uint32_t kType = 0;
    static void encode(ParameterList& list, std::span<T, kExtent> value) {
        codec::write_array(list, value, type::array_of(Codec<std::remove_const_t<T>>::kType));
    }
};

}  // namespace howdah::inline v0
