// The differential oracle: what an incremental restores equals a physical replica that stopped where the backup ends, page by page.
// HOWDAH_TEST_ORACLE_ROUNDS gives the rounds, HOWDAH_TEST_SEED the first one's seed; each next round's is one higher.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>

#include "reference.hpp"
#include "support/protected_server.hpp"
#include "workload.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* value = std::getenv(variable);
    return value && *value ? std::strtoull(value, nullptr, 10) : otherwise;
}

/// What all rounds did together.
struct Sum {
    std::uint64_t incrementals = 0, pages = 0, fallbacks = 0, promotions = 0, crashes = 0;
    double read = 0, bytes = 0;
};

ProtectedServer::Options options_of(bool checksums) {
    ProtectedServer::Options options;
    options.scratch.checksums = checksums;
    options.scratch.settings = {{"fsync", "off"},        {"max_prepared_transactions", "4"},   {"wal_keep_size", "8GB"},
                                {"max_wal_size", "2GB"}, {"allow_in_place_tablespaces", "on"}, {"wal_sender_timeout", "10s"}};
    return options;
}

class Round {
public:
    Round(std::uint64_t seed, Sum& sum) : seed_(seed), sum_(sum), protectee_(options_of(seed % 2 == 0)), work_(protectee_, seed) {}

    void run() {
        const auto away = protectee_.workspace() / "away";
        fs::create_directory(away);
        const auto& user = protectee_.server().user();
        if (::geteuid() == 0 && ::chown(away.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown failed");
        work_.prepare(away.string());
        work_.work(6, false);
        reference_.emplace(protectee_, "replica");
        protectee_.howdah_ok({"backup", "run"});
        const int count = 3 + work_.below(2);
        const int looked_at = work_.below(count - 1);
        const int minimal_at = work_.one_in(8) ? work_.below(count) : -1;
        for (int i = 0; i < count; ++i) {
            between(i == minimal_at);
            const auto taken = take(i == minimal_at);
            if (i == looked_at || i == count - 1) check(taken);
        }
    }

    const std::string& log() const { return work_.log(); }

private:
    void between(bool minimal) {
        work_.work(2 + work_.below(8), false);
        if (minimal) {
            work_.minimal();
            reference_.reset();
            reference_.emplace(protectee_, "replica");
        }
        if (work_.one_in(4)) {
            work_.crash();
            ++sum_.crashes;
        }
        if (work_.one_in(8)) {
            work_.promote();
            ++sum_.promotions;
        }
        work_.work(work_.below(5), false);
    }

    json take(bool provoked) {
        std::optional<std::future<void>> beside;
        const bool busy = work_.one_in(2);
        const int steps = 2 + work_.below(6);
        if (busy) beside = std::async(std::launch::async, [&] { work_.work(steps, true); });
        const auto taken = protectee_.howdah_json({"backup", "run", "--type", "incr"});
        if (beside) beside->get();
        const auto& backup = taken["backup"];
        EXPECT_EQ(backup["type"], "incr") << taken.dump(1);
        ++sum_.incrementals;
        if (provoked) {
            EXPECT_NE(backup["fallback"], json::array()) << "a time with wal_level minimal was not seen";
            ++sum_.fallbacks;
        } else {
            EXPECT_EQ(backup["fallback"], json::array());
            EXPECT_LT(backup["bytes_read"].get<double>() * 2, backup["bytes"].get<double>());
            sum_.read += backup["bytes_read"].get<double>();
            sum_.bytes += backup["bytes"].get<double>();
        }
        return backup;
    }

    /// Restores a backup to its end, and looks at it from all sides.
    void check(const json& taken) {
        const std::string id = taken["id"];
        const auto into = protectee_.workspace() / ("restored-" + id);
        protectee_.howdah_ok(
            {"restore", "--into", into.string(), "--to-backup-end", "--backup", id, "--tablespace", "away=" + into.string() + "-away"});
        {
            auto promoted = protectee_.start_restored(into);
            promoted.stop();
        }
        const auto replica = reference_->at(taken["stop_lsn"]);
        const auto found =
            differences(into, replica, work_.without_maps(), base::parse_lsn(taken["stop_lsn"].get<std::string>()).value(), sum_.pages);
        std::string shown;
        for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 20); ++i) shown += found[i] + "\n";
        EXPECT_TRUE(found.empty()) << "seed " << seed_ << ", backup " << id << ": " << found.size() << " differ\n" << shown;
        look_inside(into);
        if (!found.empty() && std::getenv("HOWDAH_TEST_KEEP"))
            fs::copy(protectee_.workspace(), std::getenv("HOWDAH_TEST_KEEP"),
                     fs::copy_options::recursive | fs::copy_options::copy_symlinks | fs::copy_options::skip_existing);
        fs::remove_all(into);
        fs::remove_all(into.string() + "-away");
        fs::remove_all(replica);
    }

