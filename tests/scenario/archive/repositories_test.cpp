// WAL to several repositories: archiving goes on without one, which is caught up when it is back.
#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "archive/repository_backlog.hpp"
#include "fixture.hpp"
#include "repository/object.hpp"
#include "restore/start.hpp"

namespace howdah::archive {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A second repository, with a key of its own.
class Repositories : public test::ArchiveScenario {
protected:
    void begin_two(const std::string& policy = {}) {
        ASSERT_NO_FATAL_FAILURE(begin(options()));
        configure(policy);
        const auto made = howdah({"repo", "init", "--repository", "offsite"});
        ASSERT_EQ(made.exit_code, 0) << made.errors;
    }
    /// Lines of [wal].
    void configure(const std::string& policy) {
        if (one_.empty()) one_ = base::read_file(config());
        base::write_file_durably(config(),
                                 one_ + fmt::format("[repository.offsite]\nurl = \"file://{}\"\nkey_file = \"{}\"\n[wal]\n{}\n",
                                                    offsite_folder().string(), (work_ / "offsite.key").string(), policy),
                                 0644);
        give(config());
    }

    fs::path offsite_folder() const { return work_ / "offsite"; }
    void take_away(const fs::path& folder) const { fs::rename(folder, folder.string() + ".away"); }
    void bring_back(const fs::path& folder) const {
        fs::rename(folder.string() + ".away", folder);
        forget_when_down();
    }
    /// As if the 30 seconds in which a repository is passed over had gone by.
    void forget_when_down() const {
        for (const auto* name : {"main", "offsite"}) backlog(name).note_up();
    }
    RepositoryBacklog backlog(const std::string& name) const {
        return RepositoryBacklog(backlog_folder(work_ / "state" / "wal-backlog", "main", area().system(), name));
    }
    repository::Repository open(const std::string& name) const {
        base::RepositoryConfig settings;
        settings.name = name;
        settings.url = "file://" + (name == "main" ? repository_folder() : offsite_folder()).string();
        settings.key_file = work_ / (name == "main" ? "key" : "offsite.key");
        return repository::Repository::open(settings);
    }
    bool in(const std::string& repository, const std::string& name) const {
        const auto opened = open(repository);
        return WalArchive(opened, area()).has(name);
    }
    void expect_in(const std::string& repository, const std::string& name) const {
        const auto opened = open(repository);
        repository::SealContext context;
        const auto bytes = WalArchive(opened, area()).get(name, context);
        ASSERT_TRUE(bytes) << name << " is not in " << repository;
        EXPECT_TRUE(base::as_text(*bytes) == base::read_file(pg_wal() / name, {1u << 30})) << name << " in " << repository;
    }
    void expect_in_both(const std::string& name) const {
        expect_in("main", name);
        expect_in("offsite", name);
    }
    base::ProcessResult fetch_in_order(const std::string& name, std::vector<std::string> from = {}) const {
        std::vector<std::string> words{"wal", "fetch", name, (work_ / "fetched").string(), "--wait", "0", "--no-look-ahead"};
        for (const auto& each : from) words.insert(words.end(), {"--from", each});
        return howdah(words);
    }
    Json status() const {
        const auto result = howdah({"wal", "status", "--output", "json"});
        return Json::parse(result.output, nullptr, false);
    }

private:
    std::string one_;
};

/// The stored data frames, opened and not unpacked.
std::vector<std::string> opened_frames(const repository::Repository& repository, const std::string& object) {
    const repository::ObjectReader reader(repository.store().open(object), repository.key(), repository::Kind::wal, object);
    repository::SealContext context;
    std::vector<std::string> frames;
    reader.read_opened(0, static_cast<std::uint32_t>(reader.directory().size()), context,
                       [&](std::uint32_t, std::span<const std::byte> opened) { frames.emplace_back(base::as_text(opened)); });
    return frames;
}

TEST_F(Repositories, ASegmentIsCompressedOnceAndSealedForEach) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto names = switch_segments(3);
    const auto pushed = push(names[0]);
    ASSERT_EQ(pushed.exit_code, 0) << pushed.errors;
    for (const auto& name : names) ASSERT_NO_FATAL_FAILURE(expect_in_both(name));
    const auto main = open("main"), offsite = open("offsite");
    EXPECT_EQ(opened_frames(main, area().wal(names[1])), opened_frames(offsite, area().wal(names[1])));
    EXPECT_NE(base::read_file(repository_folder() / area().wal(names[1])), base::read_file(offsite_folder() / area().wal(names[1])))
        << "each under its own key";
    // The keys away: acknowledged, as both have it.
    for (const auto* key : {"key", "offsite.key"}) fs::rename(work_ / key, work_ / (std::string(key) + ".away"));
    EXPECT_EQ(push(names[1]).exit_code, 0);
    for (const auto* key : {"key", "offsite.key"}) fs::rename(work_ / (std::string(key) + ".away"), work_ / key);
    EXPECT_TRUE(backlog("main").list().empty());
    EXPECT_TRUE(backlog("offsite").list().empty());
}

