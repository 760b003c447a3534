// Where recovery ends by a name or a transaction, and a standby, where it does not end.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/protected_server.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class NamedTarget : public testing::Test {
protected:
    static ProtectedServer::Options small() {
        ProtectedServer::Options options;
        options.scratch.wal_segment_mib = 1;
        return options;
    }
    NamedTarget() : protectee_(small()) {
        auto session = protectee_.session();
        session.script("CREATE TABLE shop(id int)");
        protectee_.howdah_ok({"backup", "run"});
        insert(1);
        session.query("SELECT pg_create_restore_point('before the sale')");
        insert(2);
        session.query("BEGIN");
        session.query("INSERT INTO shop VALUES (3)");
        xid_ = session.value("SELECT pg_current_xact_id()::text");
        session.query("COMMIT");
        insert(4);
    }

    void insert(int id) { protectee_.session().query("INSERT INTO shop VALUES (" + std::to_string(id) + ")"); }

    Words words(const Words& target) const {
        Words all{"restore", "--into", (protectee_.workspace() / "restored").string()};
        all.insert(all.end(), target.begin(), target.end());
        return all;
    }

    std::string rows_after(const Words& target) {
        const auto into = protectee_.workspace() / "restored";
        fs::remove_all(into);
        plan_ = protectee_.howdah_json(words(target))["plan"];
        auto server = protectee_.start_restored(into);
        auto rows = open_session(server).value("SELECT string_agg(id::text, ',' ORDER BY id) FROM shop");
        EXPECT_EQ(check_restored(server), "");
        return rows;
    }

    void expect_refused(const Words& target, int code, const std::string& why) {
        const auto result = protectee_.howdah(words(target));
        EXPECT_EQ(result.exit_code, code) << result.errors;
        EXPECT_NE(result.errors.find(why), std::string::npos) << result.errors;
        EXPECT_NE(result.errors.find("HINT"), std::string::npos) << result.errors;
        EXPECT_FALSE(fs::exists(protectee_.workspace() / "restored"));
    }

    ProtectedServer protectee_;
    std::string xid_;
    nlohmann::json plan_;
};

TEST_F(NamedTarget, EndsAtARestorePointAndWithATransaction) {
    protectee_.archive_everything();
    EXPECT_EQ(rows_after({"--to-name", "before the sale"}), "1");
    EXPECT_EQ(rows_after({"--to-xid", xid_}), "1,2,3");
    EXPECT_EQ(plan_["target"], "end of transaction " + xid_);
}

TEST_F(NamedTarget, AnOlderBackupIsTakenWhenTheTargetIsBeforeTheNewest) {
    const auto newer = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
    insert(5);
    protectee_.session().query("SELECT pg_create_restore_point('before the sale')");
    insert(6);
    protectee_.archive_everything();
    EXPECT_EQ(rows_after({"--to-xid", xid_}), "1,2,3");
    EXPECT_NE(plan_["backup"], newer);
    EXPECT_NE(plan_["notes"].dump().find("was passed over"), std::string::npos) << plan_.dump(1);
    EXPECT_EQ(rows_after({"--to-name", "before the sale"}), "1,2,3,4,5") << "the newest backup's first point of that name";
    EXPECT_EQ(plan_["backup"], newer);
}

TEST_F(NamedTarget, ARollbackIsATargetAndIsToldAndANameThatIsThereTwiceIsTold) {
    auto session = protectee_.session();
    session.query("BEGIN");
    session.query("INSERT INTO shop VALUES (99)");
    const auto rolled_back = session.value("SELECT pg_current_xact_id()::text");
    session.query("ROLLBACK");
    insert(5);
    session.query("SELECT pg_create_restore_point('before the sale')");
    protectee_.archive_everything();
    EXPECT_EQ(rows_after({"--to-xid", rolled_back}), "1,2,3,4");
    EXPECT_NE(plan_["notes"].dump().find("was rolled back"), std::string::npos) << plan_.dump(1);
    EXPECT_EQ(rows_after({"--to-name", "before the sale"}), "1");
    EXPECT_NE(plan_["notes"].dump().find("several times"), std::string::npos) << plan_.dump(1);
}

TEST_F(NamedTarget, WhatIsNotThereIsRefusedBeforeAByteIsCopied) {
    protectee_.archive_everything();
    expect_refused({"--to-name", "after the sale"}, 1, "no restore point after the sale");
    expect_refused({"--to-xid", "99999"}, 1, "no end of transaction 99999");
    expect_refused({"--to-xid", "2"}, 2, "--to-xid");
    expect_refused({"--to-xid", "7x"}, 2, "--to-xid");
    expect_refused({"--to-xid", xid_, "--to-name", "x"}, 2, "more than one target");
    expect_refused({"--standby", "--to-xid", xid_}, 2, "--standby");
    expect_refused({"--primary", "host=x"}, 2, "--primary");
    expect_refused({"--standby", "--primary", "host=x password=secret"}, 2, "passfile");
}

/// Asks until the answer is there.
void expect_soon(const postgres::ScratchServer& server, const std::string& query, const std::string& answer) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    std::string last;
    while (std::chrono::steady_clock::now() < deadline) {
        last = open_session(server).value(query);
        if (last == answer) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(last, answer) << query;
}

TEST_F(NamedTarget, AStandbyFollowsTheArchiveAndThenStreams) {
    const auto into = protectee_.workspace() / "restored";
    const auto start = [&] {
        postgres::ScratchOptions options;
        options.directory = into;
        options.programs = protectee_.server().programs();
        options.settings = {{"archive_mode", "off"}, {"wal_retrieve_retry_interval", "100ms"}};
        return postgres::ScratchServer::adopt(options);
    };
    protectee_.archive_everything();
    protectee_.howdah_ok(words({"--standby"}));
    EXPECT_TRUE(fs::exists(into / "standby.signal"));
    EXPECT_FALSE(fs::exists(into / "recovery.signal"));
    {
        auto standby = start();
        expect_soon(standby, "SELECT count(*) FROM shop", "4");
        insert(5);
        protectee_.archive_everything();
        expect_soon(standby, "SELECT count(*) FROM shop", "5");
        EXPECT_EQ(open_session(standby).value("SELECT pg_is_in_recovery()"), "t");
        standby.stop();
    }
    const auto& server = protectee_.server();
    const auto primary = "host=" + server.socket_directory().string() + " port=" + std::to_string(server.port()) + " user=postgres";
    protectee_.howdah_ok(words({"--standby", "--primary", primary, "--delta"}));
    auto standby = start();
    insert(6);  // Not archived: only streaming brings it.
    expect_soon(standby, "SELECT count(*) FROM shop", "6");
    open_session(standby).query("SELECT pg_promote()");
    expect_soon(standby, "SELECT pg_is_in_recovery()", "f");
    open_session(standby).query("INSERT INTO shop VALUES (7)");
}

}  // namespace
}  // namespace howdah::tests