    /// Visibility maps tell the truth, free-space maps are readable, amcheck finds nothing, checksums are right.
    void look_inside(const fs::path& data) {
        postgres::ScratchOptions options;
        options.directory = data;
        options.programs = protectee_.server().programs();
        options.shared_buffers = {32u << 20};
        options.settings = {{"archive_mode", "off"}};
        auto server = postgres::ScratchServer::adopt(options);
        auto databases = open_session(server).query("SELECT datname FROM pg_database WHERE datallowconn");
        for (std::size_t i = 0; i < databases.size(); ++i) {
            auto session = open_session(server, std::string(databases.text(i, 0)));
            session.script("CREATE EXTENSION pg_visibility; CREATE EXTENSION pg_freespacemap");
            EXPECT_EQ(session.value("SELECT count(*) FROM pg_class c WHERE relkind IN ('r', 't', 'm') AND"
                                    " (EXISTS (SELECT FROM pg_check_visible(c.oid)) OR EXISTS (SELECT FROM pg_check_frozen(c.oid)))"),
                      "0")
                << "seed " << seed_ << ": a visibility map lies in " << databases.text(i, 0);
            session.query("SELECT sum(avail) FROM pg_class c, pg_freespace(c.oid) WHERE relkind IN ('r', 't', 'm', 'i')");
        }
        EXPECT_EQ(check_restored(server), "") << "seed " << seed_;
    }

    std::uint64_t seed_;
    Sum& sum_;
    ProtectedServer protectee_;
    Workload work_;
    std::optional<Reference> reference_;
};

TEST(Oracle, IncrementalsRestoreWhatAReplicaHas) {
    const auto rounds = number_from("HOWDAH_TEST_ORACLE_ROUNDS", 2);
    const auto first = number_from("HOWDAH_TEST_SEED",
                                   static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1'000'000);
    Sum sum;
    std::uint64_t bad = 0;
    fmt::print("seed {}\n", first);
    for (auto seed = first; seed < first + rounds; ++seed) {
        const auto failed_before = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
        const auto began = std::chrono::steady_clock::now();
        Round round(seed, sum);
        try {
            round.run();
        } catch (const std::exception& error) {
            ADD_FAILURE() << "seed " << seed << ": " << error.what();
        }
        const bool failed = ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failed_before;
        bad += failed;
        if (failed) fmt::print("seed {} did:\n{}", seed, round.log());
        fmt::print("round of seed {}: {} in {:.1f} s; so far {} incrementals, {} fallbacks provoked, {} crashes, {} promotions, {} pages\n",
                   seed, failed ? "FAILED" : "good", std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
                   sum.incrementals, sum.fallbacks, sum.crashes, sum.promotions, sum.pages);
        std::fflush(stdout);
    }
    fmt::print(
        "RESULT oracle: {} rounds, {} bad; {} incrementals read {:.1f} % of the bytes, {} with a provoked fallback; {} pages compared; "
        "{} crashes, {} promotions; seeds {} to {}\n",
        rounds, bad, sum.incrementals, sum.bytes > 0 ? 100 * sum.read / sum.bytes : 0, sum.fallbacks, sum.pages, sum.crashes,
        sum.promotions, first, first + rounds - 1);
}

}  // namespace
}  // namespace howdah::tests
