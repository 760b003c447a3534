// `repo init`, `repo gc`, `repo repair` and events, with one call of the store failing: a kept backup loses nothing, what is half-done is
// nothing, and the same command again ends it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/process.hpp"
#include "ground.hpp"
#include "postgres/control_file.hpp"
#include "repository/event.hpp"
#include "repository/repository.hpp"
#include "sweep.hpp"

namespace howdah::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class FaultyRepository : public testing::Test {
protected:
    FaultyRepository() : place_("repo") {}

    static repository::ClusterArea area() {
        return {"main", postgres::read_control_file(shared_server().server().data_directory()).system_identifier};
    }

    /// Says something about a backup, as the server's user.
    Ended say(const std::string& type, const std::string& id, const Fault& fault = {}) const {
        return call_inside(
            [&] {
                base::become(base::owner_of(place_.folder()));
                repository::Event event;
                event.type = type;
                event.backup_id = id;
                event.text = "because";
                repository::append_event(repository::Repository::open(place_.repository_config()), area(), event);
            },
            place_.environment(), place_.folder(), fault);
    }

    std::vector<repository::Event> events() const {
        return repository::read_events(repository::Repository::open(place_.repository_config()), area());
    }

    /// Nothing is damaged, missing or left.
    void expect_clean() const {
        const auto check = json::parse(place_.plain({"--output", "json", "repo", "check"}), nullptr, false);
        ASSERT_FALSE(check.is_discarded());
        EXPECT_EQ(check["problems"], json::array());
        EXPECT_EQ(check["leftovers"], json::array());
    }

    fs::path set_aside(const char* name) const {
        const auto aside = place_.folder() / name;
        fs::rename(place_.repository(), aside);
        return aside;
    }

    /// As if the last run had been an hour ago.
    void make_old() const {
        if (!fs::exists(place_.repository())) return;
        for (const auto& entry : fs::recursive_directory_iterator(place_.repository()))
            fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
    }

    Place place_;
};

TEST_F(FaultyRepository, Init) {
    const auto key = place_.folder() / "own.key";
    const Environment with_key{{"HOWDAH_REPOSITORY_MAIN_KEY_FILE", key.string()}};
    const auto usable = [&](const std::vector<std::string>& words) {
        const auto run = place_.run(words, {}, with_key);
        EXPECT_EQ(run.exit_code, 0) << words.back() << run.output << run.errors;
    };
    sweep({.operation = "repo init",
           .prepare =
               [&] {
                   place_.reset({});
                   fs::remove(key);
               },
           .run = [&](const Fault& fault) { return place_.run({"repo", "init"}, fault, with_key); },
           .judge =
               [&](const Ended& run) {
                   const bool there = fs::exists(place_.repository() / "repository");
                   EXPECT_TRUE(there || !run.succeeded());
                   make_old();
                   // One that reports a failure may have made it all the same; then the next one says that it is there.
                   if (there) {
                       EXPECT_EQ(place_.run({"repo", "init"}, {}, with_key).exit_code, 1);
                   } else {
                       usable({"repo", "init"});
                   }
                   usable({"repo", "check"});
                   usable({"backup", "list"});
                   usable({"backup", "run"});
                   usable({"backup", "verify"});
               },
           .points = 20});
}

TEST_F(FaultyRepository, Event) {
    place_.reset();
    const auto id = listed(place_).front();
    sweep({.operation = "an event",
           .prepare = [&] { place_.reset(); },
           .run = [&](const Fault& fault) { return say("pin", id, fault); },
           .judge =
               [&](const Ended& run) {
                   const auto found = events().size();
                   EXPECT_TRUE(found == 1 || (found == 0 && !run.succeeded()));
                   if (!run.succeeded()) {
                       const auto again = say("pin", id);
                       EXPECT_EQ(again.exit_code, 0) << again.errors;
                   }
                   EXPECT_EQ(events().back().type, "pin");
                   place_.plain({"backup", "verify"});
                   expect_clean();
               },
           .points = 16});
}

