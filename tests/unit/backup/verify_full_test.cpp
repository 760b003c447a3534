// What --full and --sample find beyond the seals: damage that went in before a frame was sealed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "backup/manifest_writer.hpp"
#include "backup/verify.hpp"
#include "base/file.hpp"
#include "postgres/page.hpp"
#include "repository/initialise.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/object.hpp"
#include "repository/pack_writer.hpp"

namespace howdah::backup {
namespace {

using postgres::kBlockSize;
using repository::FileEntry;
using repository::kFrameBytes;

const base::SystemIdentifier kSystem{7301234567890123456};

std::vector<std::byte> pages(std::uint32_t count, std::uint32_t first_block) {
    std::vector<std::byte> bytes(std::size_t{count} * kBlockSize);
    for (std::uint32_t number = 0; number < count; ++number) {
        const auto page = std::span(bytes).subspan(std::size_t{number} * kBlockSize, kBlockSize);
        std::memset(page.data() + 24, static_cast<int>((first_block + number) % 200) + 1, kBlockSize - 24);
        const std::uint16_t lower = 28, upper = 8000, special = 8192, version = 0x2004;
        for (const auto& [at, value] : {std::pair{12, lower}, {14, upper}, {16, special}, {18, version}})
            std::memcpy(page.data() + at, &value, 2);
        const auto sum = postgres::page_checksum(page, first_block + number);
        std::memcpy(page.data() + 8, &sum, sizeof sum);
    }
    return bytes;
}

void spoil(std::vector<std::byte>& bytes, std::uint32_t page) { bytes[std::size_t{page} * kBlockSize + 5000] ^= std::byte{1}; }

class VerifyFull : public testing::Test {
protected:
    VerifyFull() {
        config_.name = "main";
        config_.url = "file://" + (folder_.path() / "repository").native();
        config_.key_file = folder_.path() / "key";
        repository::initialise(config_, true);
        repository_.emplace(repository::Repository::open(config_));
    }

    FileEntry small(repository::PackWriter& packs, const std::string& path, std::span<const std::byte> bytes) {
        FileEntry entry;
        entry.path = path;
        entry.size = bytes.size();
        packs.add_small(bytes, entry.extents);
        return entry;
    }
    FileEntry large(repository::PackWriter& packs, const std::string& path, std::span<const std::byte> bytes) {
        FileEntry entry;
        entry.path = path;
        entry.size = bytes.size();
        for (std::size_t at = 0; at < bytes.size(); at += kFrameBytes) {
            const auto part = bytes.subspan(at, std::min(kFrameBytes, bytes.size() - at));
            std::ranges::copy(part, packs.frame_space().begin());
            packs.add_frame(part.size(), entry.extents);
        }
        return entry;
    }
    /// A root of these entries; its WAL is not there, which verify tells too.
    void publish(const std::string& id, std::vector<FileEntry> entries, std::uint32_t checksums = 1) {
        repository::Lease lease(*repository_, area_.lease_prefix(), "backup run", {});
        repository::Root root;
        root.id = id;
        root.type = "full";
        root.cluster = "main";
        root.system_identifier = kSystem;
        root.timeline = {1};
        root.start = root.stop = {1u << 24};
        root.first_segment = root.last_segment = "000000010000000000000001";
        root.wal_segment_size = 16u << 20;
        root.block_size = kBlockSize;
        root.data_checksum_version = checksums;
        std::ranges::sort(entries, {}, &repository::FileEntry::path);
        ManifestWriter manifest(*repository_, area_);
        for (auto& entry : entries) manifest.add(std::move(entry));
        root.trees = manifest.finish().references;
        repository::publish_backup(*repository_, area_, root, [&] { lease.confirm(); });
        repository::write_ledger(*repository_);
    }
    /// Problems but for the WAL that these backups lack.
    std::vector<std::string> problems(const std::optional<repository::Share>& share = repository::Share()) {
        result_ = verify(*repository_, "", 2, {}, std::chrono::seconds(0), share);
        std::erase_if(result_.problems, [](const std::string& problem) { return problem.find("WAL segment") != problem.npos; });
        std::erase_if(result_.damage, [](const auto& damage) { return damage.object.find("/wal/") != damage.object.npos; });
        return result_.problems;
    }

