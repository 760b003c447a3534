#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <type_traits>

#include "howdah/parameters.hpp"

namespace {

using namespace howdah;

template <typename T>
bool equal(const T& a, const T& b) {
    if constexpr (std::is_floating_point_v<T>) {
        return a == b || (std::isnan(a) && std::isnan(b));
    } else {
        return a == b;
    }
}

/// Reads the cell as a T. What could be read can be sent and, read as the server would send it back, is the same; `type` is that of a
/// parameter that goes without one.
template <typename T>
void attempt(const Cell& cell, std::uint32_t type) {
    const auto value = decode<T>(cell);
    if (!value) {
        if (value.error().phase() != Phase::decode || value.error().message().empty()) std::abort();
        return;
    }
    const Parameters sent(*value);
    // Infinity and what the server has not are told apart from what was read wrongly by the error; text may hold a zero byte here.
    if (sent.error()) return;
    if (sent.size() != 1 || sent.values()[0] == nullptr) std::abort();
    Cell back;
    back.data = sent.values()[0];
    back.binary = sent.formats()[0] == 1;
    back.size = back.binary ? static_cast<std::size_t>(sent.lengths()[0]) : std::string_view(back.data).size();
    back.type = sent.types()[0] != 0 ? sent.types()[0] : type;
    const auto again = decode<T>(back);
    if (!again || !equal(*again, *value)) std::abort();
}

template <typename T>
void attempt_with_array(const Cell& cell, std::uint32_t type) {
    attempt<T>(cell, type);
    attempt<std::vector<std::optional<T>>>(cell, type::array_of(type));
}

struct Try {
    std::uint32_t type;
    void (*attempt)(const Cell& cell, std::uint32_t type);
};

/// Each type with the C++ type that reads it best.
constexpr Try kTries[] = {{type::kBool, attempt_with_array<bool>},
                          {type::kBytea, attempt_with_array<std::vector<std::byte>>},
                          {type::kInt8, attempt_with_array<std::int64_t>},
                          {type::kInt2, attempt_with_array<std::int16_t>},
                          {type::kInt4, attempt_with_array<std::int32_t>},
                          {type::kText, attempt_with_array<std::string>},
                          {type::kOid, attempt<std::int64_t>},
                          {type::kJson, attempt<std::string>},
                          {type::kXml, attempt<std::string>},
                          {type::kFloat4, attempt<float>},
                          {type::kFloat8, attempt<double>},
                          {type::kDate, attempt_with_array<Date>},
                          {type::kTimestamp, attempt_with_array<LocalTimestamp>},
                          {type::kTimestamptz, attempt_with_array<Timestamp>},
                          {type::kUuid, attempt_with_array<Uuid>},
                          {type::kNumeric, attempt_with_array<Numeric>},
                          {type::kJsonb, attempt_with_array<Json>},
                          {type::kUnknown, attempt<std::string>}};
constexpr std::size_t kCount = std::size(kTries);

}  // namespace

/// One value of an answer: the first byte chooses its type, the second its form and who reads it: the type's own codec or any.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t choice = data[0] % (2 * kCount + 1);
    Cell cell;
    cell.type = choice < kCount ? kTries[choice].type : 16402;
    if (choice >= kCount && choice < 2 * kCount) cell.type = type::array_of(kTries[choice - kCount].type);
    cell.binary = data[1] % 2 == 1;
    cell.data = reinterpret_cast<const char*>(data + 2);
    cell.size = size - 2;
    cell.column = "c";
    const Try& reader = kTries[data[1] % 4 >= 2 ? data[1] / 4 % kCount : choice % kCount];
    reader.attempt(cell, reader.type);

    const std::string_view text = cell.bytes();
    if (const auto uuid = Uuid::parse(text); uuid && !(Uuid::parse(uuid->text()).value() == *uuid)) std::abort();
    if (const auto number = Numeric::parse(text); number && !(*number == Numeric::parse(number->text()).value())) std::abort();
    if (const auto number = Numeric::parse(text)) {
        if (const auto whole = number->integer(); whole && !(Numeric(*whole) == *number)) std::abort();
    }
    return 0;
}