/// Two backups that share packs, the first expired: its own packs go, and the one of which less than half is needed is written anew.
class FaultyCollection : public FaultyRepository {
protected:
    FaultyCollection() {
        auto session = shared_server().session();
        session.query("CREATE TABLE bulk AS SELECT md5(random()::text) || md5(random()::text) AS noise FROM generate_series(1, 60000)");
        session.query("CHECKPOINT");
        place_.plain({"repo", "init"});
        place_.plain({"backup", "run"});
        session.query("DROP TABLE bulk");
        session.query("CHECKPOINT");
        change_rows();
        place_.plain({"backup", "run", "--type", "incr"});
        const auto ids = listed(place_);
        kept_ = ids.at(1);
        reference_ = place_.restore(kept_);
        EXPECT_EQ(unlike_server(reference_), "");
        EXPECT_EQ(say("expire", ids.at(0)).exit_code, 0);
    }

    void expect_kept() {
        EXPECT_EQ(listed(place_), std::vector<std::string>{kept_});
        EXPECT_EQ(difference(reference_, place_.restore(kept_)), "");
    }

    void sweep_gc(const std::string& operation, const fs::path& from, const std::string& grace, unsigned points) {
        const std::vector<std::string> collect{"repo", "gc", "--grace", grace};
        sweep({.operation = operation,
               .prepare = [&, from] { place_.reset(from); },
               .run = [&](const Fault& fault) { return place_.run(collect, fault); },
               .judge =
                   [&, collect](const Ended& run) {
                       expect_kept();
                       if (!run.succeeded()) {
                           place_.plain(collect);
                           expect_kept();
                       }
                       // Then the last of it: nothing is left, nothing is lost.
                       place_.plain({"repo", "gc", "--grace", "0"});
                       expect_kept();
                       place_.plain({"backup", "verify", "--full"});
                       expect_clean();
                   },
               .points = points});
    }

    std::string kept_;
    Tree reference_;
};

TEST_F(FaultyCollection, ListsAndRewrites) {
    const auto from = set_aside("before");
    place_.reset(from);
    const auto told = json::parse(place_.plain({"--output", "json", "repo", "gc", "--grace", "1h"}));
    ASSERT_GT(told["compacted"], 0) << told.dump(1);
    ASSERT_GT(told["doomed"], 0) << told.dump(1);
    sweep_gc("repo gc that lists and rewrites", from, "1h", 18);
}

TEST_F(FaultyCollection, DeletesWhatIsListed) {
    place_.plain({"repo", "gc", "--grace", "1h"});
    const auto from = set_aside("listed");
    place_.reset(from);
    const auto told = json::parse(place_.plain({"--output", "json", "repo", "gc", "--grace", "0"}));
    ASSERT_GT(told["deleted"], 0) << told.dump(1);
    sweep_gc("repo gc that deletes", from, "0", 18);
}

/// A damaged last link of the ledger and of the events.
TEST_F(FaultyRepository, Repair) {
    place_.reset();
    const auto id = listed(place_).front();
    for (const char* type : {"pin", "unpin"}) ASSERT_EQ(say(type, id).exit_code, 0);
    for (const auto& folder : {place_.repository() / "ledger", place_.repository() / area().event_prefix()}) {
        std::vector<fs::path> links;
        for (const auto& entry : fs::directory_iterator(folder)) links.push_back(entry.path());
        // Its file may have other names: the damaged one is another file.
        const auto newest = *std::ranges::max_element(links);
        auto bytes = base::read_file(newest);
        bytes[bytes.size() / 2] ^= 1;
        fs::remove(newest);
        base::write_file_durably(newest, bytes, 0400);
    }
    give_to_server(place_.repository());
    const auto damaged = set_aside("damaged");
    place_.reset(damaged);
    ASSERT_NE(place_.run({"repo", "check"}).exit_code, 0);
    sweep({.operation = "repo repair",
           .prepare = [&] { place_.reset(damaged); },
           .run = [&](const Fault& fault) { return place_.run({"repo", "repair"}, fault); },
           .judge =
               [&](const Ended& run) {
                   if (!run.succeeded()) place_.plain({"repo", "repair"});
                   EXPECT_EQ(listed(place_).size(), 2u);
                   place_.plain({"repo", "check"});
                   place_.plain({"backup", "verify"});
               },
           .points = 14});
}

}  // namespace
}  // namespace howdah::tests
