#include "repository/ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "repository/chain.hpp"
#include "repository/documents.hpp"
#include "repository/event.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;

class LedgerTest : public testing::Test {
protected:
    LedgerTest() {
        write_segment(repository, 1);
        write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
        write_document(repository.store(), repository.key(), Kind::history, place.area().history("00000002.history"), "1\t0/300000\tx\n");
        write_ledger(repository);
    }
    LedgerBody newest() {
        const Chain chain(repository, Kind::ledger, kLedgerPrefix);
        return decode_ledger(chain.newest()->body, "newest");
    }
    LedgerArea area() { return newest().areas.at(place.area().prefix()); }
    void say(const std::string& type) {
        Event event;
        event.type = type;
        event.backup_id = "a";
        append_event(repository, place.area(), event);
    }

    Place place{true};
    Repository repository = place.open();
};

TEST_F(LedgerTest, RemovedWalTakesNoHistoryFromTheBooks) {
    fs::remove(place.root() / place.area().history("00000002.history"));
    write_ledger(repository, LedgerChange::wal_removed);
    EXPECT_EQ(area().histories, std::vector<std::string>{"00000002.history"});
    EXPECT_EQ(compare_ledger(repository).size(), 1u);
}

TEST_F(LedgerTest, ForeignNamesOfAnOldEntryAreNoLoss) {
    LedgerBody body = newest();
    LedgerArea& said = body.areas.at(place.area().prefix());
    said.histories.insert(said.histories.begin(), ".nfs0001");
    said.histories.push_back("notes.txt");
    said.roots.insert(said.roots.begin(), ".nfs0002");
    Chain(repository, Kind::ledger, kLedgerPrefix).append_anywhere([&](const std::optional<Link>&) { return encode_ledger(body); });
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{});
    write_ledger(repository);
    EXPECT_EQ(area().histories, std::vector<std::string>{"00000002.history"});
    EXPECT_EQ(area().roots, std::vector<std::string>{"a"});
}

TEST_F(LedgerTest, AnExpiredBackupMayGoUnlessItIsPinned) {
    say("expire");
    say("pin");
    fs::remove(place.root() / place.area().root("a"));
    EXPECT_EQ(compare_ledger(repository).size(), 1u);
    write_ledger(repository);
    EXPECT_EQ(compare_ledger(repository).size(), 1u);
    say("unpin");
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{}) << "gc removes the root before it writes the books";
    write_ledger(repository);
    EXPECT_TRUE(area().roots.empty());
}

TEST_F(LedgerTest, ALinkInThePlaceOfTheNewestStaysOnTheBooks) {
    const Chain chain(repository, Kind::event, place.area().event_prefix());
    say("annotate");
    const std::string before = newest().chains.at(chain.prefix()).hash;
    fs::remove(place.root() / chain.link_name(1));
    Chain(repository, Kind::event, place.area().event_prefix()).append(std::nullopt, "{}");
    write_ledger(repository);
    EXPECT_EQ(newest().chains.at(chain.prefix()).hash, before);
    EXPECT_EQ(compare_ledger(repository).size(), 1u);
}

TEST_F(LedgerTest, ASlotThatWasRewrittenIsKnownByItsNewLine) {
    const fs::path slot = place.root() / "key/00000001";
    const std::string line = base::read_file(slot);
    fs::remove(slot);
    base::write_file_durably(slot, line.substr(0, line.size() - 2) + "x\n");
    EXPECT_EQ(compare_ledger(repository).size(), 1u);
    write_ledger(repository);
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{});
}

}  // namespace
}  // namespace howdah::repository::test
