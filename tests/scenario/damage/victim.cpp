#include "victim.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "archive/setup.hpp"
#include "backup/verify.hpp"
#include "base/file.hpp"
#include "repository/backups.hpp"
#include "repository/event.hpp"
#include "repository/names.hpp"

namespace howdah::tests {

namespace fs = std::filesystem;

namespace {

std::unique_ptr<Victim> victims[2];

class Ending : public testing::Environment {
public:
    void TearDown() override {
        for (auto& each : victims) each.reset();
    }
};
const auto* const ending = testing::AddGlobalTestEnvironment(new Ending);

ProtectedServer::Options small(bool encrypted) {
    ProtectedServer::Options options;
    options.encrypted = encrypted;
    options.archiving = false;
    options.scratch.wal_segment_mib = 1;
    options.scratch.settings = {{"max_wal_size", "64MB"}, {"checkpoint_timeout", "1h"}};
    return options;
}

std::string noise(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::uint64_t state = 88172645463325252ULL;
    for (auto& c : text) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        c = static_cast<char>(state);
    }
    return text;
}

}  // namespace

Victim& victim(bool encrypted) {
    auto& each = victims[encrypted ? 1 : 0];
    static bool failed[2] = {};
    if (failed[encrypted ? 1 : 0]) throw std::runtime_error("the repository could not be made; see the first test");
    failed[encrypted ? 1 : 0] = true;
    if (!each) each = std::make_unique<Victim>(encrypted);
    failed[encrypted ? 1 : 0] = false;
    return *each;
}

Victim::Victim(bool encrypted) : protectee_(small(encrypted)), encrypted_(encrypted) {
    take_backups();
    add_what_commands_cannot();
    make_another_repository();
    list_objects();
    find_what_restore_reads();
    protectee_.howdah_ok({"restore", "--backup", backup_, "--to-backup-end", "--into", truth().string()});
}

void Victim::take_backups() {
    if (encrypted_) {
        // Two slots need both secrets at the making.
        fs::remove_all(root());
        protectee_.howdah_ok({"repo", "init"}, {{"HOWDAH_REPOSITORY_MAIN_PASSPHRASE", "a phrase for the second slot"}});
    }
    auto session = protectee_.session();
    session.query("ALTER SYSTEM SET archive_command = " +
                  session.quote_literal(archive::archive_command(
                      {.binary = protectee_.binary(), .config_file = protectee_.config_file(), .cluster = "main", .force = false})));
    session.query("SELECT pg_reload_conf()");
    session.script("UPDATE pg_database SET datistemplate = false");
    session.query("DROP DATABASE template0");
    session.query("DROP DATABASE template1");
    session.script(
        "CREATE TABLE shop(id int PRIMARY KEY, note text); INSERT INTO shop SELECT g, md5(g::text) FROM generate_series(1, 5000) g");
    // Noise and holes in turns: more extents than a tree holds, so that there is a map.
    {
        std::ofstream file(protectee_.server().data_directory() / "holes.bin", std::ios::binary);
        const auto block = noise(256 << 10);
        for (int i = 0; i < 12; ++i) file << block << std::string(256 << 10, '\0');
    }
    if (::geteuid() == 0)
        base::run_process_checked(
            "chown", {"chown", protectee_.server().user().name, (protectee_.server().data_directory() / "holes.bin").string()});
    backup_ = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
    session.script("UPDATE shop SET note = upper(note)");
    later_ = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
}

void Victim::add_what_commands_cannot() {
    const std::string third = protectee_.howdah_json({"backup", "run"})["backup"]["id"];
    {
        const auto repository = repository::Repository::open(repository_config());
        const auto area = repository.areas().front();
        repository::Event event;
        event.type = "annotate";
        event.backup_id = backup_;
        event.text = "the first one";
        repository::append_event(repository, area, event);
        event.type = "expire";
        event.backup_id = third;
        repository::append_event(repository, area, event);
    }
    if (::geteuid() == 0) base::run_process_checked("chown", {"chown", "-R", protectee_.server().user().name, root().string()});
    const auto other = protectee_.workspace() / "branch";
    fs::create_directories(other / "pg_wal/archive_status");
    fs::create_directories(other / "global");
    fs::copy_file(protectee_.server().data_directory() / "global/pg_control", other / "global/pg_control");
    for (const auto& [name, text] : std::map<std::string, std::string>{
             {"00000002.history", "1\t0/5000000\tno recovery target specified\n"},
             {"00000003.history", "1\t0/5000000\tno recovery target specified\n2\t0/6000000\tno recovery target specified\n"}})
        base::write_file_durably(other / "pg_wal" / name, text, 0644);
    if (::geteuid() == 0) base::run_process_checked("chown", {"chown", "-R", protectee_.server().user().name, other.string()});
    for (const char* name : {"00000002.history", "00000003.history"})
        protectee_.howdah_ok({"wal", "push", (other / "pg_wal" / name).string()});
    for (int i = 0; i < 3; ++i) {
        protectee_.session().script(
            "INSERT INTO shop SELECT g, 'later' FROM generate_series((SELECT max(id) + 1 FROM shop), (SELECT max(id) + 500 FROM shop)) g");
        protectee_.archive_everything();
    }
    // The last operation tells the ledger of everything before it.
    protectee_.howdah_ok({"repo", "gc"});
}

