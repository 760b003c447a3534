#include "postgres/crc32c.hpp"

#include <array>

#include "postgres/load.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace howdah::postgres {

namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Table 0 is the sum of one byte; table n that of the byte followed by n zero bytes, so that eight bytes take eight look-ups.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1u) ? 0x82F63B78u : 0u);
        tables[0][byte] = sum;
    }
    for (std::size_t table = 1; table < tables.size(); ++table) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFFu];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c_extend_table(std::uint32_t state, std::span<const std::byte> bytes) {
    std::size_t offset = 0;
    for (; bytes.size() - offset >= 8; offset += 8) {
        const std::uint64_t word = load<std::uint64_t>(bytes, offset) ^ state;
        state = 0;
        for (std::size_t byte = 0; byte < 8; ++byte) state ^= kTables[7 - byte][(word >> (8 * byte)) & 0xFFu];
    }
    for (; offset < bytes.size(); ++offset)
        state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<std::uint32_t>(bytes[offset])) & 0xFFu];
    return state;
}

#if defined(__x86_64__)

namespace {

/// What becomes of a sum when a lane's bytes follow it, all zero: by the sum's four bytes.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::size_t kLane = 512;

constexpr Shift make_shift(std::size_t zeros) {
    std::array<std::uint32_t, 32> of_bit{};
    for (std::size_t bit = 0; bit < of_bit.size(); ++bit) {
        of_bit[bit] = std::uint32_t{1} << bit;
        for (std::size_t i = 0; i < zeros; ++i) of_bit[bit] = (of_bit[bit] >> 8) ^ kTables[0][of_bit[bit] & 0xFFu];
    }
    Shift shift{};
    for (std::size_t place = 0; place < shift.size(); ++place)
        for (std::size_t byte = 0; byte < 256; ++byte)
            for (std::size_t bit = 0; bit < 8; ++bit)
                if ((byte >> bit) & 1u) shift[place][byte] ^= of_bit[8 * place + bit];
    return shift;
}

constexpr Shift kOneLane = make_shift(kLane), kTwoLanes = make_shift(2 * kLane);

std::uint32_t shifted(const Shift& shift, std::uint32_t sum) {
    return shift[0][sum & 0xFFu] ^ shift[1][(sum >> 8) & 0xFFu] ^ shift[2][(sum >> 16) & 0xFFu] ^ shift[3][sum >> 24];
}

}  // namespace

bool crc32c_has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc32c_extend_instruction(std::uint32_t state, std::span<const std::byte> bytes) {
    std::uint64_t sum = state;
    std::size_t offset = 0;
    // The instruction answers after three cycles and could begin every cycle: three lanes at once.
    for (; bytes.size() - offset >= 3 * kLane; offset += 3 * kLane) {
        std::uint64_t second = 0, third = 0;
        for (std::size_t i = offset; i < offset + kLane; i += 8) {
            sum = _mm_crc32_u64(sum, load<std::uint64_t>(bytes, i));
            second = _mm_crc32_u64(second, load<std::uint64_t>(bytes, i + kLane));
            third = _mm_crc32_u64(third, load<std::uint64_t>(bytes, i + 2 * kLane));
        }
        sum = shifted(kTwoLanes, static_cast<std::uint32_t>(sum)) ^ shifted(kOneLane, static_cast<std::uint32_t>(second)) ^ third;
    }
    for (; bytes.size() - offset >= 8; offset += 8) sum = _mm_crc32_u64(sum, load<std::uint64_t>(bytes, offset));
    auto rest = static_cast<std::uint32_t>(sum);
    for (; offset < bytes.size(); ++offset) rest = _mm_crc32_u8(rest, std::to_integer<unsigned char>(bytes[offset]));
    return rest;
}

#else

bool crc32c_has_instruction() { return false; }
std::uint32_t crc32c_extend_instruction(std::uint32_t state, std::span<const std::byte> bytes) { return crc32c_extend_table(state, bytes); }

#endif

std::uint32_t crc32c_extend(std::uint32_t state, std::span<const std::byte> bytes) {
    static const auto kernel = crc32c_has_instruction() ? crc32c_extend_instruction : crc32c_extend_table;
    return kernel(state, bytes);
}

}  // namespace howdah::postgres
