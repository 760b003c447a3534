#include "postgres/backup_label.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/failure.hpp"
#include "real_server.hpp"

namespace howdah::postgres {
namespace {

const std::string kLabel =
    "START WAL LOCATION: A/F3000028 (file 000000020000000A000000F3)\n"
    "CHECKPOINT LOCATION: A/F3000060\n"
    "BACKUP METHOD: streamed\n"
    "BACKUP FROM: primary\n"
    "START TIME: 2026-11-21 01:02:03 UTC\n"
    "LABEL: nightly\n"
    "START TIMELINE: 2\n";

std::string without(std::string text, const std::string& key) {
    const auto begin = text.find(key);
    return text.erase(begin, text.find('\n', begin) + 1 - begin);
}

std::string failure_of(const std::string& text) {
    try {
        parse_backup_label(text);
    } catch (const base::Failure& failure) {
        return failure.what();
    }
    return "none";
}

TEST(BackupLabel, Fields) {
    const BackupLabel label = parse_backup_label(kLabel);
    EXPECT_EQ("A/F3000028", base::text(label.start));
    EXPECT_EQ("000000020000000A000000F3", label.start_segment);
    EXPECT_EQ("A/F3000060", base::text(label.checkpoint));
    EXPECT_EQ(2u, label.timeline.value);
    EXPECT_FALSE(label.from_standby);
    std::string standby = kLabel;
    standby.replace(standby.find("primary"), 7, "standby");
    EXPECT_TRUE(parse_backup_label(standby + "INCREMENTAL FROM LSN: 0/28\nINCREMENTAL FROM TLI: 1\n").from_standby);
}

TEST(BackupLabel, MissingAndMalformedLinesAreNamed) {
    for (const std::string key : {"START WAL LOCATION", "CHECKPOINT LOCATION", "BACKUP FROM", "START TIMELINE"})
        EXPECT_EQ("backup_label is incomplete: no line \"" + key + "\"", failure_of(without(kLabel, key)));
    EXPECT_EQ("backup_label is incomplete: no line \"START WAL LOCATION\"", failure_of(""));
    for (const auto& [from, to] : {std::pair{"A/F3000028 ", "A-F3000028 "},
                                   {"(file 0", "(file "},
                                   {"F3)", "F3"},
                                   {"A/F3000060", ""},
                                   {"primary", "elsewhere"},
                                   {"TIMELINE: 2", "TIMELINE: 2x"},
                                   {"TIMELINE: 2", "TIMELINE: 3"}}) {
        std::string text = kLabel;
        text.replace(text.find(from), std::string(from).size(), to);
        EXPECT_TRUE(failure_of(text).starts_with("backup_label is malformed: ")) << failure_of(text);
    }
}

TEST(BackupLabel, LabelTextCannotPassForALine) {
    std::string text = kLabel;
    text.replace(text.find("nightly"), 7, "x\nSTART TIMELINE: 9\nSTART WAL LOCATION: 0/28 (file 000000090000000000000000)");
    EXPECT_TRUE(failure_of(text).starts_with("backup_label is malformed: \"START TIMELINE: 9\""));
}

TEST(TablespaceMap, RoundTripWithEscapes) {
    const std::vector<TablespaceMapEntry> entries{
        {16400, "/plain"}, {16401, "/with space"}, {16402, "/new\nline"}, {16403, "/back\\slash\r"}};
    const std::string text = write_tablespace_map(entries);
    EXPECT_EQ("16400 /plain\n16401 /with space\n16402 /new\\\nline\n16403 /back\\\\slash\\\r\n", text);
    const auto parsed = parse_tablespace_map(text);
    ASSERT_EQ(entries.size(), parsed.size());
    for (std::size_t number = 0; number < entries.size(); ++number) {
        EXPECT_EQ(entries[number].oid, parsed[number].oid);
        EXPECT_EQ(entries[number].path, parsed[number].path);
    }
    EXPECT_TRUE(parse_tablespace_map("").empty());
    for (const char* bad : {"16400\n", "x /path\n", "16400 \n", "16400 /path\\", "99999999999 /path\n"})
        EXPECT_THROW(parse_tablespace_map(bad), base::Failure) << bad;
}

TEST(BackupLabel, OfARealServer) {
    const testing::RealServer server(1);
    const std::string folder = server.make_folder("a space");
    server.sql(fmt::format("create tablespace space location '{}'", folder));
    const bool renamed = server.major() >= 15;
    const std::string rows = server.sql(fmt::format(
        "select {}; select '@' || replace(labelfile, E'\\n', '~') || '@' || replace(spcmapfile, E'\\n', '~') || '@' || lsn from {};",
        renamed ? "pg_backup_start('the label', true)" : "pg_start_backup('the label', true, false)",
        renamed ? "pg_backup_stop(false)" : "pg_stop_backup(false, false)"));
    auto part = [&, at = std::size_t{0}]() mutable {
        const auto begin = rows.find('@', at) + 1;
        at = std::min(rows.find('@', begin), rows.size());
        std::string text = rows.substr(begin, at - begin);
        std::replace(text.begin(), text.end(), '~', '\n');
        return text;
    };
    const std::string label_text = part(), map_text = part();
    const BackupLabel label = parse_backup_label(label_text);
    EXPECT_EQ(rows.substr(0, rows.find('\n')), base::text(label.start));
    EXPECT_EQ(server.sql(fmt::format("select pg_walfile_name('{}')", base::text(label.start))), label.start_segment + "\n");
    EXPECT_EQ(1u, label.timeline.value);
    EXPECT_GT(label.checkpoint, label.start);
    const auto map = parse_tablespace_map(map_text);
    ASSERT_EQ(1u, map.size());
    EXPECT_EQ(folder, map[0].path);
    EXPECT_EQ(map_text, write_tablespace_map(map));
}

}  // namespace
}  // namespace howdah::postgres
