// Connects, asks, and reads an error: nothing throws, every call returns a value or an Error.
#include <fstream>

#include "common.hpp"

int main(int argc, char** argv) {
    howdah::ClientOptions options = options_of(argc, argv);
    // DB_POOL_MAX, DB_QUERY_TIMEOUT and their like win over the connection string; a misspelt one is an error.
    must(howdah::apply_environment(options.endpoint, howdah::process_environment()));
    // Asked at each dial, for passwords and tokens that change.
    if (const char* file = std::getenv("EXAMPLE_TOKEN_FILE")) {
        options.password = [file]() -> howdah::Result<std::string> {
            std::string token;
            std::getline(std::ifstream(file), token);
            return token;
        };
    }
    auto client = must(howdah::Client::open(std::move(options)));

    const howdah::Rows rows = must(client.execute("SELECT current_database(), 40 + $1::int", 2));
    const auto [database, answer] = must(rows.one<std::tuple<std::string, int>>());
    std::printf("database %s answers %d\n", database.c_str(), answer);

    // Prepared once in each session, by name from then on.
    static const howdah::Statement kTwice{"SELECT 2 * n FROM generate_series(1, $1) AS n"};
    for (const howdah::Row row : must(client.execute(kTwice, 3))) std::printf("twice: %d\n", must(row.get<int>(0)));

    const auto wrong = client.execute("SELECT 1 / $1", 0);
    if (wrong) return 1;
    std::printf("error %s (%s): %s\n", std::string(wrong.error().sqlstate().view()).c_str(),
                std::string(name(wrong.error().outcome())).c_str(), wrong.error().message().c_str());
}
