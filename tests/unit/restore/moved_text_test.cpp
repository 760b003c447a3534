#include "restore/moved_text.hpp"

#include <gtest/gtest.h>

namespace howdah::restore {
namespace {

const Moves kMoves{{"/etc/pg/postgresql.conf", "/data/postgresql.conf"},
                   {"/etc/pg/conf.d/a.conf", "/data/conf.d/a.conf"},
                   {"/etc/common.conf", "/data/outside/etc/common.conf"},
                   {"/etc/shared/b.conf", "/data/outside/etc/shared/b.conf"},
                   {"/etc/people", "/data/outside/etc/people"}};

std::string settings(const std::string& text) { return moved_settings(text, "/etc/pg/postgresql.conf", "/data/postgresql.conf", kMoves); }

TEST(MovedText, PlacesOfTheOldHostAreCommentedOutHoweverWritten) {
    EXPECT_EQ(settings("Data_Directory = '/var/x'\nwork_mem = 4MB\n"), "# before the restore: Data_Directory = '/var/x'\nwork_mem = 4MB\n");
    EXPECT_EQ(settings("hba_file='/etc/pg/pg_hba.conf'"), "# before the restore: hba_file='/etc/pg/pg_hba.conf'\n");
    EXPECT_EQ(settings("#hba_file = 'x'\nhba_files = 'x'\n"), "#hba_file = 'x'\nhba_files = 'x'\n");
}

TEST(MovedText, RelativePlacesInsideTheDataDirectoryStay) {
    const auto own = [](const std::string& text) { return moved_settings(text, "/data/postgresql.conf", "/data/postgresql.conf", kMoves); };
    for (const std::string line : {"hba_file = 'my_hba.conf'\n", "ident_file = 'rules/ident.conf'\n", "external_pid_file = 'pid'\n"})
        EXPECT_EQ(own(line), line);
    for (const std::string line : {"hba_file = '../my_hba.conf'\n", "hba_file = 'people'\n", "ident_file = '/old/ident.conf'\n"})
        EXPECT_EQ(own(line), "# before the restore: " + line) << "outside, or moved from there";
}

TEST(MovedText, IncludesFollowWhatTheyName) {
    EXPECT_EQ(settings("include '/etc/common.conf'\n"),
              "# before the restore: include '/etc/common.conf'\ninclude = 'outside/etc/common.conf'\n");
    EXPECT_EQ(settings("include '../common.conf'\n"),
              "# before the restore: include '../common.conf'\ninclude = 'outside/etc/common.conf'\n");
    EXPECT_EQ(settings("include_dir '/etc/shared'\n"),
              "# before the restore: include_dir '/etc/shared'\ninclude_dir = 'outside/etc/shared'\n");
    EXPECT_EQ(settings("include_dir 'conf.d'\ninclude '/elsewhere'\n"), "include_dir 'conf.d'\ninclude '/elsewhere'\n");
}

TEST(MovedText, RulesFollowTheirNames) {
    EXPECT_EQ(moved_rules("local all @/etc/people peer\nlocal all all peer\n", "/data/pg_hba.conf", "/data/pg_hba.conf", kMoves),
              "# before the restore: local all @/etc/people peer\nlocal all @outside/etc/people peer\nlocal all all peer\n");
}

}  // namespace
}  // namespace howdah::restore