TEST_F(Repositories, ArchivingGoesOnWithoutOneWhichIsCaughtUp) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto before = switch_segments(2);
    ASSERT_EQ(push(before[0]).exit_code, 0);
    take_away(offsite_folder());
    const auto names = switch_segments(4);
    const auto pushed = push(names[0]);
    EXPECT_EQ(pushed.exit_code, 0) << pushed.errors;
    EXPECT_NE(pushed.errors.find("offsite lacks 4 file(s)"), pushed.errors.npos) << pushed.errors;
    for (const auto& name : names) ASSERT_NO_FATAL_FAILURE(expect_in("main", name));
    ASSERT_EQ(backlog("offsite").list().size(), 4u);
    EXPECT_EQ(backlog("offsite").list()[0].name, names[0]);
    struct stat found{};
    ASSERT_EQ(::stat((work_ / "state" / "wal-backlog").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777u, 0700u);
    EXPECT_EQ(push(names[1]).exit_code, 0) << "acknowledged, and noted for the other";

    const Json wal = status()["wal"];
    ASSERT_EQ(wal["repositories"].size(), 2u) << wal.dump(1);
    EXPECT_TRUE(wal["repositories"][0]["ok"]);
    EXPECT_EQ(wal["repositories"][1]["lacking"], 4);
    EXPECT_FALSE(wal["repositories"][1]["failure"].is_null());

    bring_back(offsite_folder());
    fs::remove(pg_wal() / names[0]);  // The server needs it no more: it comes from the other repository.
    const auto after = switch_segments(1);
    const auto again = push(after[0]);
    EXPECT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_TRUE(backlog("offsite").list().empty());
    EXPECT_TRUE(in("offsite", names[0]));
    for (const auto& name : {names[1], names[2], names[3], after[0]}) ASSERT_NO_FATAL_FAILURE(expect_in_both(name));
    const auto main = open("main"), offsite = open("offsite");
    EXPECT_EQ(opened_frames(main, area().wal(names[0])), opened_frames(offsite, area().wal(names[0])));
}

TEST_F(Repositories, OneSeenDownIsPassedOverForAWhile) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    take_away(offsite_folder());
    const auto names = switch_segments(3);
    ASSERT_EQ(howdah({"wal", "push", "pg_wal/" + names[0]}, {{"HOWDAH_WAL_PUSH_AHEAD", "0"}}).exit_code, 0);
    fs::rename(offsite_folder().string() + ".away", offsite_folder());
    ASSERT_EQ(howdah({"wal", "push", "pg_wal/" + names[1]}, {{"HOWDAH_WAL_PUSH_AHEAD", "0"}}).exit_code, 0);
    EXPECT_FALSE(in("offsite", names[1])) << "not tried within 30 seconds";
    // But when there is no other it is tried.
    take_away(repository_folder());
    const auto last = howdah({"wal", "push", "pg_wal/" + names[2]}, {{"HOWDAH_WAL_PUSH_AHEAD", "0"}});
    EXPECT_EQ(last.exit_code, 0) << last.errors;
    EXPECT_TRUE(in("offsite", names[2]));
    EXPECT_EQ(backlog("main").list().size(), 1u);
}

TEST_F(Repositories, WithoutAnyThePushFails) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    take_away(repository_folder());
    take_away(offsite_folder());
    const auto name = switch_segments(1)[0];
    EXPECT_EQ(push(name).exit_code, 5);
    EXPECT_TRUE(backlog("main").list().empty());
    EXPECT_TRUE(backlog("offsite").list().empty()) << "it was not archived";
    bring_back(repository_folder());
    EXPECT_EQ(push(name).exit_code, 0);
    fs::rename(work_ / "offsite.away", offsite_folder());
}

TEST_F(Repositories, ARequiredOneStopsArchiving) {
    ASSERT_NO_FATAL_FAILURE(begin_two("required = [\"offsite\"]"));
    take_away(offsite_folder());
    const auto name = switch_segments(1)[0];
    EXPECT_EQ(push(name).exit_code, 5);
    EXPECT_TRUE(backlog("offsite").list().empty());
    bring_back(offsite_folder());
    EXPECT_EQ(push(name).exit_code, 0);
    expect_in_both(name);
    fs::rename(work_ / "offsite.key", work_ / "offsite.key.away");
    EXPECT_EQ(push(switch_segments(1)[0]).exit_code, 3) << "a missing key of the required one";
}

