// Transactions that are repeated rightly, with a key that keeps one piece of work from being done twice.
#include <thread>

#include "common.hpp"

using howdah::Result;
using howdah::Transaction;

/// Any error returned from the body rolls back; serialisation failures and deadlocks run the whole body again.
Result<int> transfer(howdah::Client& client, int from, int to, int amount, const std::string& key) {
    howdah::TransactionOptions options;
    options.tag = "transfer";
    options.isolation = howdah::Isolation::serializable;
    options.key = key;
    options.tries = 50;
    return client.run(options, [&](Transaction& transaction) -> Result<int> {
        auto taken = transaction.execute("UPDATE example_account SET amount = amount - $2 WHERE id = $1 RETURNING amount", from, amount);
        if (!taken) return taken.error();
        auto given = transaction.execute("UPDATE example_account SET amount = amount + $2 WHERE id = $1", to, amount);
        if (!given) return given.error();
        // What fails inside a savepoint leaves the transaction usable.
        static_cast<void>(transaction.savepoint([](Transaction& inner) { return inner.execute("SELECT 1 / 0"); }));
        return taken->one<int>();
    });
}

int main(int argc, char** argv) {
    auto client = must(howdah::Client::open(options_of(argc, argv)));
    must(client.execute(client.key_table_sql()));
    must(client.execute("DROP TABLE IF EXISTS example_account"));
    must(client.execute("CREATE TABLE example_account (id int PRIMARY KEY, amount int NOT NULL)"));
    must(client.execute("INSERT INTO example_account VALUES (1, 1000), (2, 1000)"));
    must(client.execute("DELETE FROM howdah_key WHERE key LIKE 'example-%'"));

    // Two threads in each other's way.
    const auto many = [&client](int from, int to, const std::string& name) {
        for (int i = 0; i < 20; ++i) must(transfer(client, from, to, 1, "example-" + name + std::to_string(i)));
    };
    std::thread other(many, 2, 1, "b");
    many(1, 2, "a");
    other.join();

    // The same order again, as after a restart in doubt: the key says that it is done.
    const auto again = transfer(client, 1, 2, 1, "example-a0");
    if (again || again.error().outcome() != howdah::Outcome::succeeded) return 1;
    std::printf("again: %s\n", again.error().message().c_str());

    const auto sum = must(must(client.execute("SELECT sum(amount)::int, min(amount) FROM example_account")).one<std::tuple<int, int>>());
    std::printf("sum %d, each %d; %llu repeated\n", std::get<0>(sum), std::get<1>(sum),
                static_cast<unsigned long long>(client.figures().retries_contention));
    must(client.execute("DROP TABLE example_account"));
}