void Victim::make_another_repository() {
    Environment there{{"HOWDAH_REPOSITORY_MAIN_URL", "file://" + (protectee_.workspace() / "another").string()}};
    if (encrypted_) there["HOWDAH_REPOSITORY_MAIN_PASSPHRASE"] = "a phrase of another repository";
    protectee_.howdah_ok(
        encrypted_ ? std::vector<std::string>{"repo", "init"} : std::vector<std::string>{"repo", "init", "--no-encryption"}, there);
    protectee_.howdah_ok({"repo", "gc"}, there);
}

void Victim::list_objects() {
    for (const auto& entry : fs::recursive_directory_iterator(root()))
        if (entry.is_regular_file()) objects_.push_back(fs::relative(entry.path(), root()).string());
    std::sort(objects_.begin(), objects_.end());
}

void Victim::find_what_restore_reads() {
    const auto repository = repository::Repository::open(repository_config());
    const auto found = repository::find_backup(repository, "main", backup_);
    read_by_restore_.insert(found.area.root(backup_));
    for (const auto& reference : found.root.trees) {
        read_by_restore_.insert(found.area.tree(reference.name));
        for (const auto& entry : repository::read_tree(repository, found.area, reference.name).entries) {
            if (entry.type != repository::EntryType::file) continue;
            if (!entry.map.empty()) read_by_restore_.insert(found.area.map(entry.map));
            for (const auto& extent : repository::read_extents(repository, found.area, entry))
                if (!extent.pack.empty()) read_by_restore_.insert(found.area.pack(extent.pack));
        }
    }
}

base::RepositoryConfig Victim::repository_config() const { return protectee_.config().repository(); }

std::string Victim::kind_of(const std::string& object) {
    const auto name = repository::parse_object_name(object);
    if (!name) return "foreign";
    if (name->what == repository::ObjectName::What::marker) return "marker";
    if (name->what == repository::ObjectName::What::slot) return "slot";
    return std::string(repository::word(name->kind));
}

std::string Victim::bytes_of_another(const std::string& object) const {
    std::string before, after;
    for (const auto& other : objects_) {
        if (kind_of(other) != kind_of(object) || read(other) == read(object)) continue;
        if (other < object)
            before = other;
        else if (after.empty())
            after = other;
    }
    if (!before.empty() || !after.empty()) return read(before.empty() ? after : before);
    return base::read_file_if_exists(protectee_.workspace() / "another" / object).value_or("");
}

std::string Victim::read(const std::string& object) const { return base::read_file(root() / object); }

void Victim::write(const std::string& object, const std::string& bytes) const {
    const auto path = root() / object;
    fs::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
    const auto& user = const_cast<Victim*>(this)->protectee_.server().user();
    if (::geteuid() == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0) throw std::runtime_error("chown " + path.string());
    fs::permissions(path, fs::perms::owner_read);
}

void Victim::remove(const std::string& object) const { fs::remove(root() / object); }

std::string Victim::verify() const {
    try {
        const auto repository = repository::Repository::open(repository_config());
        const auto result = backup::verify(repository, {}, 2, {}, {});
        std::string text;
        for (const auto& damage : result.damage) text += damage.object + ": " + damage.what + "\n";
        for (const auto& problem : result.problems) text += problem + "\n";
        return text;
    } catch (const base::Failure& failure) {
        return failure.what();
    }
}

const std::vector<Mutation>& mutations() {
    static const std::vector<Mutation> all{
        {"a byte changed",
         [](const Victim& victim, const std::string& object, const std::string& whole, std::size_t seed) {
             auto bytes = whole;
             const auto at = (seed * 2654435761u + 60) % bytes.size();
             bytes[at] = static_cast<char>(bytes[at] ^ (1 << (seed % 8)));
             victim.write(object, bytes);
         }},
        {"a byte cut", [](const Victim& victim, const std::string& object, const std::string& whole,
                          std::size_t) { victim.write(object, whole.substr(0, whole.size() - 1)); }},
        {"a byte appended", [](const Victim& victim, const std::string& object, const std::string& whole,
                               std::size_t) { victim.write(object, whole + '\0'); }},
        {"deleted", [](const Victim& victim, const std::string& object, const std::string&, std::size_t) { victim.remove(object); }},
        {"replaced by an older one or another of its kind", [](const Victim& victim, const std::string& object, const std::string&,
                                                               std::size_t) { victim.write(object, victim.bytes_of_another(object)); }},
    };
    return all;
}

Damaged::Damaged(const Victim& victim, std::string object, const Mutation& mutation, std::size_t seed)
    : victim_(victim), object_(std::move(object)), whole_(victim.read(object_)) {
    mutation.apply(victim_, object_, whole_, seed);
}

Damaged::~Damaged() { victim_.write(object_, whole_); }

}  // namespace howdah::tests
