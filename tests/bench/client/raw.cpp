#include <libpq-fe.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "bench/client/contestant.hpp"

void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_client: %s\n", why.c_str());
    std::exit(1);
}

namespace {

constexpr unsigned kInt4 = 23;

PGconn* connected(const std::string& conninfo) {
    PGconn* connection = PQconnectdb(conninfo.c_str());
    if (PQstatus(connection) != CONNECTION_OK) give_up(PQerrorMessage(connection));
    const Oid type = kInt4;
    PGresult* prepared = PQprepare(connection, "look_up", kLookUp, 1, &type);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection));
    PQclear(prepared);
    return connection;
}

std::int64_t execute(PGconn* connection, std::int32_t key) {
    const std::uint32_t sent = __builtin_bswap32(static_cast<std::uint32_t>(key));
    const char* const value = reinterpret_cast<const char*>(&sent);
    const int length = sizeof sent;
    const int format = 1;
    PGresult* result = PQexecPrepared(connection, "look_up", 1, &value, &length, &format, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) give_up(PQerrorMessage(connection));
    const std::int64_t answer = std::strtoll(PQgetvalue(result, 0, 0), nullptr, 10);
    PQclear(result);
    return answer;
}

class RawCaller final : public Caller {
public:
    explicit RawCaller(const std::string& conninfo) : connection_(connected(conninfo)) {}
    ~RawCaller() override { PQfinish(connection_); }
    std::int64_t look_up(std::int32_t key) override { return execute(connection_, key); }

private:
    PGconn* connection_;
};

class Raw final : public Contestant {
public:
    explicit Raw(std::string conninfo) : conninfo_(std::move(conninfo)) {}
    std::unique_ptr<Caller> caller() override { return std::make_unique<RawCaller>(conninfo_); }

private:
    std::string conninfo_;
};

class BarePool final : public Contestant {
public:
    BarePool(const std::string& conninfo, unsigned connections) {
        for (unsigned i = 0; i < connections; ++i) idle_.push_back(connected(conninfo));
    }
    ~BarePool() override {
        for (PGconn* connection : idle_) PQfinish(connection);
    }
    std::unique_ptr<Caller> caller() override;
    PGconn* borrow() {
        std::unique_lock lock(mutex_);
        back_.wait(lock, [this] { return !idle_.empty(); });
        PGconn* connection = idle_.back();
        idle_.pop_back();
        return connection;
    }
    void give_back(PGconn* connection) {
        {
            const std::scoped_lock lock(mutex_);
            idle_.push_back(connection);
        }
        back_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable back_;
    std::vector<PGconn*> idle_;
};

class PoolCaller final : public Caller {
public:
    explicit PoolCaller(BarePool& pool) : pool_(pool) {}
    std::int64_t look_up(std::int32_t key) override {
        PGconn* connection = pool_.borrow();
        const std::int64_t answer = execute(connection, key);
        pool_.give_back(connection);
        return answer;
    }

private:
    BarePool& pool_;
};

std::unique_ptr<Caller> BarePool::caller() { return std::make_unique<PoolCaller>(*this); }

}  // namespace

std::unique_ptr<Contestant> raw_libpq(const std::string& conninfo) { return std::make_unique<Raw>(conninfo); }
std::unique_ptr<Contestant> bare_pool(const std::string& conninfo, unsigned connections) {
    return std::make_unique<BarePool>(conninfo, connections);
}
