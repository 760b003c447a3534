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

}  // namespace

/// One value of an answer: the first byte chooses its type, the second its form, and every codec tries to read it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    constexpr std::uint32_t kTypes[] = {type::kBool,      type::kBytea,       type::kInt8, type::kInt2,    type::kInt4,   type::kText,
                                        type::kOid,       type::kJson,        type::kXml,  type::kFloat4,  type::kFloat8, type::kDate,
                                        type::kTimestamp, type::kTimestamptz, type::kUuid, type::kNumeric, type::kJsonb,  type::kUnknown};
    constexpr std::size_t kCount = std::size(kTypes);
    const std::size_t choice = data[0] % (2 * kCount + 2);
    Cell cell;
    if (choice < 2 * kCount) cell.type = choice < kCount ? kTypes[choice] : type::array_of(kTypes[choice - kCount]);
    if (choice == 2 * kCount) cell.type = 16402;
    cell.binary = data[1] % 2 == 1;
    cell.data = reinterpret_cast<const char*>(data + 2);
    cell.size = size - 2;
    cell.column = "c";

    attempt_with_array<bool>(cell, type::kBool);
    attempt_with_array<std::int16_t>(cell, type::kInt2);
    attempt_with_array<std::int32_t>(cell, type::kInt4);
    attempt_with_array<std::int64_t>(cell, type::kInt8);
    attempt<float>(cell, type::kFloat4);
    attempt<double>(cell, type::kFloat8);
    attempt_with_array<Numeric>(cell, type::kNumeric);
    attempt_with_array<std::string>(cell, type::kText);
    attempt_with_array<std::vector<std::byte>>(cell, type::kBytea);
    attempt_with_array<Uuid>(cell, type::kUuid);
    attempt_with_array<Timestamp>(cell, type::kTimestamptz);
    attempt_with_array<LocalTimestamp>(cell, type::kTimestamp);
    attempt_with_array<Date>(cell, type::kDate);
    attempt_with_array<Json>(cell, type::kJsonb);

    const std::string_view text = cell.bytes();
    if (const auto uuid = Uuid::parse(text); uuid && !(Uuid::parse(uuid->text()).value() == *uuid)) std::abort();
    if (const auto number = Numeric::parse(text); number && !(*number == Numeric::parse(number->text()).value())) std::abort();
    if (const auto number = Numeric::parse(text)) {
        if (const auto whole = number->integer(); whole && !(Numeric(*whole) == *number)) std::abort();
    }
    return 0;
}
