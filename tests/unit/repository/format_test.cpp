#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

#include "repository/documents.hpp"
#include "repository/manifest.hpp"
#include "repository/names.hpp"
#include "repository/pack_reader.hpp"
#include "repository/varint.hpp"
#include "repository/wal_trailer.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

using base::Failure;

PackId pack_id(char c) { return *PackId::parse(std::string(32, c)); }

Tree sample_tree() {
    Tree tree;
    FileEntry file;
    file.path = "base/5/16384";
    file.size = 600'000;
    file.modified_us = -5;
    file.extents = {{300'000, pack_id('a'), 7, 12}, {100'000, {}, 0, 0}, {200'000, pack_id('b'), 0, 262'143}};
    file.bad_pages = {{17, 0x1234, 0xFEDC}};
    tree.entries.push_back(file);
    FileEntry folder;
    folder.type = EntryType::directory;
    folder.mode = 0700;
    tree.entries.push_back(folder);
    FileEntry link;
    link.path = "pg_tblspc/16400";
    link.type = EntryType::symlink;
    link.target = "/srv/space";
    tree.entries.push_back(link);
    FileEntry mapped;
    mapped.path = "mapped";
    mapped.size = 1u << 30;
    mapped.map = std::string(32, 'c');
    tree.entries.push_back(mapped);
    FileEntry empty;
    empty.path = "empty\xff";
    tree.entries.push_back(empty);
    return tree;
}

std::string sample_root() {
    Root root;
    root.id = "20261121T000000Z-0001";
    root.system_identifier = kSystem;
    root.timeline = {1};
    root.start = {0x1000028};
    root.backup_label = "LABEL: \xff\xfe\n";
    root.trees = {{"base/5", std::string(32, 'd'), 3, {5}}};
    root.tablespaces = {{16400, "space", "/srv/space"}};
    root.outside = {{"/etc/postgresql/15/main/postgresql.conf", "1", "config_file"}};
    return encode_root(root);
}

/// A decoder must answer or throw Failure for whatever bytes it gets; the sanitizers watch the rest.
void mutate(const std::string& whole, unsigned rounds, const std::function<void(const std::string&)>& decode) {
    std::mt19937 random(17);
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_THROW(decode(whole.substr(0, length)), Failure) << "cut to " << length;
    EXPECT_THROW(decode(whole + "x"), Failure);
    for (unsigned i = 0; i < rounds; ++i) {
        std::string changed = whole;
        for (unsigned k = 0; k <= random() % 4; ++k) changed[random() % changed.size()] = static_cast<char>(random());
        try {
            decode(changed);
        } catch (const Failure&) {
            // Refused, as it should be most times.
        }
    }
}

