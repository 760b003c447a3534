// What an incremental reads of each file.
#include "backup/file_plan.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::backup {
namespace {

using postgres::BlockChanges;
using postgres::Fork;
using postgres::ForkKey;
using Kind = FilePlan::Kind;

constexpr std::uint64_t kPage = 8192;
const auto kPack = *repository::PackId::parse(std::string(32, 'a'));

ListedFile listed(const std::string& path, std::uint64_t size, bool relation = true, std::uint32_t first_block = 0) {
    ListedFile file;
    file.path = path;
    file.size = size;
    file.relation = relation;
    file.first_block = first_block;
    return file;
}

using Parent = std::vector<repository::FileEntry>;

Parent parent_of(const std::vector<ListedFile>& files) {
    Parent parent;
    for (const auto& file : files) {
        repository::FileEntry entry;
        entry.path = file.path;
        entry.size = file.size;
        if (file.size > 0) entry.extents.push_back({file.size, kPack, 0, 0});
        parent.push_back(entry);
    }
    return parent;
}

FilePlan plan(const ListedFile& now, const Parent& parent, const BlockChanges& changes) {
    const std::vector<ListedFile> files{now};
    FilePlanner planner(files, changes);
    for (const auto& then : parent) planner.add(then.path, then);
    return planner.take().front();
}

TEST(FilePlan, NamesAreTheWalsNames) {
    EXPECT_EQ(fork_of("base/5/16402"), (ForkKey{1663, 5, 16402, Fork::main}));
    EXPECT_EQ(fork_of("base/5/16402.3"), (ForkKey{1663, 5, 16402, Fork::main}));
    EXPECT_EQ(fork_of("base/5/16402_vm"), (ForkKey{1663, 5, 16402, Fork::visibility}));
    EXPECT_EQ(fork_of("global/1260_fsm"), (ForkKey{1664, 0, 1260, Fork::free_space}));
    EXPECT_EQ(fork_of("pg_tblspc/16400/PG_15_202209061/5/16402_init"), (ForkKey{16400, 5, 16402, Fork::init}));
    EXPECT_FALSE(fork_of("base/5/PG_VERSION"));
    EXPECT_FALSE(fork_of("pg_xact/0000"));
    EXPECT_FALSE(fork_of("PG_VERSION"));
    EXPECT_FALSE(fork_of(""));
}

TEST(FilePlan, KeepsWhatTheWalDoesNotName) {
    const auto file = listed("base/5/16402", 10 * kPage);
    const auto parent = parent_of({file});
    BlockChanges changes;
    EXPECT_TRUE(plan(file, parent, changes).keeps_all());
    changes.add({1663, 5, 16402, Fork::main}, {2, 3});
    changes.add({1663, 5, 16402, Fork::main}, {7, 9});
    changes.add({1663, 5, 16403, Fork::main}, {0, 10});
    const auto some = plan(file, parent, changes);
    EXPECT_EQ(some.kind, Kind::parts);
    EXPECT_EQ(some.read, (std::vector<ByteRange>{{2 * kPage, 3 * kPage}, {7 * kPage, 9 * kPage}}));
}

TEST(FilePlan, ReadsWhatIsBeyondTheParentsCopyAndFromTheLimitOn) {
    const auto now = listed("base/5/16402", 10 * kPage + 100);
    const auto grown = plan(now, parent_of({listed("base/5/16402", 6 * kPage + 50)}), {});
    EXPECT_EQ(grown.read, (std::vector<ByteRange>{{6 * kPage, 10 * kPage + 100}})) << "the page held in part is read again";
    BlockChanges changes;
    changes.cut({1663, 5, 16402, Fork::main}, 4);
    EXPECT_EQ(plan(now, parent_of({now}), changes).read, (std::vector<ByteRange>{{4 * kPage, 10 * kPage + 100}}));
    changes.cut({1663, 5, 16402, Fork::main}, 0);
    EXPECT_EQ(plan(now, parent_of({now}), changes).kind, Kind::whole);
    // Smaller than it was, by a truncation that lies behind the start.
    EXPECT_TRUE(plan(listed("base/5/16402", 3 * kPage), parent_of({listed("base/5/16402", 6 * kPage)}), {}).keeps_all());
}

TEST(FilePlan, ALaterSegmentsBlocksCountFromTheForksBeginning) {
    const auto now = listed("base/5/16402.1", 5 * kPage, true, 131072);
    const auto parent = parent_of({now});
    BlockChanges changes;
    changes.add({1663, 5, 16402, Fork::main}, {3, 4});
    EXPECT_TRUE(plan(now, parent, changes).keeps_all());
    changes.add({1663, 5, 16402, Fork::main}, {131073, 131074});
    EXPECT_EQ(plan(now, parent, changes).read, (std::vector<ByteRange>{{kPage, 2 * kPage}}));
}

TEST(FilePlan, ComparesWhatTheWalCannotTell) {
    const BlockChanges changes;
    for (const auto& file : {listed("base/5/16402_vm", kPage), listed("base/5/16402_fsm", 3 * kPage), listed("base/5/16402_init", 0),
                             listed("pg_xact/0000", kPage, false), listed("base/5/PG_VERSION", 3, false)})
        EXPECT_EQ(plan(file, parent_of({file}), changes).kind, Kind::compare) << file.path;
    const auto fresh = listed("base/5/99999", kPage);
    EXPECT_EQ(plan(fresh, parent_of({}), changes).kind, Kind::whole);
    BlockChanges replaced;
    replaced.replace({1663, 5});
    const auto file = listed("base/5/16402", 10 * kPage);
    EXPECT_EQ(plan(file, parent_of({file}), replaced).kind, Kind::whole);
    BlockChanges doubted;
    doubted.doubt({postgres::DoubtKind::minimal_level, "wal_level was minimal", {}});
    EXPECT_EQ(plan(file, parent_of({file}), doubted).kind, Kind::compare);
}

TEST(FilePlan, FindsTheFileOfEachPathInWhateverOrderTheyCome) {
    std::vector<ListedFile> files;
    for (const char* path : {"PG_VERSION", "base/1/100", "base/1/101", "base/10/7", "base/5/7", "global/1260"})
        files.push_back(listed(path, 4 * kPage));
    const BlockChanges changes;
    const auto planned = [&](const std::vector<std::string>& paths) {
        FilePlanner planner(files, changes);
        for (const auto& path : paths) planner.add(path, parent_of({listed(path, 4 * kPage)}).front());
        std::string known;
        for (const auto& plan : planner.take()) known += plan.stored_size > 0 ? '+' : '-';
        return known;
    };
    EXPECT_EQ(planned({"PG_VERSION", "base/1/100", "base/1/101", "base/10/7", "base/5/7", "global/1260"}), "++++++");
    EXPECT_EQ(planned({"global/1260", "base/5/7", "base/10/7", "base/1/101", "base/1/100", "PG_VERSION"}), "++++++");
    EXPECT_EQ(planned({"base/1/101", "base/1/1005", "zzz", "", "base/10/7", "base/1/99", "base/1/100"}), "-+++--");
    EXPECT_EQ(planned({}), "------");
}

TEST(FilePlan, HoldsWhereTheParentHasWhatIsKept) {
    const auto file = listed("base/5/16402", 10 * kPage);
    auto then = parent_of({file});
    then.front().bad_pages = {{3, 1, 2}};
    const auto kept = plan(file, then, {});
    ASSERT_EQ(kept.stored.size(), 1u);
    EXPECT_EQ(kept.stored[0].pack, kPack);
    EXPECT_EQ(kept.stored_size, 10 * kPage);
    EXPECT_EQ(kept.stored_bad_pages.size(), 1u);
}

}  // namespace
}  // namespace howdah::backup
