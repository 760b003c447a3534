#include "postgres/crc32c.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace howdah::postgres {
namespace {

/// The vectors of RFC 3720 appendix B.4 and the usual check value.
TEST(Crc32c, KnownVectors) {
    EXPECT_EQ(0xE3069283u, crc32c(base::as_bytes("123456789")));
    EXPECT_EQ(0x8A9136AAu, crc32c(std::vector<std::byte>(32)));
    EXPECT_EQ(0x62A8AB43u, crc32c(std::vector<std::byte>(32, std::byte{0xFF})));
    EXPECT_EQ(0u, crc32c({}));
}

TEST(Crc32c, TableInstructionAndPiecesAgree) {
    std::mt19937_64 random(1);
    std::vector<std::byte> bytes(6000);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    for (std::size_t begin = 0; begin < 16; ++begin) {
        for (std::size_t size = 0; size + begin <= bytes.size(); size += size < 300 ? 1 : 89) {
            const auto part = std::span(bytes).subspan(begin, size);
            const std::uint32_t table = crc32c_extend_table(kCrc32cStart, part);
            if (crc32c_has_instruction()) {
                ASSERT_EQ(table, crc32c_extend_instruction(kCrc32cStart, part));
            }
            ASSERT_EQ(table, crc32c_extend(crc32c_extend(kCrc32cStart, part.first(size / 3)), part.subspan(size / 3)));
        }
    }
}

}  // namespace
}  // namespace howdah::postgres
