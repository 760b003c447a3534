#include "base/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "base/json_text.hpp"

namespace howdah::base {
namespace {

TEST(Redact, MasksPasswordsInConninfoStrings) {
    EXPECT_EQ(redact("host=a password=secret user=b"), "host=a password=*** user=b");
    EXPECT_EQ(redact("password=secret"), "password=***");
    EXPECT_EQ(redact("password = 'two words' user=b"), "password = *** user=b");
    EXPECT_EQ(redact(R"(password='it\'s a \\ secret' user=b)"), "password=*** user=b");
    EXPECT_EQ(redact(R"(password=with\ blank user=b)"), "password=*** user=b");
    EXPECT_EQ(redact(R"(password='open end)"), "password=***");
    EXPECT_EQ(redact("sslpassword=secret sslkey=/k"), "sslpassword=*** sslkey=/k");
    EXPECT_EQ(redact("PGPASSWORD=secret psql"), "PGPASSWORD=*** psql");
    EXPECT_EQ(redact("password=a&b user=c"), "password=*** user=c");
    EXPECT_EQ(redact("password=one password=two"), "password=*** password=***");
}

TEST(Redact, MasksPasswordsInUrls) {
    EXPECT_EQ(redact("postgresql://user:secret@host/db"), "postgresql://user:***@host/db");
    EXPECT_EQ(redact("postgresql://user:se@c/ret@host/db"), "postgresql://user:***@host/db");
    EXPECT_EQ(redact("at postgres://:secret@host, then"), "at postgres://:***@host, then");
    EXPECT_EQ(redact("postgresql://host/db?password=secret&sslmode=require"), "postgresql://host/db?password=***&sslmode=require");
    EXPECT_EQ(redact("postgresql://host/db?sslmode=require&sslpassword=s#x"), "postgresql://host/db?sslmode=require&sslpassword=***#x");
    EXPECT_EQ(redact("a postgresql://u:p@h/d and https://v:q@i"), "a postgresql://u:***@h/d and https://v:***@i");
}

TEST(Redact, MasksPasswordsInSql) { EXPECT_EQ(redact("ALTER ROLE a PASSWORD 'it''s' LOGIN"), "ALTER ROLE a PASSWORD *** LOGIN"); }

TEST(Redact, LeavesEverythingElse) {
    for (const char* same :
         {"", "password", "password=", "password authentication failed for user \"a\"", "passfile=/home/a/.pgpass",
          "passphrase_file = \"/k\"", "password_encryption = 'scram-sha-256'", "http://localhost:9432/a@b", "file:///var/lib/howdah",
          "postgresql://user@host:5432/db", "postgresql://[::1]:5432/db", "00:01:02 user@host"})
        EXPECT_EQ(redact(same), same);
}

TEST(JsonQuote, EscapesEverythingThatJsonForbids) {
    EXPECT_EQ(json_quote("plain"), R"("plain")");
    EXPECT_EQ(json_quote("\"\\\n\t\r"), R"("\"\\\n\t\r")");
    EXPECT_EQ(json_quote(std::string_view("\0\x1b\x7f", 3)), "\"\\u0000\\u001b\\u007f\"");
    EXPECT_EQ(json_quote("Grüße, €, 🐘"), "\"Grüße, €, 🐘\"");
}

TEST(JsonQuote, ReplacesInvalidUtf8) {
    EXPECT_EQ(json_quote("a\xff z"), R"("a\ufffd z")");
    EXPECT_EQ(json_quote("\xc3"), R"("\ufffd")");
    EXPECT_EQ(json_quote("\xc0\xaf"), R"("\ufffd\ufffd")");
    EXPECT_EQ(json_quote("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
    EXPECT_EQ(json_quote("\xe2\x82"), R"("\ufffd\ufffd")");
}

/// Standard error goes into a file while this lives.
class LogTest : public testing::Test {
protected:
    void SetUp() override {
        saved_ = ::dup(STDERR_FILENO);
        const File file = File::open(folder_.path() / "log", O_WRONLY | O_CREAT | O_APPEND);
        ::dup2(file.descriptor(), STDERR_FILENO);
    }
    void TearDown() override {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        configure_log(LogLevel::info, LogFormat::text);
    }
    std::string written() const { return read_file(folder_.path() / "log"); }

    TemporaryDirectory folder_{"log-test"};
    int saved_ = -1;
};

TEST_F(LogTest, WritesTimeLevelAndMessage) {
    configure_log(LogLevel::info, LogFormat::text);
    log_debug("not shown");
    log_warning("disk {} % full", 91);
    EXPECT_TRUE(std::regex_match(written(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING disk 91 % full\n)"))) << written();
}

TEST_F(LogTest, WritesJsonLines) {
    configure_log(LogLevel::debug, LogFormat::json);
    log_debug("a \"quoted\"\nname password='two words'");
    EXPECT_TRUE(std::regex_match(written(),
                                 std::regex(R"(\{"time":"[^"]+Z","level":"debug","message":"a \\"quoted\\"\\nname password=\*\*\*"\}\n)")))
        << written();
}

TEST_F(LogTest, LetsNoMessagePretendToBeALine) {
    configure_log(LogLevel::info, LogFormat::text);
    log_info("one\n2026-11-21T00:00:00.000Z ERROR forged\x1b[2J");
    EXPECT_NE(written().find("one\n    2026-11-21T00:00:00.000Z ERROR forged\\x1b[2J\n"), std::string::npos) << written();
}

TEST_F(LogTest, NeverMixesLines) {
    configure_log(LogLevel::info, LogFormat::text);
    {
        std::vector<std::jthread> threads;
        for (char c = 'a'; c < 'e'; ++c)
            threads.emplace_back([c] {
                for (int i = 0; i < 100; ++i) log_info("{}", std::string(500, c));
            });
    }
    const std::string all = written();
    const std::regex line(R"(\S+ INFO (a{500}|b{500}|c{500}|d{500}))");
    std::size_t lines = 0;
    for (std::size_t at = 0; at < all.size(); ++lines) {
        const std::size_t end = all.find('\n', at);
        ASSERT_TRUE(std::regex_match(all.substr(at, end - at), line));
        at = end + 1;
    }
    EXPECT_EQ(lines, 400u);
}

}  // namespace
}  // namespace howdah::base
