#include "sample/marketplace.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>

#include "base/failure.hpp"
#include "postgres/scratch.hpp"
#include "sample/parameters.hpp"
#include "sample/workload.hpp"

namespace howdah::sample {
namespace {

/// One scratch server with two equal marketplaces, loaded once and differently: by two connections and by one.
class Marketplace : public testing::Test {
protected:
    static void SetUpTestSuite() {
        server_ = std::make_unique<postgres::ScratchServer>(postgres::ScratchOptions{});
        postgres::Session session(server_->conninfo());
        session.script("CREATE DATABASE first_shop");
        session.script("CREATE DATABASE second_shop");
        first_ = load(server_->conninfo("first_shop"), {.scale = 0.02, .seed = 7, .jobs = 2}, {},
                      [](std::size_t done, std::size_t total, std::string_view) { EXPECT_LE(done, total); });
        load(server_->conninfo("second_shop"), {.scale = 0.02, .seed = 7, .jobs = 1});
        // Taken before any test writes: the workload's tests use the second shop.
        first_sums_ = sums_of("first_shop");
        second_sums_ = sums_of("second_shop");
    }
    static void TearDownTestSuite() { server_.reset(); }

    static postgres::Session open(const std::string& database) { return postgres::Session(server_->conninfo(database)); }
    static std::map<std::string, TableSum> sums_of(const std::string& database) {
        auto session = open(database);
        return checksums(session, tables(session, true));
    }
    static std::string ask(const std::string& sql) {
        auto session = open("first_shop");
        session.script("SET search_path = marketplace");
        return session.value(sql);
    }