TEST_F(Repositories, BeyondTheLimitOneCountsAsRequired) {
    ASSERT_NO_FATAL_FAILURE(begin_two("backlog_limit = \"1h\""));
    take_away(offsite_folder());
    const auto names = switch_segments(2);
    ASSERT_EQ(howdah({"wal", "push", "pg_wal/" + names[0]}, {{"HOWDAH_WAL_PUSH_AHEAD", "0"}}).exit_code, 0);
    const fs::path noted = backlog_folder(work_ / "state" / "wal-backlog", "main", area().system(), "offsite") / names[0];
    fs::last_write_time(noted, fs::last_write_time(noted) - std::chrono::hours(2));
    EXPECT_EQ(push(names[1]).exit_code, 5);
    EXPECT_EQ(howdah({"wal", "status", "--output", "nagios"}).exit_code, 2);
    bring_back(offsite_folder());
    EXPECT_EQ(push(names[1]).exit_code, 0);
    expect_in_both(names[0]);
    expect_in_both(names[1]);
}

TEST_F(Repositories, OneThatHoldsOtherBytesIsNamedAndGivenNoMore) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto names = switch_segments(3);
    // offsite holds another history's segment of that name.
    std::string bytes = base::read_file(pg_wal() / names[0]);
    bytes.back() = 'x';
    {
        const auto offsite = open("offsite");
        repository::SealContext context;
        WalArchive(offsite, area()).put_segment(names[0], base::as_bytes(bytes), context);
        for (const auto& entry : fs::recursive_directory_iterator(offsite_folder())) give(entry.path());
    }
    const auto pushed = push(names[0]);
    EXPECT_EQ(pushed.exit_code, 0) << pushed.errors;
    EXPECT_NE(pushed.errors.find("differs"), pushed.errors.npos) << pushed.errors;
    EXPECT_FALSE(in("offsite", names[1]));
    EXPECT_FALSE(in("offsite", names[2]));
    const auto later = switch_segments(1)[0];
    EXPECT_EQ(push(later).exit_code, 0);
    EXPECT_FALSE(in("offsite", later));
    EXPECT_EQ(status()["wal"]["repositories"][1]["differs"], names[0]);
    const auto caught = howdah({"wal", "catch-up"});
    EXPECT_EQ(caught.exit_code, 1) << caught.output;
    EXPECT_FALSE(in("offsite", names[1])) << "nothing is written where there is a conflict";
    configure("required = [\"offsite\"]");
    EXPECT_EQ(push(switch_segments(1)[0]).exit_code, 1);
}

TEST_F(Repositories, CatchUpFillsGapsAndBringsBackNothingThatWasLetGo) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto names = switch_segments(8);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    for (const std::size_t gone : {0u, 1u, 4u, 7u}) fs::remove(offsite_folder() / area().wal(names[gone]));
    fs::remove(repository_folder() / area().wal(names[5]));
    for (const auto& name : names) fs::rename(pg_wal() / name, work_ / name);
    const auto planned = howdah({"wal", "catch-up", "--dry-run", "--output", "json"});
    EXPECT_EQ(planned.exit_code, 0) << planned.errors;
    EXPECT_FALSE(in("offsite", names[4]));
    const Json plan = Json::parse(planned.output);
    ASSERT_EQ(plan["repositories"].size(), 2u) << plan.dump(1);
    EXPECT_EQ(plan["repositories"][0]["lacking"], Json({names[5]}));
    EXPECT_EQ(plan["repositories"][1]["lacking"], Json({names[4], names[7]}));
    const auto done = howdah({"wal", "catch-up"});
    EXPECT_EQ(done.exit_code, 0) << done.errors << done.output;
    for (const auto& name : names) fs::rename(work_ / name, pg_wal() / name);
    for (std::size_t i = 2; i < 8; ++i) ASSERT_NO_FATAL_FAILURE(expect_in_both(names[i]));
    EXPECT_FALSE(in("offsite", names[0])) << "before its first";
    EXPECT_FALSE(in("offsite", names[1]));
    EXPECT_EQ(howdah({"wal", "catch-up"}).exit_code, 0);
}

