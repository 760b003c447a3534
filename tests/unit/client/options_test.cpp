#include "howdah/options.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "client/conninfo.hpp"

namespace howdah {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string refusal(std::string_view url) {
    const auto options = read_url(url);
    return options ? "accepted" : options.error().message();
}

TEST(ReadUrl, TakesWhatPrismaWritesAndLeavesLibpqTheRest) {
    const auto options =
        read_url("postgresql://user:p%40ss@host:5432/dbname?schema=public&connection_limit=20&pool_timeout=20&connect_timeout=15");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->conninfo, "postgresql://user:p%40ss@host:5432/dbname?connect_timeout=15");
    const std::vector<std::pair<std::string, std::string>> path{{"search_path", "\"public\""}};
    EXPECT_EQ(options->settings, path);
    EXPECT_EQ(options->pool.max_connections, 20U);
    EXPECT_EQ(options->borrow_time, seconds(20));
    EXPECT_EQ(options->pool.dial_time, seconds(15));
    const auto read = read_conninfo(options->conninfo, {});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->database, "dbname");
    EXPECT_EQ(read->user, "user");
    EXPECT_TRUE(check(options->pool));
}

TEST(ReadUrl, KnowsThePoolersUrl) {
    const auto options = read_url("postgresql://user:pass@localhost:6432/shop?pgbouncer=true");
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->behind_pooler);
    EXPECT_EQ(options->conninfo, "postgresql://user:pass@localhost:6432/shop");
    EXPECT_EQ(refusal("postgres://h/d?pgbouncer=yes"), "pgbouncer cannot be used: yes");
}

TEST(ReadUrl, ZeroMeansNoLimit) {
    const auto options = read_url(
        "postgres://h/d?pool_timeout=0&socket_timeout=0&connect_timeout=0&max_connection_lifetime=0&max_idle_connection_lifetime=0"
        "&statement_cache_size=0");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->borrow_time, kNoLimit);
    EXPECT_EQ(options->query_time, kNoLimit);
    EXPECT_EQ(options->pool.dial_time, hours(24));
    EXPECT_EQ(options->pool.lifetime, hours(24 * 365));
    EXPECT_EQ(options->statement_cache_size, 0U);
    EXPECT_TRUE(check(options->pool));
}

TEST(ReadUrl, LeavesEveryFormOfLibpqAsItIs) {
    for (const std::string url :
         {"host=db dbname=shop connect_timeout=3", "shop", "", "postgres://", "postgresql:///shop?host=/var/run/postgresql",
          "postgres://a,b:5433/shop?target_session_attrs=read-write&application_name=x%20y", "postgresql://user@[::1]:5432/d?ssl=true",
          "postgres://u:pa?ss@h/d?sslmode=require"}) {
        const auto options = read_url(url);
        ASSERT_TRUE(options) << url << ": " << options.error().message();
        EXPECT_EQ(options->conninfo, url);
    }
}

TEST(ReadUrl, StrictCertificatesAreVerifiedInFull) {
    const auto strict = read_url("postgres://h/d?sslmode=require&sslaccept=strict");
    ASSERT_TRUE(strict);
    EXPECT_EQ(strict->conninfo, "postgres://h/d?sslmode=require&sslmode=verify-full") << "of two values libpq takes the last";
    const auto lax = read_url("postgres://h/d?sslaccept=accept_invalid_certs&sslmode=require");
    ASSERT_TRUE(lax);
    EXPECT_EQ(lax->conninfo, "postgres://h/d?sslmode=require");
    EXPECT_EQ(refusal("postgres://h/d?sslaccept=maybe"), "sslaccept cannot be used: maybe");
}

TEST(ReadUrl, AQuotedSchemaStaysOneName) {
    const auto options = read_url("postgres://h/d?schema=my%20%22schema%22,b");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->settings.at(0).second, "\"my \"\"schema\"\",b\"");
}

TEST(ReadUrl, WrongParametersAreNamed) {
    EXPECT_EQ(refusal("postgres://h/d?conection_limit=5"), "the URL's parameter is unknown: conection_limit");
    EXPECT_EQ(refusal("postgres://h/d?connection_limit=0"), "connection_limit is out of range: 0");
    EXPECT_EQ(refusal("postgres://h/d?connection_limit=ten"), "connection_limit is not a whole number: ten");
    EXPECT_EQ(refusal("postgres://h/d?connection_limit="), "connection_limit is not a whole number: ");
    EXPECT_EQ(refusal("postgres://h/d?pool_timeout=-1"), "pool_timeout is not a whole number: -1");
    EXPECT_EQ(refusal("postgres://h/d?pool_timeout=99999999999"), "pool_timeout is not a whole number: 99999999999");
    EXPECT_EQ(refusal("postgres://h/d?pool_timeout=1&pool_timeout=2"), "the URL's parameter is given twice: pool_timeout");
    EXPECT_EQ(refusal("postgres://h/d?schema"), "a parameter of the URL is malformed: schema");
    EXPECT_EQ(refusal("postgres://h/d?schema=%4"), "a parameter of the URL is malformed: schema");
    EXPECT_EQ(refusal("postgres://h/d?schema=%00"), "a parameter of the URL is malformed: schema");
    EXPECT_EQ(refusal("postgres://h/d?schema="), "schema cannot be used: ");
    EXPECT_EQ(refusal("postgres://h/d?sslidentity=a.p12"), "sslidentity cannot be used: a.p12");
    const auto secret = read_url("postgres://h/d?sslpassword=hush&connection_limit=no");
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().message().find("hush"), std::string::npos);
    EXPECT_EQ(secret.error().phase(), Phase::configure);
    EXPECT_EQ(secret.error().outcome(), Outcome::not_sent);
}

