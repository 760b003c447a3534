#include "backup/page_check.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstring>

#include "postgres/page.hpp"

namespace howdah::backup {
namespace {

using namespace std::chrono_literals;
using postgres::kBlockSize;
constexpr std::size_t kFramePages = 32;

/// A relation file of pages with right checksums.
class PageCheck : public testing::Test {
protected:
    explicit PageCheck(std::uint32_t pages = 256) : bytes_(std::size_t{pages} * kBlockSize) {
        for (std::uint32_t block = 0; block < pages; ++block) {
            const auto page = page_of(bytes_, block);
            std::memset(page.data() + 24, static_cast<int>(block % 200) + 1, kBlockSize - 24);
            const std::uint16_t lower = 28, upper = 8000, special = 8192, version = 0x2004;
            for (const auto& [at, value] : {std::pair{12, lower}, {14, upper}, {16, special}, {18, version}})
                std::memcpy(page.data() + at, &value, 2);
            const auto sum = postgres::page_checksum(page, block);
            std::memcpy(page.data() + 8, &sum, sizeof sum);
        }
        file_ = base::File::open(folder_.path() / "16384", O_RDWR | O_CREAT);
        file_.write_at(bytes_, 0);
    }

    static std::span<std::byte> page_of(std::span<std::byte> bytes, std::uint32_t block) {
        return bytes.subspan(std::size_t{block} * kBlockSize, kBlockSize);
    }

    void spoil(std::uint32_t block) {
        const std::byte wrong{0xEE};
        file_.write_at(std::span(&wrong, 1), std::uint64_t{block} * kBlockSize + 5000);
    }

    /// Reads and checks the whole file frame by frame, as the backup does.
    PageFindings check(WaitBudget& waits) {
        PageFindings findings;
        std::vector<std::byte> frame(kFramePages * kBlockSize);
        for (std::uint64_t offset = 0; offset < bytes_.size(); offset += frame.size()) {
            const auto got = file_.read_at(frame, offset);
            check_pages_read(file_, std::span(frame).first(got), offset, 0, waits, findings, {});
        }
        return findings;
    }

    base::TemporaryDirectory folder_{"howdah-pages"};
    std::vector<std::byte> bytes_;
    base::File file_;
};

TEST_F(PageCheck, FindsEachBadPageOnce) {
    for (const std::uint32_t block : {3u, 4u, 40u, 255u}) spoil(block);
    WaitBudget waits(20s);
    const auto findings = check(waits);
    ASSERT_EQ(findings.bad.size(), 4u);
    EXPECT_EQ(findings.bad[2].block, 40u);
    EXPECT_NE(findings.bad[2].expected, findings.bad[2].found);
    EXPECT_EQ(findings.hurried, 0u);
}

TEST_F(PageCheck, WaitsForAllPagesOfAFrameTogetherAndNoLongerThanTheBudget) {
    for (std::uint32_t block = 0; block < 256; ++block) spoil(block);
    WaitBudget waits(400ms);
    const auto start = std::chrono::steady_clock::now();
    const auto findings = check(waits);
    EXPECT_EQ(findings.bad.size(), 256u);
    EXPECT_EQ(findings.hurried, 256u - kFramePages) << "the first frame has the full time, the others what is left";
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s) << "each page for itself would have taken 256 times a third of a second";
}

/// A page torn while it was read is whole at the next look, even when nothing is left to wait.
TEST_F(PageCheck, ATornPageSettlesWithoutAnyWait) {
    std::vector<std::byte> torn(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(kFramePages * kBlockSize));
    std::memset(page_of(torn, 7).data() + kBlockSize / 2, 0, kBlockSize / 2);
    WaitBudget waits(0s);
    PageFindings findings;
    check_pages_read(file_, torn, 0, 0, waits, findings, {});
    EXPECT_TRUE(findings.bad.empty());
    EXPECT_TRUE(std::equal(torn.begin(), torn.end(), bytes_.begin())) << "the newest reading is what is kept";
}

}  // namespace
}  // namespace howdah::backup
