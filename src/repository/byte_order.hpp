#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace howdah::repository {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and so are the hosts PostgreSQL's packages run on");

template <std::unsigned_integral Number>
void store_number(std::byte* at, Number value) {
    std::memcpy(at, &value, sizeof value);
}

template <std::unsigned_integral Number>
Number load_number(const std::byte* at) {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace howdah::repository