TEST_F(Repositories, CatchUpNeverMixesTwoHistories) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto names = switch_segments(4);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    fs::remove(offsite_folder() / area().wal(names[2]));
    fs::remove(offsite_folder() / area().wal(names[3]));
    // What offsite holds below the gap is of another history.
    std::string bytes = base::read_file(pg_wal() / names[1]);
    bytes.back() = 'x';
    fs::remove(offsite_folder() / area().wal(names[1]));
    {
        const auto offsite = open("offsite");
        repository::SealContext context;
        WalArchive(offsite, area()).put_segment(names[1], base::as_bytes(bytes), context);
        for (const auto& entry : fs::recursive_directory_iterator(offsite_folder())) give(entry.path());
    }
    const auto done = howdah({"wal", "catch-up", "--output", "json"});
    EXPECT_EQ(done.exit_code, 1) << done.errors;
    EXPECT_NE(done.output.find("differs"), done.output.npos) << done.output;
    EXPECT_FALSE(in("offsite", names[2]));
    EXPECT_FALSE(in("offsite", names[3]));
}

TEST_F(Repositories, FetchTakesFromWhoeverHasItAndProvesAbsenceFromAll) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto names = switch_segments(3);
    ASSERT_EQ(push(names[0]).exit_code, 0);
    fs::remove(repository_folder() / area().wal(names[1]));
    EXPECT_EQ(fetch_in_order(names[1]).exit_code, 0) << "a gap of the first";
    EXPECT_TRUE(base::read_file(work_ / "fetched", {1u << 30}) == base::read_file(pg_wal() / names[1], {1u << 30}));
    const std::string never = "0000000100000000000000F0";
    EXPECT_EQ(fetch_in_order(never).exit_code, 1);
    take_away(repository_folder());
    const auto passed = fetch_in_order(names[2]);
    EXPECT_EQ(passed.exit_code, 0) << passed.errors;
    EXPECT_NE(passed.errors.find("passed over"), passed.errors.npos) << passed.errors;
    EXPECT_EQ(fetch_in_order(never).exit_code, 126) << "one could not be asked";
    EXPECT_EQ(fetch_in_order(never, {"offsite"}).exit_code, 1) << "asked alone";
    EXPECT_EQ(fetch_in_order(names[0], {"offsite", "main"}).exit_code, 0);
    bring_back(repository_folder());
    fs::rename(work_ / "key", work_ / "key.away");
    EXPECT_EQ(fetch_in_order(names[2]).exit_code, 0) << "the other's key is there";
    EXPECT_EQ(fetch_in_order(never).exit_code, 126);
    // One that knows nothing of the cluster proves nothing alone.
    fs::rename(work_ / "key.away", work_ / "key");
    fs::rename(offsite_folder() / "cluster", work_ / "cluster");
    EXPECT_EQ(fetch_in_order(never).exit_code, 1);
    EXPECT_EQ(fetch_in_order(never, {"offsite"}).exit_code, 126);
}

TEST_F(Repositories, AServersOwnCommandGoesOnAndRecoveryPassesAGap) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    const auto set = howdah({"wal", "setup", "--force", "--wait", "1min"});
    ASSERT_EQ(set.exit_code, 0) << set.errors;
    EXPECT_NE(set.output.find("Proven"), set.output.npos) << set.output;
    const auto backup = howdah({"backup", "run", "--repository", "offsite"});
    ASSERT_EQ(backup.exit_code, 0) << backup.errors;
    postgres::Session asking = session();
    asking.query("CREATE TABLE public.log AS SELECT 1 AS id");
    take_away(offsite_folder());
    std::vector<std::string> names;
    for (int i = 0; i < 3; ++i) {
        asking.query("INSERT INTO public.log SELECT max(id) + 1 FROM public.log");
        names.push_back(switch_segment(asking));
    }
    const auto archived_by_server = [&](const std::string& name) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (!fs::exists(pg_wal() / "archive_status" / (name + ".done")) && std::chrono::steady_clock::now() < deadline)
            base::Cancellation().sleep(std::chrono::milliseconds(20));
        EXPECT_TRUE(fs::exists(pg_wal() / "archive_status" / (name + ".done"))) << name;
    };
    for (const auto& name : names) archived_by_server(name);
    fs::rename(offsite_folder().string() + ".away", offsite_folder());  // Still passed over: offsite has a gap before what follows.
    const auto into = work_ / "restored";
    const auto restored = howdah({"restore", "--repository", "offsite", "--into", into.string()});
    ASSERT_EQ(restored.exit_code, 0) << restored.errors;
    const std::string settings = base::read_file(into / "postgresql.auto.conf");
    EXPECT_NE(settings.find("--from offsite --from main"), settings.npos) << settings;
    auto copy = restore::start_sandbox(into, server_->programs(), std::chrono::minutes(2), {});
    EXPECT_EQ(postgres::Session(copy.conninfo()).value("SELECT max(id) FROM public.log"), "4") << "what offsite lacks came from main";
}