    static inline std::unique_ptr<postgres::ScratchServer> server_;
    static inline LoadResult first_;
    static inline std::map<std::string, TableSum> first_sums_;
    static inline std::map<std::string, TableSum> second_sums_;
};

TEST_F(Marketplace, HasItsTablesAndNoIndexButPrimaryKeys) {
    EXPECT_GE(first_.tables, 80u);
    EXPECT_GT(first_.size.count, 5'000'000u);
    auto session = open("first_shop");
    EXPECT_GE(tables(session).size(), 80u);
    EXPECT_GT(tables(session, true).size(), tables(session).size());
    EXPECT_EQ(
        ask("SELECT count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'marketplace'::regnamespace AND NOT i.indisprimary"),
        "0");
    EXPECT_EQ(ask("SELECT count(*) FROM pg_catalog.pg_class c WHERE relnamespace = 'marketplace'::regnamespace AND relkind = 'r'"
                  " AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"),
              "0");
    EXPECT_EQ(ask("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'marketplace_generator'"), "0");
}

TEST_F(Marketplace, EveryForeignKeyIsValidAndHolds) {
    EXPECT_EQ(
        ask("SELECT count(*) FROM pg_catalog.pg_constraint WHERE connamespace = 'marketplace'::regnamespace AND contype = 'f' AND NOT convalidated"),
        "0");
    EXPECT_GT(first_.foreign_keys, 150u);
}

TEST_F(Marketplace, NoTableIsEmptyAndEqualSettingsGiveEqualRows) {
    EXPECT_EQ(first_sums_.size(), first_.tables);
    for (const auto& [name, sum] : first_sums_) {
        EXPECT_GT(sum.rows, 0) << name;
        EXPECT_TRUE(second_sums_.at(name) == sum) << name;
    }
}

TEST_F(Marketplace, OrdersAgreeWithTheirItemsTimesAndTenants) {
    EXPECT_EQ(
        ask("SELECT count(*) FROM orders o LEFT JOIN (SELECT order_id, sum(line_total) AS lines FROM order_items GROUP BY 1) i ON i.order_id = o.id WHERE i.lines IS DISTINCT FROM o.subtotal"),
        "0");
    EXPECT_EQ(
        ask("SELECT count(*) FROM orders o JOIN users u ON u.id = o.user_id WHERE u.tenant_id <> o.tenant_id OR u.created_at > o.created_at"),
        "0");
    EXPECT_EQ(
        ask("SELECT count(*) FROM order_items i JOIN orders o ON o.id = i.order_id JOIN products p ON p.id = i.product_id WHERE p.tenant_id <> o.tenant_id OR p.created_at > o.created_at"),
        "0");
    EXPECT_EQ(
        ask("SELECT count(*) FROM payouts p LEFT JOIN (SELECT payout_id, sum(gross) AS gross FROM payout_items GROUP BY 1) i ON i.payout_id = p.id WHERE i.gross IS DISTINCT FROM p.gross"),
        "0");
    EXPECT_EQ(
        ask("SELECT count(*) FROM loyalty_accounts a LEFT JOIN (SELECT account_id, sum(points) AS points FROM loyalty_transactions GROUP BY 1) t ON t.account_id = a.id WHERE coalesce(t.points, 0) <> a.points"),
        "0");
}

TEST_F(Marketplace, KeysContinueBehindTheRows) {
    auto session = open("first_shop");
    session.script(
        "BEGIN; SET LOCAL search_path = marketplace; INSERT INTO wishlists (tenant_id, user_id) SELECT tenant_id, id FROM users LIMIT 1;"
        "INSERT INTO product_images (product_id, url, width, height) SELECT id, 'u', 1, 1 FROM products LIMIT 1; ROLLBACK");
}

TEST_F(Marketplace, ARefusedLoadChangesNothingAndAnotherSeedGivesOtherRows) {
    auto session = open("postgres");
    session.script("CREATE DATABASE third_shop");
    const auto conninfo = server_->conninfo("third_shop");
    load(conninfo, {.scale = 0.001, .seed = 8, .jobs = 2});
    const auto before = sums_of("third_shop");
    for (const auto& [name, sum] : before) EXPECT_GT(sum.rows, 0) << name;
    EXPECT_THROW(load(conninfo, {.scale = 0.001, .seed = 9, .jobs = 2}), base::Failure);
    EXPECT_TRUE(sums_of("third_shop") == before);
    auto third = open("third_shop");
    drop(third);
    EXPECT_FALSE(loaded(third));
    load(conninfo, {.scale = 0.001, .seed = 9, .jobs = 2});
    const auto after = sums_of("third_shop");
    for (const auto* name : {"users", "products", "orders", "order_items", "reviews", "tracking"})
        EXPECT_FALSE(after.at(name) == before.at(name)) << name;
}

TEST_F(Marketplace, ACancelledLoadLeavesNothing) {
    auto session = open("postgres");
    session.script("CREATE DATABASE cancelled_shop");
    base::Cancellation cancellation;
    EXPECT_THROW(load(server_->conninfo("cancelled_shop"), {.scale = 0.001, .seed = 1, .jobs = 2}, cancellation,
                      [&](std::size_t done, std::size_t, std::string_view) {
                          if (done == 5) cancellation.request();
                      }),
                 base::Failure);
    auto left = open("cancelled_shop");
    EXPECT_FALSE(loaded(left));
}

TEST_F(Marketplace, EveryStatementOfTheWorkloadExecutes) {
    auto session = open("second_shop");
    const auto statements = workload_statements();
    const ParameterSource source(session, statements, 3);
    session.script("SET search_path = marketplace");
    std::mt19937_64 random(3);
    for (const auto& statement : statements) {
        for (int time = 0; time < 3; ++time) {
            EXPECT_NO_THROW(session.query(statement.sql, source.draw(statement, random))) << statement.name;
        }
    }
}

TEST_F(Marketplace, TheWorkloadRunsOnSeveralConnectionsWithoutErrors) {
    const auto result = run_workload(server_->conninfo("second_shop"),
                                     {.connections = 3, .seed = 5, .mix = Mix::all, .duration = {}, .statements = 200, .rate = 0}, {});
    EXPECT_EQ(result.errors, 0u) << result.first_error;
    EXPECT_EQ(result.all.count(), 600u);
    EXPECT_GT(result.writes, 50u);
    EXPECT_GT(result.all.quantile(0.99), std::chrono::microseconds(0));
    const auto reads = run_workload(server_->conninfo("second_shop"),
                                    {.connections = 1, .seed = 5, .mix = Mix::reads, .duration = {}, .statements = 50, .rate = 0}, {});
    EXPECT_EQ(reads.writes, 0u);
}

TEST_F(Marketplace, ACancelledWorkloadReturnsItsFigures) {
    base::Cancellation cancellation;
    cancellation.request();
    const auto result = run_workload(server_->conninfo("second_shop"), {}, cancellation);
    EXPECT_EQ(result.errors, 0u);
}

}  // namespace
}  // namespace howdah::sample
