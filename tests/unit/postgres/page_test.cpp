#include "postgres/page.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>

#include "base/file.hpp"
#include "postgres/page_kernels.hpp"
#include "real_server.hpp"

namespace howdah::postgres {
namespace {

std::vector<std::byte> random_pages(std::size_t count) {
    std::mt19937_64 random(20261121);
    std::vector<std::byte> pages(count * kBlockSize);
    for (std::byte& byte : pages) byte = static_cast<std::byte>(random());
    return pages;
}

void store_checksum(std::span<std::byte> page, std::uint32_t block) {
    const std::uint16_t sum = page_checksum(page, block);
    page[8] = static_cast<std::byte>(sum & 0xFF);
    page[9] = static_cast<std::byte>(sum >> 8);
}

TEST(Page, KernelsAgreeOnAnyCountAndAlignment) {
    if (!cpu_has_avx2()) GTEST_SKIP() << "this CPU has no AVX2";
    const auto pages = random_pages(10);
    for (std::size_t shift = 0; shift < 64; ++shift) {
        for (std::size_t count = 0; count <= 9; ++count) {
            std::vector<std::uint32_t> portable(count), avx2(count);
            hash_pages_portable(pages.data() + shift, portable);
            hash_pages_avx2(pages.data() + shift, avx2);
            ASSERT_EQ(portable, avx2) << "shift " << shift << " count " << count;
        }
    }
}

TEST(Page, StoredChecksumDoesNotChangeTheComputedOne) {
    auto pages = random_pages(1);
    const std::uint16_t before = page_checksum(pages, 7);
    pages[8] ^= std::byte{0xFF};
    pages[9] ^= std::byte{0x55};
    EXPECT_EQ(before, page_checksum(pages, 7));
    pages[10] ^= std::byte{1};
    EXPECT_NE(before, page_checksum(pages, 7));
}

TEST(Page, BadPagesAreListedWithTheirBlock) {
    auto pages = random_pages(70);
    for (std::uint32_t number = 0; number < 70; ++number)
        store_checksum(std::span(pages).subspan(number * kBlockSize, kBlockSize), 131072 + number);
    std::vector<BadPage> bad;
    check_pages(pages, 131072, bad);
    ASSERT_TRUE(bad.empty());

    pages[33 * kBlockSize + 5000] ^= std::byte{1};
    check_pages(pages, 131072, bad);
    ASSERT_EQ(1u, bad.size());
    EXPECT_EQ(131072u + 33, bad[0].block);
    EXPECT_EQ(page_stored_checksum(std::span(pages).subspan(33 * kBlockSize, kBlockSize)), bad[0].found);
    EXPECT_NE(bad[0].expected, bad[0].found);
}

TEST(Page, ZeroPagePassesAndAlmostZeroPageDoesNot) {
    std::vector<std::byte> pages(3 * kBlockSize);
    std::vector<BadPage> bad;
    check_pages(pages, 0, bad);
    EXPECT_TRUE(bad.empty());

    pages[2 * kBlockSize - 1] = std::byte{1};
    check_pages(pages, 0, bad);
    ASSERT_EQ(1u, bad.size());
    EXPECT_EQ(1u, bad[0].block);

    // Its checksum may even be right: with pd_upper zero PostgreSQL asks for zeros only.
    store_checksum(std::span(pages).subspan(kBlockSize, kBlockSize), 1);
    bad.clear();
    check_pages(pages, 0, bad);
    ASSERT_EQ(1u, bad.size());
    EXPECT_EQ(bad[0].expected, bad[0].found);
}

/// Name and bytes of every relation file of a data directory, with the number of its first block.
template <typename Visit>
void for_each_relation_file(const std::filesystem::path& data, Visit visit) {
    for (const char* folder : {"base", "global"}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(data / folder)) {
            const std::string name = entry.path().filename();
            if (!entry.is_regular_file() || name[0] < '0' || name[0] > '9') continue;
            visit(entry.path(), base::read_file(entry.path()));
        }
    }
}

TEST(Page, AgreesWithAServerAndPgChecksums) {
    testing::RealServer server(16);
    server.sql(
        "create table t as select g, repeat(md5(g::text), 8) as text from generate_series(1, 20000) g; create index on t(g); vacuum t;"
        "update t set text = text || 'x' where g % 7 = 0; checkpoint;");
    const std::string file = server.sql("select pg_relation_filepath('t')");
    server.stop();

    std::size_t pages = 0;
    std::vector<BadPage> bad;
    for_each_relation_file(server.data(), [&](const std::filesystem::path& path, const std::string& content) {
        check_pages(base::as_bytes(content), 0, bad);
        EXPECT_TRUE(bad.empty()) << path;
        for (std::size_t at = 0; at < content.size(); at += kBlockSize)
            EXPECT_LT(page_lsn(base::as_bytes(content).subspan(at, kBlockSize)), base::Lsn{std::uint64_t{1} << 32});
        pages += content.size() / kBlockSize;
    });
    EXPECT_GT(pages, 1000u);

    const auto table = server.data() / file.substr(0, file.find('\n'));
    const auto handle = base::File::open(table, O_RDWR);
    std::string page(kBlockSize, '\0');
    const auto page_bytes = std::as_writable_bytes(std::span(page.data(), page.size()));
    ASSERT_EQ(kBlockSize, handle.read_at(page_bytes, 5 * kBlockSize));
    page[4000] = static_cast<char>(page[4000] ^ 1);
    handle.write_at(page_bytes, 5 * kBlockSize);
    check_pages(base::as_bytes(base::read_file(table)), 0, bad);
    ASSERT_EQ(1u, bad.size());
    EXPECT_EQ(5u, bad[0].block);

    if (!server.has("pg_checksums")) return;
    const auto checked = server.run("pg_checksums", {"--check", "-D", server.data().string()});
    EXPECT_NE(0, checked.exit_code);
    const std::string expected = fmt::format("block 5: calculated checksum {:X} but block contains {:X}", bad[0].expected, bad[0].found);
    EXPECT_NE(std::string::npos, (checked.errors + checked.output).find(expected)) << checked.errors;
}

}  // namespace
}  // namespace howdah::postgres