/// The fault points that only several repositories have, from the source: a new one is tested without being listed.
std::set<std::string> fault_points() {
    std::set<std::string> found;
    const std::regex call("fault_point\\(\"(wal_repositories\\.[a-z_]+)\"\\)");
    for (const auto& entry : fs::directory_iterator(tests::source_folder() / "src" / "archive")) {
        std::ifstream file(entry.path());
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        for (std::sregex_iterator match(text.begin(), text.end(), call); match != std::sregex_iterator(); ++match)
            found.insert((*match)[1]);
    }
    return found;
}

TEST_F(Repositories, KilledAnywhereTheNextTimeIsRight) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    ASSERT_EQ(push(switch_segments(1)[0]).exit_code, 0);
    const auto points = fault_points();
    ASSERT_GE(points.size(), 3u);
    for (const auto& point : points) {
        SCOPED_TRACE(point);
        const auto names = switch_segments(3);
        take_away(offsite_folder());
        const bool noting = point == "wal_repositories.after_backlog";
        const auto first =
            push(names[0], noting ? std::map<std::string, std::string>{{"HOWDAH_FAULT", point}} : std::map<std::string, std::string>{});
        EXPECT_EQ(first.exit_code, noting ? 128 + 9 : 0) << first.errors;
        bring_back(offsite_folder());
        if (!noting) {
            const auto words = point == "wal_repositories.after_catch_up" ? std::vector<std::string>{"wal", "catch-up"}
                                                                          : std::vector<std::string>{"wal", "push", "pg_wal/" + names[1]};
            const auto fault = point == "wal_repositories.after_fill" ? switch_segments(1)[0] : names[1];
            const auto killed =
                howdah(point == "wal_repositories.after_fill" ? std::vector<std::string>{"wal", "push", "pg_wal/" + fault} : words,
                       {{"HOWDAH_FAULT", point}});
            EXPECT_EQ(killed.exit_code, 128 + 9) << killed.errors;
        }
        for (const auto& name : names) EXPECT_EQ(push(name).exit_code, 0) << name;
        const auto last = switch_segments(1)[0];
        EXPECT_EQ(push(last).exit_code, 0);
        EXPECT_TRUE(backlog("offsite").list().empty());
        for (const auto& name : names) ASSERT_NO_FATAL_FAILURE(expect_in_both(name));
        ASSERT_NO_FATAL_FAILURE(expect_in_both(last));
    }
}

/// Whatever is there and whatever is not: success means that a repository has the segment, and that the backlog names all the others.
TEST_F(Repositories, SuccessNeverMeansNowhere) {
    ASSERT_NO_FATAL_FAILURE(begin_two());
    std::uint64_t seed = 20261121;
    for (int round = 0; round < 12; ++round) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const bool without_main = (seed >> 33) % 2, without_offsite = (seed >> 40) % 2, no_key = (seed >> 50) % 4 == 0;
        SCOPED_TRACE(fmt::format("round {}: {} {} {}", round, without_main, without_offsite, no_key));
        const auto name = switch_segments(1)[0];
        if (without_main) take_away(repository_folder());
        if (without_offsite) take_away(offsite_folder());
        if (no_key) fs::rename(work_ / "offsite.key", work_ / "offsite.key.away");
        forget_when_down();
        const auto pushed = push(name);
        if (no_key) fs::rename(work_ / "offsite.key.away", work_ / "offsite.key");
        if (without_main) bring_back(repository_folder());
        if (without_offsite) bring_back(offsite_folder());
        EXPECT_EQ(pushed.exit_code == 0, in("main", name) || in("offsite", name)) << pushed.errors;
        if (pushed.exit_code != 0) continue;
        for (const auto* each : {"main", "offsite"}) {
            const auto lacking = backlog(each).list();
            const bool noted = std::any_of(lacking.begin(), lacking.end(), [&](const auto& entry) { return entry.name == name; });
            EXPECT_EQ(in(each, name), !noted) << each;
        }
    }
    EXPECT_EQ(push(switch_segments(1)[0]).exit_code, 0);
    EXPECT_EQ(howdah({"wal", "catch-up"}).exit_code, 0);
    EXPECT_TRUE(backlog("main").list().empty());
    EXPECT_TRUE(backlog("offsite").list().empty());
}

}  // namespace
}  // namespace howdah::archive