    base::TemporaryDirectory folder_{"howdah-verify"};
    base::RepositoryConfig config_;
    std::optional<repository::Repository> repository_;
    repository::ClusterArea area_{"main", kSystem};
    VerifyResult result_;
};

TEST_F(VerifyFull, NamesBackupFileAndBlockOfAPageThatWasSealedBroken) {
    auto relation = pages(100, 131072), other = pages(3, 0);
    spoil(relation, 70);
    repository::PackWriter packs(*repository_, area_, 1);
    const auto shared = large(packs, "base/5/16384.1", relation);
    const auto good = small(packs, "base/5/16385_fsm", other);
    packs.finish();
    publish("first", {shared, good});
    publish("second", {shared});
    EXPECT_TRUE(problems(std::nullopt).empty()) << "its bytes are the ones that were stored";
    const auto found = problems();
    ASSERT_EQ(found.size(), 1u) << testing::PrintToString(found);
    EXPECT_EQ(found[0].substr(0, 60), "backup first, second: base/5/16384.1 block 131142: its check");
    EXPECT_TRUE(result_.damage.empty());
    EXPECT_FALSE(result_.good());
    EXPECT_EQ(result_.looked_into->pages, 103u) << "each page once, however many backups share it";
    EXPECT_EQ(result_.looked_into->frames, result_.looked_into->frames_total);
}

TEST_F(VerifyFull, LeavesOutNewPagesRecordedOnesAndWhatIsNotMadeOfPages) {
    auto relation = pages(64, 0);
    spoil(relation, 5);
    spoil(relation, 40);
    std::memset(relation.data() + 7 * kBlockSize, 0, kBlockSize);
    auto text = pages(2, 0);
    spoil(text, 1);
    repository::PackWriter packs(*repository_, area_, 1);
    auto entry = large(packs, "global/1260", relation);
    entry.bad_pages = {{5, 1, 2}, {40, 3, 4}};
    const auto log = small(packs, "pg_xact/0000", text), outside = small(packs, "base/5/pg_filenode.map", text);
    packs.finish();
    publish("first", {entry, log, outside});
    EXPECT_TRUE(problems().empty()) << testing::PrintToString(result_.problems);
    EXPECT_EQ(result_.looked_into->pages, 64u);
}

TEST_F(VerifyFull, ChecksPagesThatLieInTwoFrames) {
    repository::PackWriter packs(*repository_, area_, 1);
    std::vector<FileEntry> entries{small(packs, "PG_VERSION", base::as_bytes(std::string_view("15\n")))};
    for (unsigned number = 0; number < 40; ++number) {
        auto relation = pages(4, 0);
        if (number == 7) spoil(relation, 3);  // The 32nd page of the first frame, which begins three bytes late.
        entries.push_back(small(packs, "base/5/" + std::to_string(20000 + number), relation));
    }
    packs.finish();
    publish("first", entries);
    const auto found = problems();
    ASSERT_EQ(found.size(), 1u) << testing::PrintToString(found);
    EXPECT_EQ(found[0].substr(0, 40), "backup first: base/5/20007 block 3: its ");
    EXPECT_EQ(result_.looked_into->pages, 160u);
}

TEST_F(VerifyFull, CountsBackupsWhosePagesNothingCanCheck) {
    auto relation = pages(4, 0);
    spoil(relation, 2);
    repository::PackWriter packs(*repository_, area_, 1);
    const auto entry = small(packs, "base/5/16384", relation);
    packs.finish();
    publish("first", {entry}, 0);
    EXPECT_TRUE(problems().empty());
    EXPECT_EQ(result_.looked_into->pages, 0u);
    EXPECT_EQ(result_.looked_into->without_checksums, 1u);
}

TEST_F(VerifyFull, FindsABlockHashThatIsNotItsBytes) {
    const auto id = *repository::PackId::parse(std::string(32, 'a'));
    const auto bytes = pages(32, 0);
    {
        repository::SealContext context;
        repository::ObjectWriter writer(repository_->store(), repository_->key(), context, repository::Kind::pack, area_.pack(id));
        writer.add_frame(bytes);
        std::vector<std::uint64_t> hashes;
        for (std::size_t at = 0; at < bytes.size(); at += kBlockSize)
            hashes.push_back(repository_->key().block_hash(std::span(bytes).subspan(at, kBlockSize)));
        ++hashes[9];
        writer.add_frame(std::as_bytes(std::span(hashes)), repository::FrameClass::block_hashes);
        writer.commit();
    }
    FileEntry entry;
    entry.path = "base/5/16384";
    entry.size = bytes.size();
    entry.extents = {{bytes.size(), id, 0, 0}};
    publish("first", {entry});
    EXPECT_TRUE(problems(std::nullopt).empty());
    EXPECT_TRUE(result_.damage.empty());
    const auto found = problems();
    ASSERT_EQ(result_.damage.size(), 1u);
    EXPECT_NE(result_.damage[0].what.find("frame 0 differs from its block hash at byte 73728"), std::string::npos);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].substr(0, 50), "backup first: base/5/16384 block 9: cannot be had:");
}

TEST_F(VerifyFull, GoesOnAfterADamagedFrameAndNamesTheFilesInIt) {
    const auto relation = pages(96, 0);
    repository::PackWriter packs(*repository_, area_, 1);
    const auto entry = large(packs, "base/5/16384", relation);
    packs.finish();
    publish("first", {entry});
    const auto path = folder_.path() / "repository" / area_.pack(entry.extents[0].pack);
    auto stored = base::read_file(path);
    stored[100] = static_cast<char>(stored[100] ^ 1);
    std::filesystem::remove(path);
    base::write_file_durably(path, stored);
    const auto found = problems();
    ASSERT_EQ(found.size(), 1u) << testing::PrintToString(found);
    EXPECT_EQ(found[0], "backup first: base/5/16384 blocks 0 to 31: cannot be had: frame 0 does not authenticate");
    EXPECT_EQ(result_.looked_into->pages, 64u);
}

TEST_F(VerifyFull, ASampleIsTheSameForTheSameSeedAndAboutAsLargeAsAskedFor) {
    repository::PackWriter packs(*repository_, area_, 1);
    std::vector<FileEntry> entries;
    for (unsigned number = 0; number < 20; ++number) {
        auto relation = pages(320, 0);
        for (std::uint32_t page = 0; page < 320; page += 32) spoil(relation, page);
        entries.push_back(large(packs, "base/5/" + std::to_string(20000 + number), relation));
    }
    packs.finish();
    publish("first", entries);
    const auto one = problems(repository::Share(20, 7));
    EXPECT_GT(one.size(), 15u);
    EXPECT_LT(one.size(), 70u);
    EXPECT_EQ(result_.looked_into->pages, one.size() * 32) << "every frame has one broken page";
    EXPECT_EQ(problems(repository::Share(20, 7)), one);
    EXPECT_NE(problems(repository::Share(20, 8)), one);
    EXPECT_EQ(problems(repository::Share(100, 8)).size(), 200u);
}

}  // namespace
}  // namespace howdah::backup
