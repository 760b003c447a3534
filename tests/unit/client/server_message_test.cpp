#include "client/server_message.hpp"

#include <gtest/gtest.h>

#include "client/conninfo.hpp"
#include "howdah/result.hpp"

namespace howdah {
namespace {

TEST(DialMessage, FindsStateDetailAndHint) {
    const auto read = read_dial_message(
        "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28P01: password authentication failed for user \"bob\"\n"
        "DETAIL:  Some detail.\nHINT:  Some hint.\nLOCATION:  auth_failed, auth.c:330\n");
    EXPECT_TRUE(read.sqlstate == "28P01");
    EXPECT_EQ(read.text.message, "password authentication failed for user \"bob\"");
    EXPECT_EQ(read.text.detail, "Some detail.");
    EXPECT_EQ(read.text.hint, "Some hint.");
}

TEST(DialMessage, KnowsLibpqsOwnFailures) {
    const auto read = read_dial_message(
        "connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory\n\tIs the server running?\n");
    EXPECT_TRUE(read.sqlstate.empty());
    EXPECT_EQ(read.text.message, "No such file or directory");
    EXPECT_EQ(read.text.hint, "Is the server running?");
}

TEST(DialMessage, JoinsTheTwoRefusalsOfPreferredTls) {
    const auto read = read_dial_message(
        "connection to server at \"db\", port 1 failed: FATAL:  28P01: wrong\nconnection to server at \"db\", port 1 failed: FATAL:  28000: no entry\n");
    EXPECT_TRUE(read.sqlstate == "28P01");
    EXPECT_EQ(read.text.message, "wrong no entry");
}

TEST(MaskQuoted, HidesWhatMayBeAPassword) {
    EXPECT_EQ(mask_quoted("missing \"=\" after \"word\" in string", "password=my word"), "missing *** after *** in string");
    EXPECT_EQ(mask_quoted("odd \"quote", "password=x"), "odd ***");
    EXPECT_EQ(mask_quoted("invalid connection option \"hots\"", "hots=a"), "invalid connection option \"hots\"");
}

TEST(Conninfo, SplitsHostsAddressesAndPorts) {
    const auto read = read_conninfo("postgres://u@one:1,two/db?target_session_attrs=standby&connect_timeout=3", {});
    ASSERT_TRUE(read);
    ASSERT_EQ(read->hosts.size(), 2U);
    EXPECT_EQ(read->hosts[0].host, "one");
    EXPECT_EQ(read->hosts[0].port, "1");
    EXPECT_EQ(read->hosts[1].host, "two");
    EXPECT_EQ(read->hosts[1].port, "5432");
    EXPECT_EQ(read->target_session_attrs, "standby");
    EXPECT_EQ(read->connect_timeout, std::chrono::seconds(3));
    const auto overridden = read_conninfo("host=a dbname=b", {{"dbname", "c"}});
    ASSERT_TRUE(overridden);
    EXPECT_EQ(overridden->database, "c");
}

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> good = 7;
    EXPECT_EQ(*good, 7);
    const Result<int> bad = Error(Phase::send, Cause::broken, {"gone", {}, {}, {}}, SqlState("57P01"));
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().sqlstate().view(), "57P01");
    EXPECT_TRUE(bad.error().sqlstate().is_class("57"));
    EXPECT_TRUE(SqlState("longer").empty());
}

}  // namespace
}  // namespace howdah