TEST(TreeFormat, ComesBackSorted) {
    const Tree tree = decode_tree(encode_tree(sample_tree()), "t");
    ASSERT_EQ(tree.entries.size(), 5u);
    EXPECT_EQ(tree.entries[0].path, "");
    EXPECT_EQ(tree.entries[0].mode, 0700u);
    const FileEntry& file = tree.entries[1];
    EXPECT_EQ(file.path, "base/5/16384");
    EXPECT_EQ(file.modified_us, -5);
    ASSERT_EQ(file.extents.size(), 3u);
    EXPECT_EQ(file.extents[0].pack, pack_id('a'));
    EXPECT_EQ(file.extents[0].frame, 7u);
    EXPECT_TRUE(file.extents[1].pack.empty());
    EXPECT_EQ(file.extents[2].position, 262'143u);
    ASSERT_EQ(file.bad_pages.size(), 1u);
    EXPECT_EQ(file.bad_pages[0].found, 0xFEDC);
    EXPECT_EQ(tree.entries[2].path, "empty\xff");
    EXPECT_EQ(tree.entries[3].map, std::string(32, 'c'));
    EXPECT_EQ(tree.entries[4].target, "/srv/space");
}

TEST(TreeFormat, RefusesPathsThatLeaveTheirFolder) {
    for (const char* path : {"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", ".."}) {
        Tree tree;
        tree.entries.emplace_back().path = path;
        EXPECT_THROW(encode_tree(tree), Failure) << path;
        std::string bytes("HTREE\x01", 6);
        bytes += std::string("\x00\x01", 2);
        put_string(bytes, path);
        bytes += std::string("\x00\x00\x00\x00\x00\x00\x00", 7);
        EXPECT_THROW(decode_tree(bytes, "t"), Failure) << path;
    }
}

TEST(TreeFormat, RefusesTwoEntriesOfOnePathAndWrongSizes) {
    Tree twice;
    twice.entries.resize(2);
    twice.entries[0].path = twice.entries[1].path = "x";
    EXPECT_THROW(encode_tree(twice), Failure);
    Tree wrong = sample_tree();
    wrong.entries[0].size += 1;
    EXPECT_THROW(encode_tree(wrong), Failure);
}

TEST(Decoders, SurviveWhateverTheyGet) {
    mutate(encode_tree(sample_tree()), 20'000, [](const std::string& bytes) { decode_tree(bytes, "t"); });
    mutate(encode_map(sample_tree().entries[0].extents), 20'000, [](const std::string& bytes) { decode_map(bytes, "m"); });
    mutate(sample_root(), 3'000, [](const std::string& bytes) { decode_root(bytes, "r"); });
    WalTrailer trailer;
    trailer.restore_points = {{"before", {5}, {}}};
    trailer.first_commit_time = base::Timestamp{};
    mutate(encode_wal_trailer(trailer), 3'000, [](const std::string& bytes) { decode_wal_trailer(bytes, "w"); });
    LedgerBody ledger;
    ledger.chains["lease/"] = {3, "ab"};
    ledger.areas["cluster/main/1/"].roots = {"x"};
    mutate(encode_ledger(ledger), 2'000, [](const std::string& bytes) { decode_ledger(bytes, "l"); });
}

TEST(RootDocument, KeepsEveryByteOfItsStrings) {
    const Root root = decode_root(sample_root(), "r");
    EXPECT_EQ(root.backup_label, "LABEL: \xff\xfe\n");
    EXPECT_EQ(root.start.value, 0x1000028u);
    EXPECT_EQ(root.outside[0].role, "config_file");
}

TEST(Names, SegmentsFollowEachOther) {
    EXPECT_EQ(next_segment("0000000100000000000000FE", 16u << 20), "0000000100000000000000FF");
    EXPECT_EQ(next_segment("0000000100000000000000FF", 16u << 20), "000000010000000100000000");
    EXPECT_EQ(next_segment("00000001000000000000003F", 64u << 20), "000000010000000100000000");
    EXPECT_EQ(next_segment("0000000200000000000003FF", 1u << 20), "000000020000000000000400");
}

TEST(Names, OnlyObjectsAreKnown) {
    for (const char* name : {"repository", "key/00000001", "lease/00000001", "ledger/123456789", "cluster/main/1/backup/x",
                             "cluster/main/1/event/00000007", "cluster/main/1/wal/00000001/00000000/000000010000000000000001.partial",
                             "cluster/main/1/wal/00000001/00000000/000000010000000000000001", "cluster/main/1/history/00000002.history"})
        EXPECT_TRUE(parse_object_name(name)) << name;
    for (const char* name : {"", "other", "key/1", "key/00000000", "key/012345678", "lease/0000000x", "cluster/main/01/backup/x",
                             "cluster/main/1/wal/00000001/00000001/000000010000000000000001", "cluster/main/1/tree/aa/bb",
                             "cluster/main/1/history/2.history", "cluster/main/1/other/x"})
        EXPECT_FALSE(parse_object_name(name)) << name;
}

class ObjectTest : public testing::TestWithParam<bool> {
protected:
    Place place{GetParam()};
    Repository repository = place.open();
    SealContext context;
};
INSTANTIATE_TEST_SUITE_P(Sealings, ObjectTest, testing::Bool(), [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(ObjectTest, FramesOfAllShapesComeBack) {
    std::mt19937_64 random(3);
    std::string noise(kFrameBytes, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    const std::vector<std::string> frames{"", "x", page_like(kFrameBytes, 1), noise, noise.substr(0, 100), page_like(1000, 2)};
    const std::string name = place.area().pack(std::string(32, 'a'));
    ObjectWriter writer(repository.store(), repository.key(), context, Kind::pack, name);
    for (int round = 0; round < 40; ++round)
        for (const std::string& frame : frames) writer.add_frame(base::as_bytes(frame));
    writer.add_frame(base::as_bytes(page_like(5'000'000, 3)), FrameClass::trailer);
    EXPECT_EQ(writer.commit(), storage::Created::yes);

    const ObjectReader reader(repository.store().open(name), repository.key(), Kind::pack, name);
    ASSERT_EQ(reader.directory().size(), 241u);
    EXPECT_EQ(reader.directory()[3].codec, Codec::stored);
    EXPECT_EQ(reader.directory()[2].codec, Codec::zstd);
    std::uint32_t expected = 0;
    reader.read_frames(0, 240, context, [&](std::uint32_t frame, std::span<const std::byte> plain) {
        EXPECT_EQ(frame, expected++);
        EXPECT_EQ(base::as_text(plain), frames[frame % frames.size()]);
    });
    EXPECT_EQ(expected, 240u);
    std::vector<std::byte> plain;
    reader.read_frame(240, context, plain);
    EXPECT_EQ(base::as_text(plain), page_like(5'000'000, 3));
    reader.authenticate(context);
    EXPECT_THROW(reader.read_frame(241, context, plain), Failure);
    EXPECT_THROW(writer.add_frame(base::as_bytes(std::string(kFrameBytes + 1, 'x'))), Failure);
}

TEST_P(ObjectTest, ADirectoryOfManyFramesIsRead) {
    const std::string name = place.area().pack(std::string(32, 'b'));
    ObjectWriter writer(repository.store(), repository.key(), context, Kind::pack, name);
    std::mt19937 random(4);
    for (unsigned i = 0; i < 60'000; ++i) writer.add_frame(base::as_bytes(std::string(random() % 60, static_cast<char>(i))));
    writer.commit();
    const ObjectReader reader(repository.store().open(name), repository.key(), Kind::pack, name);
    EXPECT_EQ(reader.directory().size(), 60'000u);
    reader.authenticate(context);
}

TEST_P(ObjectTest, AnotherKindOrNameDoesNotOpen) {
    write_document(repository.store(), repository.key(), Kind::tree, "a/tree", "content");
    EXPECT_THROW(read_document(repository.store(), repository.key(), Kind::map, "a/tree"), Failure);
    repository.store().put("a/other", base::as_bytes(*repository.store().get("a/tree")));
    EXPECT_THROW(read_document(repository.store(), repository.key(), Kind::tree, "a/other"), Failure);
    EXPECT_EQ(read_document(repository.store(), repository.key(), Kind::tree, "a/tree"), "content");
    EXPECT_EQ(read_document(repository.store(), repository.key(), Kind::tree, "a/none"), std::nullopt);
    write_document(repository.store(), repository.key(), Kind::history, "a/empty", "");
    EXPECT_EQ(read_document(repository.store(), repository.key(), Kind::history, "a/empty"), "");
}

TEST_P(ObjectTest, NothingLegibleIsStoredWhenEncrypted) {
    const std::string secret = "a most recognisable sentence about a customer";
    write_document(repository.store(), repository.key(), Kind::tree, "a/tree", secret);
    const bool legible = repository.store().get("a/tree")->find("recognisable") != std::string::npos;
    EXPECT_EQ(legible, !GetParam());
}

TEST_P(ObjectTest, RunsJoinAcrossFullFramesOnly) {
    PackWriter packs(repository, place.area(), 1);
    std::vector<Extent> large, small, zeros;
    const std::string content = page_like(3 * kFrameBytes + 5000, 9);
    for (std::size_t at = 0; at < content.size(); at += kFrameBytes) {
        const std::size_t part = std::min(kFrameBytes, content.size() - at);
        std::memcpy(packs.frame_space().data(), content.data() + at, part);
        packs.add_frame(part, large);
    }
    EXPECT_EQ(large.size(), 1u) << "one run over three full frames and a rest";
    const std::string piece = page_like(200'000, 10);
    for (int i = 0; i < 3; ++i) packs.add_small(base::as_bytes(piece), small);
    EXPECT_EQ(small.size(), 1u);
    EXPECT_EQ(small[0].frame, 4u);
    std::memset(packs.frame_space().data(), 0, kFrameBytes);
    packs.add_frame(kFrameBytes, zeros);
    packs.add_frame(100, zeros);
    ASSERT_EQ(zeros.size(), 1u);
    EXPECT_TRUE(zeros[0].pack.empty());
    EXPECT_EQ(zeros[0].length, kFrameBytes + 100);
    packs.finish();
    EXPECT_EQ(read_bytes(repository, place.area(), large, content.size()), content);
    EXPECT_EQ(read_bytes(repository, place.area(), small, 600'000), piece + piece + piece);
    EXPECT_EQ(read_bytes(repository, place.area(), zeros, kFrameBytes + 100), std::string(kFrameBytes + 100, '\0'));
}

TEST_P(ObjectTest, PiecesOfAnyOrderAreScattered) {
    PackWriter packs(repository, place.area(), 1);
    std::vector<Extent> extents;
    const std::string content = page_like(10 * kFrameBytes, 11);
    for (std::size_t at = 0; at < content.size(); at += kFrameBytes) {
        std::memcpy(packs.frame_space().data(), content.data() + at, kFrameBytes);
        packs.add_frame(kFrameBytes, extents);
    }
    packs.finish();
    std::mt19937 random(12);
    std::vector<Piece> pieces;
    for (std::uint32_t i = 0; i < 100; ++i) {
        const std::uint64_t at = random() % (content.size() - 400'000), length = 1 + random() % 400'000;
        pieces.push_back({static_cast<std::uint32_t>(at / kFrameBytes), static_cast<std::uint32_t>(at % kFrameBytes), length, i, at});
    }
    std::vector<std::uint64_t> got(100, 0);
    read_pieces(repository, place.area(), extents[0].pack, pieces, context,
                [&](std::uint32_t file, std::uint64_t offset, std::span<const std::byte> bytes) {
                    EXPECT_EQ(base::as_text(bytes), std::string_view(content).substr(offset, bytes.size()));
                    got[file] += bytes.size();
                });
    for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(got[i], pieces[i].length);
    EXPECT_THROW(read_pieces(repository, place.area(), extents[0].pack, {{10, 0, 1, 0, 0}}, context, {}), Failure);
    EXPECT_THROW(read_pieces(repository, place.area(), extents[0].pack, {{9, 0, kFrameBytes + 1, 0, 0}}, context, {}), Failure);
}

/// Whoever may write a repository without encryption writes its roots too.
TEST(Format, RootsWithPathsThatLeaveTheFolderAreRefused) {
    const auto decode = [](const std::string& tree, const std::string& stored) {
        Root root = decode_root(sample_root(), "r");
        root.trees = {{tree, std::string(32, 'a'), 1, {1}}};
        root.outside = {{"/etc/postgresql.conf", stored, "config_file"}};
        return decode_root(encode_root(root), "r");
    };
    EXPECT_NO_THROW(decode("", "etc/postgresql.conf"));
    EXPECT_NO_THROW(decode(kOutsideRoot, "etc/postgresql.conf"));
    EXPECT_NO_THROW(decode("pg_tblspc/16400/PG_15_202209061/5", "etc/postgresql.conf"));
    for (const char* bad : {"..", "//", "../x", "base/../../x", "/etc", "base//5", "base/.", "base/5/"}) {
        EXPECT_THROW(decode(bad, "etc/postgresql.conf"), Failure) << bad;
        EXPECT_THROW(decode("", bad), Failure) << bad;
    }
    EXPECT_THROW(decode("", ""), Failure);
}

}  // namespace
}  // namespace howdah::repository::test