TEST(ReadUrl, AnUnescapedPasswordIsNeverShown) {
    for (const std::string url : {"postgres://u:pa/se?cret=x@h/d", "postgres://u:p/?connection_limit=secret@h/d",
                                  "postgres://u:p/?secret@h/d", "postgres://u@h/d?password=se%cret"}) {
        const auto options = read_url(url);
        ASSERT_FALSE(options) << url;
        EXPECT_EQ(options.error().message().find("cret"), std::string::npos) << options.error().message();
    }
}

TEST(ReadUrl, AnythingIsReadOrRefusedAndLibpqTakesWhatWasRead) {
    const std::vector<std::string> pieces{
        "postgres://", "postgresql://",    "u", ":",         "hush", "@",       "h",       "/", "d", "?", "&",  "=", "%",   "%41", "%00",
        "schema",      "connection_limit", "7", "pgbouncer", "true", "sslmode", "require", ",", "[", "]", "\"", " ", "\xff"};
    std::mt19937 random(20261121);
    int read = 0;
    for (int round = 0; round < 50'000; ++round) {
        std::string url = pieces[random() % 2];
        for (auto count = random() % 16; count > 0; --count) url += pieces[random() % pieces.size()];
        const auto options = read_url(url);
        if (!options) {
            EXPECT_FALSE(options.error().message().empty());
            continue;
        }
        ++read;
        if (read > 2000) continue;
        const auto taken = read_conninfo(options->conninfo, {});
        if (taken) continue;
        EXPECT_EQ(taken.error().message().find("invalid URI query parameter"), std::string::npos) << url << " became " << options->conninfo;
    }
    EXPECT_GT(read, 1000);
}

TEST(ApplyEnvironment, TakesTheChecklistsNamesWithTheirUnits) {
    EndpointOptions options;
    ASSERT_TRUE(apply_environment(options, {{"DB_POOL_MAX", "20"},
                                            {"DB_POOL_CONNECTION_TIMEOUT", "20"},
                                            {"DB_CONNECT_TIMEOUT", "10"},
                                            {"DB_QUERY_TIMEOUT", "60000"},
                                            {"DB_IDLE_TIMEOUT", "600000"},
                                            {"DB_HOST", "db"},
                                            {"PATH", "/bin"}}));
    EXPECT_EQ(options.pool.max_connections, 20U);
    EXPECT_EQ(options.borrow_time, seconds(20));
    EXPECT_EQ(options.pool.dial_time, seconds(10));
    EXPECT_EQ(options.query_time, minutes(1));
    EXPECT_EQ(options.pool.idle_time, minutes(10));
    EXPECT_TRUE(check(options.pool));
}

TEST(ApplyEnvironment, UnknownAndWrongOnesAreNamed) {
    EndpointOptions options;
    EXPECT_EQ(apply_environment(options, {{"DB_POOL_SIZE", "20"}}).error().message(), "the environment's setting is unknown: DB_POOL_SIZE");
    EXPECT_EQ(apply_environment(options, {{"DB_QUERRY_TIMEOUT", "1"}}).error().message(),
              "the environment's setting is unknown: DB_QUERRY_TIMEOUT");
    EXPECT_EQ(apply_environment(options, {{"DB_POOL_MAX", "20 "}}).error().message(), "DB_POOL_MAX is not a whole number: 20 ");
    EXPECT_EQ(apply_environment(options, {{"DB_POOL_MAX", "0"}}).error().message(), "DB_POOL_MAX is out of range: 0");
    ASSERT_TRUE(apply_environment(options, {{"DB_QUERY_TIMEOUT", "0"}, {"DB_IDLE_TIMEOUT", "0"}}));
    EXPECT_EQ(options.query_time, kNoLimit);
    EXPECT_TRUE(check(options.pool));
}

TEST(ApplyEnvironment, TheProcesssOwnIsRead) {
    bool found = false;
    for (const auto& [name, value] : process_environment()) found = found || (name == "PATH" && !value.empty());
    EXPECT_TRUE(found);
}

}  // namespace
}  // namespace howdah
