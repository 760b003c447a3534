#include "repository/repair.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "repository/chain.hpp"
#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "repository/ledger.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

class RepairTest : public testing::Test {
protected:
    RepairTest() {
        for (unsigned segment = 1; segment <= 3; ++segment) write_segment(repository, segment);
        write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
        write_backup(repository, "b", {{"x", "2"}}, {2u << 20});
        say("expire", "a");
        collect_garbage(repository, {}, {});
        say("annotate", "b");
        say("pin", "a");
    }
    void say(const std::string& type, const std::string& id) {
        Event event;
        event.type = type;
        event.backup_id = id;
        append_event(repository, place.area(), event);
    }
    std::string newest(Kind kind, const std::string& prefix) {
        const Chain chain(repository, kind, prefix);
        return chain.link_name(chain.newest()->number);
    }
    /// As a disk damages it, an hour ago.
    void damage(const std::string& object) {
        const std::string bytes = base::read_file(place.root() / object);
        fs::remove(place.root() / object);
        base::write_file_durably(place.root() / object, bytes.substr(0, bytes.size() / 2));
        age(object);
    }
    void age(const std::string& object) {
        fs::last_write_time(place.root() / object, fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
    std::string verify() {
        base::Progress progress("verifying", {}, false);
        std::string found;
        for (const Damage& each : verify_objects(repository, {}, 1, progress, {}, {})) found += each.object + ": " + each.what + "\n";
        return found;
    }
    std::vector<std::string> repair() {
        std::vector<std::string> objects;
        for (const Damage& each : repair_chains(repository, false, {}).given_up) objects.push_back(each.object);
        return objects;
    }
    /// Everything that a damaged chain may stop.
    void work() {
        write_backup(repository, "c", {{"x", "3"}}, {3u << 20});
        say("annotate", "c");
        collect_garbage(repository, {}, {});
    }
    void expect_stopped() {
        try {
            work();
            ADD_FAILURE() << "damage was passed over";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.kind(), FailureKind::operation);
            EXPECT_NE(failure.hint().find("howdah repo repair"), std::string::npos) << failure.text();
        }
    }

    Place place{true};
    Repository repository = place.open();
};

TEST_F(RepairTest, AWholeRepositoryNeedsNone) {
    ASSERT_EQ(verify(), "");
    EXPECT_TRUE(repair().empty());
    EXPECT_EQ(verify(), "");
}

TEST_F(RepairTest, EachChainGoesOnAfterItsNewestLinkIsDamaged) {
    const std::vector<std::pair<Kind, std::string>> chains{{Kind::ledger, kLedgerPrefix},
                                                           {Kind::lease, kRepositoryLease},
                                                           {Kind::doomed, kDoomedPrefix},
                                                           {Kind::lease, place.area().lease_prefix()},
                                                           {Kind::event, place.area().event_prefix()}};
    for (const auto& [kind, prefix] : chains) {
        const std::string object = newest(kind, prefix);
        SCOPED_TRACE(object);
        damage(object);
        EXPECT_NE(verify().find(object), std::string::npos);
        EXPECT_EQ(repair_chains(repository, true, {}).given_up.size(), 1u);
        EXPECT_NE(verify().find(object), std::string::npos) << "a dry run changed something";
        EXPECT_EQ(repair(), std::vector<std::string>{object});
        EXPECT_EQ(verify(), "");
        EXPECT_FALSE(fs::exists(place.root() / object));
        say("annotate", "b");
        collect_garbage(repository, {}, {});
        EXPECT_EQ(verify(), "");
    }
}

TEST_F(RepairTest, TheFailureNamesTheRepair) {
    damage(newest(Kind::ledger, kLedgerPrefix));
    expect_stopped();
    repair();
    say("annotate", "b");
}

TEST_F(RepairTest, LinksInTheMiddleAreGivenUpToo) {
    const Chain events(repository, Kind::event, place.area().event_prefix());
    damage(events.link_name(1));
    fs::remove(place.root() / events.link_name(2));
    EXPECT_THROW(read_events(repository, place.area()), Failure);
    EXPECT_EQ(repair().size(), 2u);
    const auto said = read_events(repository, place.area());
    ASSERT_EQ(said.size(), 2u);
    EXPECT_EQ(said[0].type, "pin");
    EXPECT_EQ(said[1].type, "repair");
    EXPECT_NE(said[1].text.find(events.link_name(1)), std::string::npos);
    // The expiry of the first backup was lost: it counts as kept, and nothing was removed.
    EXPECT_EQ(list_backups(repository).size(), 2u);
    EXPECT_EQ(verify(), "");
    say("expire", "b");
    EXPECT_EQ(verify(), "");
}

TEST_F(RepairTest, ALostPinDoesNotLetABackupGo) {
    damage(newest(Kind::event, place.area().event_prefix()));
    EXPECT_TRUE(repair_chains(repository, false, {}).events_lost);
    EXPECT_EQ(collect_garbage(repository, {.grace = std::chrono::seconds(0)}, {}).deleted, 0u);
    EXPECT_EQ(list_backups(repository).size(), 2u);
    say("unpin", "a");
    EXPECT_GT(collect_garbage(repository, {.grace = std::chrono::seconds(0)}, {}).deleted, 0u);
    EXPECT_EQ(verify(), "");
}

TEST_F(RepairTest, AMissingNewestEventIsNotReplaced) {
    const std::string object = newest(Kind::event, place.area().event_prefix());
    fs::remove(place.root() / object);
    EXPECT_THROW(say("annotate", "b"), Failure);
    EXPECT_EQ(repair(), std::vector<std::string>{object});
    say("annotate", "b");
    EXPECT_EQ(verify(), "");
}

TEST_F(RepairTest, NothingElseThatIsLostIsHidden) {
    fs::remove(place.root() / place.area().root("b"));
    fs::remove(place.root() / place.area().wal(segment_name(3)));
    damage(newest(Kind::ledger, kLedgerPrefix));
    damage(newest(Kind::event, place.area().event_prefix()));
    EXPECT_EQ(repair().size(), 2u);
    const std::string found = verify();
    EXPECT_NE(found.find("backup/b"), std::string::npos) << found;
    EXPECT_NE(found.find(segment_name(3)), std::string::npos) << found;
}

TEST_F(RepairTest, ADamagedLeaseThatMayBeHeldIsLeftAlone) {
    const Lease lease(repository, place.area().lease_prefix(), "backup run", {});
    const std::string object = newest(Kind::lease, place.area().lease_prefix());
    damage(object);
    fs::last_write_time(place.root() / object, fs::file_time_type::clock::now());
    try {
        repair();
        ADD_FAILURE() << "the lease of a live run was given up";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.kind(), FailureKind::locked);
    }
    age(object);
    EXPECT_EQ(repair(), std::vector<std::string>{object});
}

TEST_F(RepairTest, ALedgerWithoutAnyEntryBeginsAnew) {
    fs::remove_all(place.root() / "ledger");
    EXPECT_FALSE(repair().empty());
    EXPECT_EQ(verify(), "");
    work();
    EXPECT_EQ(verify(), "");
}

}  // namespace
}  // namespace howdah::repository::test
