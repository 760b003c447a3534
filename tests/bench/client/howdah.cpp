#include "howdah/client.hpp"

#include "bench/client/contestant.hpp"

namespace {

howdah::Client opened(const std::string& conninfo, unsigned connections) {
    auto endpoint = howdah::read_url(conninfo);
    if (!endpoint) give_up(endpoint.error().message());
    howdah::ClientOptions options;
    options.endpoint = *endpoint;
    options.endpoint.pool.max_connections = connections;
    options.endpoint.query_time = std::chrono::seconds(30);
    auto client = howdah::Client::open(options);
    if (!client) give_up(client.error().message());
    return std::move(*client);
}

class ClientCaller final : public Caller {
public:
    explicit ClientCaller(howdah::Client& client) : client_(client) {}
    std::int64_t look_up(std::int32_t key) override {
        static const howdah::Statement statement(kLookUp);
        const auto rows = client_.execute(statement, key);
        if (!rows) give_up(rows.error().message());
        const auto value = (*rows)[0].get<std::int64_t>(0);
        if (!value) give_up(value.error().message());
        return *value;
    }

private:
    howdah::Client& client_;
};

class HowdahClient final : public Contestant {
public:
    HowdahClient(const std::string& conninfo, unsigned connections) : client_(opened(conninfo, connections)) {}
    std::unique_ptr<Caller> caller() override { return std::make_unique<ClientCaller>(client_); }

private:
    howdah::Client client_;
};

}  // namespace

std::unique_ptr<Contestant> howdah_client(const std::string& conninfo, unsigned connections) {
    return std::make_unique<HowdahClient>(conninfo, connections);
}
