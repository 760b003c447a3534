#include "archive/setup.hpp"

#include <algorithm>

#include "archive/prove.hpp"
#include "archive/status.hpp"
#include "fixture.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;

class Setup : public test::ArchiveScenario {
protected:
    /// Every line of postgresql.auto.conf but comments, sorted: ALTER SYSTEM may reorder them.
    std::vector<std::string> written() const {
        std::vector<std::string> lines;
        const std::string text = base::read_file(data() / "postgresql.auto.conf");
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin && text[begin] != '#') lines.push_back(text.substr(begin, end - begin));
            begin = end + 1;
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }
};

TEST_F(Setup, ArchivesProvesAndPutsTheOldValuesBack) {
    auto scratch = options();
    scratch.settings.erase("archive_mode");
    scratch.settings.erase("archive_command");
    ASSERT_NO_FATAL_FAILURE(begin(scratch));
    postgres::Session(server_->conninfo()).query("ALTER SYSTEM SET archive_timeout = 1234");
    postgres::Session(server_->conninfo()).query("SELECT pg_reload_conf()");
    const auto before = written();

    const auto planned = howdah({"--dry-run", "wal", "setup"});
    EXPECT_EQ(planned.exit_code, 0) << planned.errors;
    EXPECT_EQ(written(), before);

    const auto first = howdah({"wal", "setup"});
    EXPECT_EQ(first.exit_code, 0) << first.errors;
    EXPECT_NE(first.output.find("estart"), std::string::npos) << first.output;
    server_->restart();
    const auto second = howdah({"wal", "setup"});
    EXPECT_EQ(second.exit_code, 0) << second.errors;

    const auto open = repository();
    const auto proof = [&] {
        postgres::Session asking = session();
        return prove_archiving(asking, WalArchive(open, area()), data(), std::chrono::minutes(1), {});
    }();
    EXPECT_TRUE(archived(proof.segment));

    const auto undone = howdah({"wal", "setup", "--undo"});
    EXPECT_EQ(undone.exit_code, 0) << undone.errors;
    EXPECT_EQ(written(), before);
    EXPECT_EQ(howdah({"wal", "setup", "--undo"}).exit_code, 1) << "nothing is left to undo";
}

TEST_F(Setup, AnotherToolsCommandIsRefusedUnlessForcedAndComesBack) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    postgres::Session asking = session();
    asking.query("ALTER SYSTEM SET archive_command = 'cp \"%p\" ''/somewhere/%f'''");
    asking.query("SELECT pg_reload_conf()");
    const auto before = written();
    EXPECT_EQ(howdah({"wal", "setup"}).exit_code, 1);
    EXPECT_EQ(written(), before);
    const auto forced = howdah({"wal", "setup", "--force"});
    EXPECT_EQ(forced.exit_code, 0) << forced.errors;
    EXPECT_NE(written(), before);
    EXPECT_EQ(howdah({"wal", "setup", "--undo"}).exit_code, 0);
    EXPECT_EQ(written(), before);
}

TEST_F(Setup, WhatSomebodyChangedSinceIsLeftAlone) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    ASSERT_EQ(howdah({"wal", "setup", "--force"}).exit_code, 0);
    postgres::Session(server_->conninfo()).query("ALTER SYSTEM SET archive_timeout = 77");
    ASSERT_EQ(howdah({"wal", "setup", "--undo"}).exit_code, 0);
    const auto lines = written();
    EXPECT_TRUE(std::find(lines.begin(), lines.end(), "archive_timeout = '77'") != lines.end());
}

