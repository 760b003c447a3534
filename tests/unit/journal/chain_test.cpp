#include <gtest/gtest.h>

#include "base/file.hpp"
#include "journal/chain.hpp"
#include "journal/database.hpp"
#include "journal/journal.hpp"
#include "memory_folder.hpp"

namespace howdah::journal {
namespace {

using namespace std::chrono_literals;

/// A journal of five operations, ten rows, that a test then tampers with.
class Tampering : public testing::Test {
protected:
    Tampering() {
        for (int i = 0; i < 5; ++i) {
            auto operation = journal_.begin("backup run", "main", "main");
            operation.finish(Outcome::done, "backup " + std::to_string(i), R"({"bytes":1024})");
        }
    }
    void change(const std::string& sql) {
        Database database(folder_.path() / "journal.db", 2s);
        database.execute("PRAGMA synchronous = OFF; " + sql);
    }
    std::vector<std::string> problems() const { return journal_.verify(); }
    bool found(const std::string& text) const {
        for (const auto& problem : problems())
            if (problem.find(text) != std::string::npos) return true;
        return false;
    }

    base::TemporaryDirectory folder_{"journal-test", memory_folder()};
    Journal journal_{folder_.path()};
};

TEST_F(Tampering, an_untouched_chain_is_intact) { EXPECT_TRUE(problems().empty()); }

TEST_F(Tampering, each_changed_row_and_field_is_found) {
    for (const char* column :
         {"kind", "operation", "cluster", "repository", "outcome", "user", "host", "process", "message", "figures", "hash"})
        for (int number = 1; number <= 10; ++number) {
            const auto row = std::to_string(number);
            change("CREATE TABLE kept AS SELECT * FROM entry WHERE number = " + row);
            change(std::string("UPDATE entry SET ") + column + " = " + column + " || 'x' WHERE number = " + row);
            EXPECT_TRUE(found("entry " + row) || found("entry " + std::to_string(number + 1))) << column << " of " << row;
            change("DELETE FROM entry WHERE number = " + row + "; INSERT INTO entry SELECT * FROM kept; DROP TABLE kept");
            ASSERT_TRUE(problems().empty()) << "not put back: " << column << " of " << row;
        }
    for (const char* column : {"start_time", "end_time", "started_by"}) {
        change(std::string("UPDATE entry SET ") + column + " = " + column + " + 1 WHERE number = 3");
        EXPECT_TRUE(found("entry 3 ")) << column;
        change(std::string("UPDATE entry SET ") + column + " = " + column + " - 1 WHERE number = 3");
        ASSERT_TRUE(problems().empty()) << column;
    }
}

TEST_F(Tampering, a_row_rewritten_with_its_own_hash_breaks_the_next) {
    {
        Database database(folder_.path() / "journal.db", 2s);
        auto previous = database.prepare("SELECT hash FROM entry WHERE number = 3");
        ASSERT_TRUE(previous.step());
        auto select = database.prepare("SELECT " + row_columns("e") + " FROM entry e WHERE number = 4");
        ASSERT_TRUE(select.step());
        Row row = read_row(select);
        row.message = "all went well";
        auto update = database.prepare("UPDATE entry SET message = ?1, hash = ?2 WHERE number = 4");
        update.bind(1, row.message).bind(2, hash_of(row, previous.text(0)));
        while (select.step()) {
        }
        while (previous.step()) {
        }
        update.step();
    }
    EXPECT_TRUE(found("entry 5 "));
}

TEST_F(Tampering, each_deleted_row_is_found) {
    for (int number = 1; number <= 10; ++number) {
        const auto row = std::to_string(number);
        change("CREATE TABLE kept AS SELECT * FROM entry WHERE number = " + row + "; DELETE FROM entry WHERE number = " + row);
        EXPECT_FALSE(problems().empty()) << row;
        change("INSERT INTO entry SELECT * FROM kept; DROP TABLE kept");
        ASSERT_TRUE(problems().empty()) << row;
    }
}

TEST_F(Tampering, removed_newest_rows_are_found_by_either_head) {
    change("DELETE FROM entry WHERE number > 8");
    EXPECT_TRUE(found("newest entries were removed"));
    change("UPDATE head SET (number, hash) = (SELECT number, hash FROM entry WHERE number = 8)");
    EXPECT_TRUE(found("journal.head remembers 10"));
    journal_.begin("backup run", "main", "main").finish(Outcome::done, "", "{}");
    EXPECT_TRUE(found("entry 10 (backup run) is another one than journal.head remembers"));
}

TEST_F(Tampering, appending_behind_a_removed_row_keeps_the_evidence) {
    change("DELETE FROM entry WHERE number > 9");
    journal_.begin("backup run", "main", "main").finish(Outcome::done, "", "{}");
    EXPECT_TRUE(found("entry 10 is missing"));
}

TEST_F(Tampering, inserted_rows_are_found) {
    change(
        "INSERT INTO entry SELECT 11, 'start', 0, start_time, 0, operation, cluster, repository, outcome, user, host, process, message, figures, hash"
        " FROM entry WHERE number = 1");
    EXPECT_TRUE(found("entry 11 "));
    change("DELETE FROM entry WHERE number = 11");
    ASSERT_TRUE(problems().empty());
    change(
        "UPDATE entry SET number = number + 100 WHERE number >= 5; UPDATE entry SET number = number - 99 WHERE number > 100;"
        "INSERT INTO entry SELECT 5, 'start', 0, start_time, 0, operation, cluster, repository, outcome, user, host, process, message, figures, hash"
        " FROM entry WHERE number = 1");
    EXPECT_TRUE(found("entry 5 "));
}

TEST_F(Tampering, reordered_rows_are_found) {
    change(
        "UPDATE entry SET number = 100 WHERE number = 3; UPDATE entry SET number = 3 WHERE number = 5; UPDATE entry SET number = 5 WHERE number = 100");
    EXPECT_TRUE(found("entry 3 "));
    EXPECT_TRUE(found("entry 5 "));
}

TEST_F(Tampering, a_removed_or_emptied_database_is_found) {
    std::filesystem::resize_file(folder_.path() / "journal.db", 0);
    EXPECT_TRUE(found("all entries were removed"));
    std::filesystem::remove(folder_.path() / "journal.db");
    EXPECT_TRUE(found("all entries were removed"));
    journal_.begin("backup run", "main", "main").finish(Outcome::done, "", "{}");
    EXPECT_TRUE(found("begun anew"));
}

TEST_F(Tampering, a_trigger_planted_in_the_file_never_runs) {
    change("CREATE TRIGGER quiet AFTER INSERT ON entry BEGIN UPDATE entry SET outcome = 'done' WHERE number = new.number; END");
    journal_.begin("backup run", "main", "main").finish(Outcome::failed, "disk full", "{}");
    EXPECT_TRUE(problems().empty());
    EXPECT_EQ(journal_.list(1).at(0).outcome, Outcome::failed);
}

// The figures were computed with Python's hashlib by the description in chain.hpp.
TEST(Chain, hash_is_the_documented_one) {
    Row row;
    row.number = 7;
    row.kind = "end";
    row.started_by = 6;
    row.start_time = 1763686923456789;
    row.end_time = 1763686924000000;
    row.operation = "backup run";
    row.cluster = "main";
    row.repository = "store";
    row.outcome = "done";
    row.user = "postgres";
    row.host = "db1";
    row.process = "b:1:2";
    row.message = "ä";
    row.figures = "{}";
    EXPECT_EQ(hash_of(row, kFirstHash), "def28bced6d558d481c7bfab0339a2e869daa9f07243aeb494e4c537e0154e09");
}

}  // namespace
}  // namespace howdah::journal
