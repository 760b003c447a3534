#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/protected_server.hpp"

namespace howdah::tests {

/// Random work on a server, chosen by a seed: rows, tables, indexes of every access method, vacuum, truncation, databases and tablespaces
/// made, copied, moved and dropped, prepared transactions. What it does goes to a log, for the reports of failures.
class Workload {
public:
    Workload(ProtectedServer& protectee, std::uint64_t seed);

    /// Makes the first tables, with enough that nobody changes; `away` is a folder for a tablespace.
    void prepare(const std::string& away);
    /// So many steps. Those beside a backup leave out the ones that would read more than they change: copies of whole databases.
    void work(int steps, bool beside_a_backup);
    /// A server that is stopped at once, with a transaction under way, and started again.
    void crash();
    /// A second timeline: the server is stopped, started as a standby and promoted.
    void promote();
    /// A time with wal_level minimal, in which a relation is filled without WAL.
    void minimal();

    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
    bool one_in(int count) { return below(count) == 0; }
    const std::vector<std::string>& databases() const { return databases_; }
    /// Oids of the databases whose visibility maps a replica does not get (differences()).
    const std::set<std::string>& without_maps() const { return without_maps_; }
    const std::string& log() const { return log_; }

private:
    struct Table {
        std::string database, name;
    };
    void run(const std::string& database, const std::string& sql);
    void run_each(const std::string& database, const std::vector<std::string>& statements);
    void make_table(const std::string& database);
    void fill(const Table& table, int rows);
    void rows_step(const Table& table);
    void shape_step(const Table& table);
    void vacuum_step(const Table& table);
    void table_step();
    void space_step();
    void database_step();
    bool moved(const std::string& database, const std::string& space);
    void restart(const std::string& mode);
    std::string some_space();
    std::string oid_of(const std::string& database);
    std::string name(const char* what) { return what + std::to_string(++made_); }

    ProtectedServer& protectee_;
    std::mt19937_64 random_;
    std::vector<Table> tables_;
    std::vector<std::string> databases_{"postgres"};
    std::vector<std::string> spaces_{"pg_default"};
    std::set<std::string> without_maps_;
    int made_ = 0;
    int major_ = 0;
    std::string log_;
};

}  // namespace howdah::tests
