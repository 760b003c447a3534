#include <pqxx/pqxx>

#include "bench/client/contestant.hpp"

namespace {

class PqxxCaller final : public Caller {
public:
    explicit PqxxCaller(const std::string& conninfo) : connection_(conninfo) { connection_.prepare("look_up", kLookUp); }
    std::int64_t look_up(std::int32_t key) override {
        pqxx::nontransaction work(connection_);
        return work.exec_prepared1("look_up", key)[0].as<std::int64_t>();
    }

private:
    pqxx::connection connection_;
};

class Pqxx final : public Contestant {
public:
    explicit Pqxx(std::string conninfo) : conninfo_(std::move(conninfo)) {}
    std::unique_ptr<Caller> caller() override { return std::make_unique<PqxxCaller>(conninfo_); }

private:
    std::string conninfo_;
};

}  // namespace

std::unique_ptr<Contestant> pqxx_connection(const std::string& conninfo) { return std::make_unique<Pqxx>(conninfo); }
std::string pqxx_version() { return PQXX_VERSION; }
