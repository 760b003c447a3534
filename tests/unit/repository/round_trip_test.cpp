#include <gtest/gtest.h>

#include "repository/event.hpp"
#include "repository/ledger.hpp"
#include "repository/pack_reader.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

class RoundTrip : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Sealings, RoundTrip, testing::Bool(), [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(RoundTrip, FilesOfABackupComeBackAsTheyWere) {
    const Place place(GetParam());
    const Files files = sample_files(1);
    {
        const Repository repository = place.open();
        write_backup(repository, "20261121T000000Z-0001", files, {1u << 20});
    }
    const Repository repository = place.open();
    EXPECT_EQ(repository.encrypted(), GetParam());
    const auto backups = list_backups(repository, "main");
    ASSERT_EQ(backups.size(), 1u);
    EXPECT_EQ(backups[0].damage, "");
    EXPECT_EQ(read_backup(repository, backups[0]), files);
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{});
}

TEST_P(RoundTrip, EachRootNamesTheOneBeforeIt) {
    const Place place(GetParam());
    const Repository repository = place.open();
    write_backup(repository, "a", {{"x", "1"}}, {1u << 20});
    write_backup(repository, "b", {{"x", "2"}}, {2u << 20});
    const auto backups = list_backups(repository);
    ASSERT_EQ(backups.size(), 2u);
    EXPECT_EQ(backups[0].root.previous_id, "");
    EXPECT_EQ(backups[1].root.previous_id, "a");
    EXPECT_EQ(backups[1].root.previous_hash, backups[0].hash);
    EXPECT_THROW(write_backup(repository, "b", {}, {2u << 20}), base::Failure);
}

TEST_P(RoundTrip, EventsBelongToTheirBackups) {
    const Place place(GetParam());
    const Repository repository = place.open();
    write_backup(repository, "one", {{"x", "1"}}, {1u << 20});
    Event pin;
    pin.type = "pin";
    pin.backup_id = "one";
    pin.text = "kept for the audit \xff";
    pin.until = base::Timestamp(std::chrono::seconds(2'000'000'000));
    append_event(repository, place.area(), pin);
    Event expire;
    expire.type = "expire";
    expire.backup_id = "one";
    append_event(repository, place.area(), expire);
    EXPECT_EQ(list_backups(repository).size(), 1u) << "a pin holds what has expired";
    Event unpin;
    unpin.type = "unpin";
    unpin.backup_id = "one";
    append_event(repository, place.area(), unpin);
    EXPECT_TRUE(list_backups(repository).empty());
    const auto backups = list_backups(repository, "main", true);
    ASSERT_EQ(backups.size(), 1u);
    ASSERT_EQ(backups[0].events.size(), 3u);
    EXPECT_EQ(backups[0].events[0].text, pin.text);
    EXPECT_EQ(backups[0].events[0].until, pin.until);
    EXPECT_FALSE(backups[0].events[0].user.empty());
    EXPECT_TRUE(backups[0].expired);
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{});
}

TEST(FindBackup, TakesAnUnambiguousPart) {
    const Place place(false);
    const Repository repository = place.open();
    write_backup(repository, "20261121T000000Z-00aa", {{"x", "1"}}, {1u << 20});
    write_backup(repository, "20261122T000000Z-00ab", {{"x", "2"}}, {2u << 20});
    EXPECT_EQ(find_backup(repository, "main", "00aa").root.id, "20261121T000000Z-00aa");
    EXPECT_EQ(find_backup(repository, "", "20261122").root.id, "20261122T000000Z-00ab");
    EXPECT_THROW(find_backup(repository, "main", "2026"), base::Failure);
    EXPECT_THROW(find_backup(repository, "main", "nothing"), base::Failure);
    EXPECT_THROW(find_backup(repository, "other", "00aa"), base::Failure);
}

}  // namespace
}  // namespace howdah::repository::test
