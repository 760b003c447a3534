#include "postgres/config_text.hpp"

#include <gtest/gtest.h>

namespace howdah::postgres {
namespace {

using Kind = FileReference::Kind;

std::string name_of(std::string_view line) { return parse_setting_line(line).value_or(SettingLine{"-", ""}).name; }
std::string value_of(std::string_view line) { return parse_setting_line(line).value_or(SettingLine{"", "-"}).value; }

TEST(ConfigText, NamesAreComparedWithoutRegardToCase) {
    EXPECT_EQ(name_of("Data_Directory = '/x'"), "data_directory");
    EXPECT_EQ(name_of("\thba_file='/x'"), "hba_file");
    EXPECT_EQ(name_of("work_mem 4MB # c"), "work_mem");
    EXPECT_EQ(name_of("  # comment"), "-");
    EXPECT_EQ(name_of(""), "-");
}

TEST(ConfigText, ValuesLoseTheirQuotes) {
    EXPECT_EQ(value_of("a = 'b c' # d"), "b c");
    EXPECT_EQ(value_of("a='it''s \\'x'"), "it's 'x");
    EXPECT_EQ(value_of("a = 5#c"), "5");
    EXPECT_EQ(value_of("a"), "");
}

TEST(ConfigText, SettingsNameOtherFiles) {
    const auto found =
        references_of_settings("INCLUDE 'one.conf'\ninclude_if_exists = two.conf\n#include 'no'\nwork_mem = '4MB'\ninclude_dir 'conf.d'");
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0].path, "one.conf");
    EXPECT_EQ(found[1].kind, Kind::file_if_exists);
    EXPECT_EQ(found[2].kind, Kind::folder);
    EXPECT_EQ(found[2].path, "conf.d");
}

TEST(ConfigText, RulesNameOtherFiles) {
    const auto found = references_of_rules(
        "local all all peer\nhost @dbs.txt,other +group,@\"my users\" 0.0.0.0/0 md5 # @none\n"
        "include \"more rules.conf\"\ninclude_dir rules.d\nlocal \"@quoted\" all trust\r\n");
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].path, "dbs.txt");
    EXPECT_EQ(found[0].kind, Kind::names);
    EXPECT_EQ(found[1].path, "my users");
    EXPECT_EQ(found[2].path, "more rules.conf");
    EXPECT_EQ(found[2].kind, Kind::file);
    EXPECT_EQ(found[3].kind, Kind::folder);
}

}  // namespace
}  // namespace howdah::postgres
