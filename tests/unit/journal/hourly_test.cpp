#include "journal/hourly.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "journal/journal.hpp"
#include "journal/schema.hpp"
#include "memory_folder.hpp"

namespace howdah::journal {
namespace {

using namespace std::chrono_literals;

class Hourly : public testing::Test {
protected:
    std::uint64_t total() const {
        std::uint64_t count = 0;
        for (const auto& entry : journal_.list(1000, "wal push"))
            count += nlohmann::json::parse(entry.figures).at("count").get<std::uint64_t>();
        return count;
    }
    std::size_t pending() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            count += entry.path().filename().string().starts_with("journal.pending.") ? 1 : 0;
        return count;
    }
    base::TemporaryDirectory folder_{"journal-test", memory_folder()};
    Journal journal_{folder_.path()};
};

TEST_F(Hourly, counts_are_summed_and_shown_before_they_are_chained) {
    for (int i = 0; i < 5; ++i) journal_.add_hourly("wal push", "main", 3, base::Bytes{100});
    journal_.add_hourly("wal push", "other", 1, base::Bytes{1});
    EXPECT_EQ(total(), 16U);
    for (const auto& entry : journal_.list(10)) {
        EXPECT_EQ(entry.number, 0U);
        EXPECT_EQ(entry.outcome, Outcome::running);
    }
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(Hourly, a_past_hour_becomes_one_chained_entry_with_the_next_append) {
    const auto past = hour_of(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())) - 3h;
    {
        const auto database = open_for_append(folder_.path(), 2s);
        Transaction transaction(*database);
        add_sum(*database, {"wal push", "main", past, 40, base::Bytes{400}});
        add_sum(*database, {"wal push", "main", past + 1h, 2, base::Bytes{20}});
        transaction.commit();
    }
    journal_.begin("backup run", "main", "store").finish(Outcome::done, "done");
    const auto entries = journal_.list(10, "wal push");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].number, 1U);
    EXPECT_EQ(entries[1].start, past);
    EXPECT_EQ(*entries[1].end, past + 1h);
    EXPECT_EQ(entries[1].figures, R"({"count":40,"bytes":400})");
    EXPECT_EQ(entries[1].outcome, Outcome::done);
    EXPECT_EQ(total(), 42U);
    EXPECT_TRUE(journal_.verify().empty());
}

TEST_F(Hourly, a_busy_database_is_never_waited_for_and_nothing_is_lost) {
    journal_.add_hourly("wal push", "main", 1, base::Bytes{1});
    {
        Database other(folder_.path() / "journal.db", 2s);
        Transaction held(other);
        const auto start = std::chrono::steady_clock::now();
        testing::internal::CaptureStderr();
        for (int i = 0; i < 3; ++i) journal_.add_hourly("wal push", "main", 10, base::Bytes{10});
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
        // A single wait for the lock would take two seconds.
        EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
        EXPECT_EQ(pending(), 3U);
    }
    journal_.add_hourly("wal push", "main", 100, base::Bytes{100});
    EXPECT_EQ(pending(), 0U);
    EXPECT_EQ(total(), 131U);
}

TEST_F(Hourly, figures_kept_aside_are_added_once_though_their_file_outlives_the_commit) {
    keep_pending(folder_.path(),
                 {"wal push", "main", hour_of(std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())), 5, {50}});
    {
        const auto database = open_for_append(folder_.path(), 2s);
        Transaction transaction(*database);
        PendingFold fold(folder_.path());
        fold.fold(*database);
        transaction.commit();
    }
    ASSERT_EQ(pending(), 1U);
    EXPECT_EQ(total(), 5U);
    journal_.add_hourly("wal push", "main", 1, base::Bytes{1});
    EXPECT_EQ(pending(), 0U);
    EXPECT_EQ(total(), 6U);
    journal_.add_hourly("wal push", "main", 1, base::Bytes{1});
    const auto database = open_for_reading(folder_.path(), 2s);
    EXPECT_EQ(database->integer("SELECT count(*) FROM folded"), 0);
}

TEST_F(Hourly, an_unreadable_kept_file_is_warned_of_and_removed) {
    base::write_file_durably(folder_.path() / "journal.pending.broken", "{\"key\":");
    testing::internal::CaptureStderr();
    journal_.add_hourly("wal push", "main", 1, base::Bytes{1});
    EXPECT_NE(testing::internal::GetCapturedStderr().find("journal.pending.broken"), std::string::npos);
    EXPECT_EQ(pending(), 0U);
    EXPECT_EQ(total(), 1U);
}

}  // namespace
}  // namespace howdah::journal
