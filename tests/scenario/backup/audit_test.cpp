// backup run --audit: a share of the unchanged blocks is read nevertheless, and a change that no WAL tells of is found.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "postgres/page.hpp"
#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

using nlohmann::json;
using postgres::kBlockSize;

struct Ground {
    ProtectedServer protectee;
    std::string table;

    explicit Ground(bool checksums) : protectee(options_of(checksums)) {
        protectee.session().script(
            "CREATE TABLE shop(id serial PRIMARY KEY, note text);"
            "INSERT INTO shop(note) SELECT repeat('row ' || g, 20) FROM generate_series(1, 30000) g;"
            "CREATE TABLE places AS SELECT point(g, g) AS place FROM generate_series(1, 5000) g;"
            "CREATE INDEX ON places USING spgist(place)");
        table = protectee.session().value("SELECT pg_relation_filepath('shop')");
        protectee.howdah_ok({"backup", "run"});
    }
    static ProtectedServer::Options options_of(bool checksums) {
        ProtectedServer::Options options;
        options.scratch.checksums = checksums;
        return options;
    }

    /// Flips a byte of a row in the server's file behind its back, with the checksum of the page made right again.
    void damage(std::uint32_t block) {
        const auto file = base::File::open(protectee.server().data_directory() / table, O_RDWR);
        std::array<std::byte, kBlockSize> page;
        ASSERT_EQ(file.read_at(page, std::uint64_t{block} * kBlockSize), kBlockSize);
        page[kBlockSize - 20] ^= std::byte{1};
        if (protectee.session().value("SHOW data_checksums") == "on") {
            const auto sum = postgres::page_checksum(page, block);
            page[8] = static_cast<std::byte>(sum & 0xFF);
            page[9] = static_cast<std::byte>(sum >> 8);
        }
        file.write_at(page, std::uint64_t{block} * kBlockSize);
    }
    json incremental(const char* percent, int expected = 0) {
        return protectee.howdah_json({"backup", "run", "--type", "incr", "--audit", percent}, expected);
    }
};

TEST(Audit, FindsAChangeOfWhichNoWalTells) {
    for (const bool checksums : {true, false}) {
        Ground ground(checksums);
        ground.damage(7);
        const auto blind = ground.protectee.howdah_json({"backup", "run", "--type", "incr"});
        EXPECT_EQ(blind["backup"]["fallback"], json::array());
        EXPECT_TRUE(blind["audit"].is_null());

        const auto taken = ground.incremental("100", 1);
        EXPECT_EQ(taken["ok"], false);
        EXPECT_EQ(taken["audit"]["differ"], json::array({ground.table + " block 7"})) << taken.dump(1);
        ASSERT_EQ(taken["backup"]["fallback"].size(), 1u) << taken.dump(1);
        EXPECT_EQ(taken["backup"]["fallback"][0], "audit: " + ground.table + " block 7 differs, of which WAL tells nothing");
        EXPECT_EQ(taken["backup"]["type"], "incr");
        // Everything was compared and the page is stored as it is now. But WAL is not believed before a full backup.
        const auto next = ground.incremental("100");
        EXPECT_TRUE(next["audit"].is_null());
        ASSERT_EQ(next["backup"]["fallback"].size(), 1u) << next.dump(1);
        EXPECT_NE(next["backup"]["fallback"][0].get<std::string>().find(taken["backup"]["id"]), std::string::npos) << next.dump(1);
        ground.protectee.howdah_ok({"backup", "run"});
        const auto after = ground.incremental("100");
        EXPECT_EQ(after["audit"]["differ"], json::array());
        EXPECT_EQ(after["backup"]["fallback"], json::array());
        const auto journal = ground.protectee.howdah_ok({"journal", "list"}).output;
        EXPECT_NE(journal.find("backup run"), std::string::npos);
    }
}

TEST(Audit, SaysSoInText) {
    Ground ground(false);
    ground.damage(3);
    const auto taken = ground.protectee.howdah({"backup", "run", "--type", "incr", "--audit", "100"});
    EXPECT_EQ(taken.exit_code, 1) << taken.errors;
    EXPECT_NE(taken.output.find(ground.table + " block 3"), std::string::npos) << taken.output;
    EXPECT_NE(taken.output.find("HINT"), std::string::npos) << taken.output;
    EXPECT_EQ(ground.protectee.howdah({"backup", "run", "--audit", "10"}).exit_code, 2);
    EXPECT_EQ(ground.protectee.howdah({"backup", "run", "--type", "incr", "--audit", "101"}).exit_code, 2);
}

// Hint bits, values that a sequence had promised, SP-GiST's cache: pages change on the disk and no WAL tells of it.
TEST(Audit, WhatServersChangeWithoutWalIsNoAlarm) {
    Ground ground(false);
    auto session = ground.protectee.session();
    session.script("INSERT INTO shop(note) VALUES ('after the checkpoint')");
    ground.incremental("100");
    session.script(
        "SELECT count(*) FROM shop; SELECT nextval('shop_id_seq') FROM generate_series(1, 3); SELECT count(*) FROM pg_class, pg_attribute;"
        "INSERT INTO places SELECT point(g, -g) FROM generate_series(1, 3000) g");
    session.script("CHECKPOINT");
    const auto taken = ground.incremental("100");
    EXPECT_EQ(taken["audit"]["differ"], json::array()) << taken.dump(1);
    EXPECT_EQ(taken["backup"]["fallback"], json::array());
    EXPECT_GT(taken["audit"]["pages"].get<int>(), 1000);
    EXPECT_EQ(taken["audit"]["percent"], 100);
    ground.protectee.set_config("backup.audit_percent", "20");
    const auto some = ground.protectee.howdah_json({"backup", "run", "--type", "incr"})["audit"];
    EXPECT_EQ(some["percent"], 20);
    EXPECT_LT(some["pages"].get<int>(), taken["audit"]["pages"].get<int>() / 2);
    EXPECT_GT(some["pages"].get<int>(), 0);
}

// Pages that change between the start of the backup and the look at them are told by the WAL since then.
TEST(Audit, WhatChangesMeanwhileIsNoAlarm) {
    Ground ground(true);
    auto running = std::async(std::launch::async, [&] { return ground.incremental("100"); });
    auto session = ground.protectee.session();
    int round = 0;
    while (running.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        session.script("UPDATE shop SET note = 'now' WHERE id % 97 = " + std::to_string(++round % 97) + "; CHECKPOINT");
    const auto taken = running.get();
    EXPECT_EQ(taken["audit"]["differ"], json::array()) << taken.dump(1);
    EXPECT_EQ(taken["backup"]["fallback"], json::array());
}

}  // namespace
}  // namespace howdah::tests