TEST_F(Setup, WhatEndsAtTheNextRestartIsSetAgain) {
    auto scratch = options();
    scratch.settings.erase("archive_mode");
    scratch.settings.erase("archive_command");
    ASSERT_NO_FATAL_FAILURE(begin(scratch));
    ASSERT_EQ(howdah({"wal", "setup"}).exit_code, 0);
    server_->restart();
    ASSERT_EQ(howdah({"wal", "setup"}).exit_code, 0);
    const auto taken = howdah({"backup", "run"});
    ASSERT_EQ(taken.exit_code, 0) << taken.errors;
    EXPECT_EQ(howdah({"backup", "status"}).exit_code, 0);

    // archive_mode is on until the next restart, and nothing is archived.
    ASSERT_EQ(howdah({"wal", "setup", "--undo"}).exit_code, 0);
    ASSERT_EQ(session().value("SHOW archive_mode"), "on");
    const auto unprotected = howdah({"backup", "status"});
    EXPECT_EQ(unprotected.exit_code, 1) << unprotected.output;
    EXPECT_NE(unprotected.output.find("archive_command is empty"), std::string::npos) << unprotected.output;
    EXPECT_EQ(howdah({"wal", "status"}).exit_code, 1);
    const auto alone = howdah({"backup", "run"});
    EXPECT_EQ(alone.exit_code, 0) << alone.errors;
    EXPECT_NE(alone.output.find("archiving is off"), std::string::npos) << alone.output;
    {
        postgres::Session asking = session();
        asking.query("ALTER SYSTEM SET archive_command = 'false'");
        asking.query("SELECT pg_reload_conf()");
    }
    const auto ending = howdah({"backup", "status"});
    EXPECT_NE(ending.output.find("next restart"), std::string::npos) << ending.output;

    const auto again = howdah({"wal", "setup", "--force"});
    ASSERT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_NE(again.output.find("archive_mode"), std::string::npos) << again.output;
    server_->restart();
    EXPECT_EQ(session().value("SHOW archive_mode"), "on");
    const auto proven = howdah({"wal", "setup"});
    EXPECT_EQ(proven.exit_code, 0) << proven.errors;

    // Off by the running value too.
    ASSERT_EQ(howdah({"wal", "setup", "--undo"}).exit_code, 0);
    server_->restart();
    EXPECT_EQ(session().value("SHOW archive_mode"), "off");
    EXPECT_EQ(howdah({"backup", "status"}).exit_code, 1);
    EXPECT_EQ(howdah({"backup", "run"}).exit_code, 1);
}

TEST_F(Setup, AFailingArchiverIsReportedWithItsSegment) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));  // archive_command = false
    const auto open = repository();
    postgres::Session asking = session();
    try {
        prove_archiving(asking, WalArchive(open, area()), data(), std::chrono::seconds(10), {});
        FAIL() << "proven with archive_command = false";
    } catch (const base::Failure& failure) {
        EXPECT_FALSE(failure.hint().empty());
    }
}

TEST_F(Setup, StatusCountsWhatWaitsAndNamesGaps) {
    ASSERT_NO_FATAL_FAILURE(begin(options()));
    const auto names = switch_segments(4);
    const auto backlog = read_backlog(data());
    EXPECT_GE(backlog.ready, 4u);
    EXPECT_TRUE(backlog.oldest_age);
    const auto open = repository();
    WalArchive archive(open, area());
    repository::SealContext context;
    for (const std::string& name : {names[0], names[3]}) {
        const std::string bytes = base::read_file(pg_wal() / name);
        archive.put_segment(name, base::as_bytes(bytes), context);
    }
    postgres::Session asking = session();
    const WalStatus status = read_wal_status(&asking, archive, data(), std::chrono::milliseconds(50), {});
    ASSERT_EQ(status.gaps.size(), 1u);
    EXPECT_EQ(status.gaps[0].first.name(1u << 20), names[1]);
    EXPECT_EQ(status.gaps[0].last.name(1u << 20), names[2]);
    EXPECT_EQ(status.segment_size, 1u << 20);
    EXPECT_TRUE(status.wal_disk);
    EXPECT_GT(status.bytes_per_second, 0);
    EXPECT_GT(status.current, base::Lsn{});
    EXPECT_NE(howdah({"wal", "status"}).exit_code, 0) << "a gap is a finding";
}

}  // namespace
}  // namespace howdah::archive
