// T11: pages that are wrong, and pages that only look so.
#include <fcntl.h>
#include <fmt/core.h>

#include <array>
#include <cstring>
#include <thread>

#include "base/file.hpp"
#include "fixture.hpp"
#include "postgres/page.hpp"

namespace howdah::tests {
namespace {

using postgres::kBlockSize;
using Page = std::array<std::byte, kBlockSize>;

Page read_page(const base::File& file, std::uint32_t block) {
    Page page;
    EXPECT_EQ(file.read_at(page, std::uint64_t{block} * kBlockSize), kBlockSize);
    return page;
}

TEST(Trap, T11_verify) {
    ProtectedServer protectee;
    const auto path = make_shop(protectee, 5000);
    const auto file = base::File::open(path, O_RDWR);
    auto page = read_page(file, 3);
    page[5000] ^= std::byte{0x20};
    file.write_at(page, 3 * kBlockSize);

    const auto backup = protectee.howdah_json({"backup", "run"}, 1);
    EXPECT_FALSE(backup["ok"]);
    ASSERT_EQ(backup["bad_pages"].size(), 1u);
    const auto relation = std::filesystem::relative(path, protectee.server().data_directory()).string();
    EXPECT_EQ(backup["bad_pages"][0], fmt::format("{} block 3: checksum {:04x} expected, {:04x} found", relation,
                                                  postgres::page_checksum(page, 3), postgres::page_stored_checksum(page)));
    const auto list = protectee.howdah_json({"backup", "list"});
    ASSERT_EQ(list["backups"].size(), 1u);
    EXPECT_EQ(list["backups"][0]["state"], "1 bad pages");
}

/// Rewrites pages as a server under load does: other bytes each time, and each page torn for as long as its second half is missing.
class Rewriter {
public:
    Rewriter(const std::filesystem::path& path, std::uint32_t pages) : file_(base::File::open(path, O_RDWR)) {
        for (std::uint32_t block = 0; block < pages; ++block) pages_.push_back(read_page(file_, block));
        thread_ = std::jthread([this](const std::stop_token& stop) {
            while (!stop.stop_requested()) rewrite();
        });
    }

private:
    void rewrite() {
        ++round_;
        for (std::uint32_t block = 0; block < pages_.size(); ++block) {
            auto& page = pages_[block];
            std::memcpy(page.data() + kBlockSize - 64, &round_, sizeof round_);
            const std::uint16_t sum = postgres::page_checksum(page, block);
            std::memcpy(page.data() + 8, &sum, sizeof sum);
            file_.write_at(std::span(page).first(kBlockSize / 2), std::uint64_t{block} * kBlockSize);
        }
        for (std::uint32_t block = 0; block < pages_.size(); ++block)
            file_.write_at(std::span(pages_[block]).last(kBlockSize / 2), std::uint64_t{block} * kBlockSize + kBlockSize / 2);
    }

    base::File file_;
    std::vector<Page> pages_;
    std::uint64_t round_ = 0;
    std::jthread thread_;
};

TEST(Trap, T11_reread) {
    ProtectedServer protectee;
    const auto path = make_shop(protectee, 20000);
    const Rewriter rewriter(path, 250);
    const auto backup = protectee.howdah_json({"backup", "run"});
    EXPECT_TRUE(backup["ok"]);
    EXPECT_EQ(backup["bad_pages"].size(), 0u) << backup["bad_pages"].dump();
}

}  // namespace
}  // namespace howdah::tests
