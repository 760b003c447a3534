#include "howdah/tagged_sql.hpp"
#include "scenario/client_watch/desk.hpp"

// Statement tags as the server sees them.
namespace howdah::tests {
namespace {

class Tags : public WatchTest {
protected:
    Client one_session() {
        ClientOptions chosen = options();
        chosen.endpoint.pool.max_connections = 1;
        return open(std::move(chosen));
    }
};

TEST_F(Tags, TheServerShowsWhereAStatementComesFrom) {
    Client client = one_session();
    const Statement self{
        tagged_sql("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()", {{"controller", "order"}, {"action", "it's"}})};
    const auto rows = client.execute(self);
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_EQ((*rows)[0].get<std::string>(0).value(), self.sql());
    EXPECT_TRUE(self.sql().ends_with(" /*action='it%27s',controller='order'*/")) << self.sql();
}

TEST_F(Tags, ATaggedStatementIsPreparedOnceAndATraceStaysOutOfIt) {
    Client client = one_session();
    const Statement add{tagged_sql("SELECT $1::int + 1", {{"controller", "order"}})};
    for (int call = 0; call < 20; ++call) {
        const std::string trace = "trace-" + std::to_string(call);
        const auto shown = client.run([&](Transaction& transaction) -> Result<std::string> {
            if (auto set = transaction.execute("SELECT set_config('application_name', $1, true)", trace); !set) return set.error();
            if (auto sum = transaction.execute(add, call); !sum) return sum.error();
            auto name = transaction.execute("SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()");
            if (!name) return name.error();
            return (*name)[0].get<std::string>(0);
        });
        ASSERT_TRUE(shown) << shown.error().message();
        EXPECT_EQ(*shown, trace);
    }
    const auto prepared = client.execute("SELECT count(*)::text FROM pg_prepared_statements WHERE statement LIKE '%controller=%'");
    ASSERT_TRUE(prepared) << prepared.error().message();
    EXPECT_EQ((*prepared)[0].get<std::string>(0).value(), "1");
    const auto name = client.execute("SELECT current_setting('application_name')");
    ASSERT_TRUE(name) << name.error().message();
    EXPECT_EQ((*name)[0].get<std::string>(0).value().find("trace"), std::string::npos);
}

}  // namespace
}  // namespace howdah::tests
