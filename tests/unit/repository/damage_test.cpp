#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>

#include "repository/event.hpp"
#include "repository/gc.hpp"
#include "repository/lease.hpp"
#include "repository/ledger.hpp"
#include "repository/names.hpp"
#include "repository/verify.hpp"
#include "small_repository.hpp"

namespace howdah::repository::test {
namespace {

namespace fs = std::filesystem;

/// Makes a repository with an object of every kind: two backups, WAL, a history, events, a doomed list.
void fill(const Place& place) {
    const Repository repository = place.open();
    for (unsigned segment = 1; segment <= 5; ++segment) write_segment(repository, segment);
    write_document(repository.store(), repository.key(), Kind::history, place.area().history("00000002.history"),
                   "1\t0/300000\tno recovery target\n");
    Files files{{"empty", ""}, {"base/5/1", page_like(600'000, 1)}, {"base/5/2", page_like(5000, 2)}};
    std::string holes;
    for (char i = 0; i < 20; ++i) holes += std::string(kFrameBytes, static_cast<char>('a' + i)) + std::string(kFrameBytes, '\0');
    files["base/5/holes"] = holes;
    write_backup(repository, "first", files, {2u << 20});
    write_backup(repository, "second", {{"base/5/1", page_like(700'000, 3)}}, {4u << 20});
    write_backup(repository, "third", {{"base/5/1", page_like(7'000, 4)}}, {4u << 20});
    Event event;
    event.type = "expire";
    event.backup_id = "third";
    append_event(repository, place.area(), event);
    collect_garbage(repository, {}, {});
    event.type = "pin";
    event.backup_id = "second";
    append_event(repository, place.area(), event);
}

/// One for each sealing, made at first use.
const Place& filled(bool encrypted) {
    const auto make = [](bool sealed) {
        auto place = std::make_unique<Place>(sealed);
        fill(*place);
        return place;
    };
    static const std::unique_ptr<Place> plain = make(false), sealed = make(true);
    return encrypted ? *sealed : *plain;
}

/// A copy of it to damage.
class Victim {
public:
    explicit Victim(bool encrypted) : place(filled(encrypted)) {
        for (const auto& entry : fs::recursive_directory_iterator(place.root()))
            if (entry.is_regular_file()) objects.push_back(fs::relative(entry.path(), place.root()).native());
        std::ranges::sort(objects);
    }

    std::string read(const std::string& object) const { return base::read_file(place.root() / object); }
    void write(const std::string& object, const std::string& content) const {
        fs::create_directories((place.root() / object).parent_path());
        fs::remove(place.root() / object);
        std::ofstream(place.root() / object, std::ios::binary) << content;
    }

    std::vector<Damage> verify() const {
        const Repository repository = place.open();
        base::Progress progress("verifying", {}, false);
        return verify_objects(repository, {}, 2, progress, {}, {});
    }

    /// Whether opening or verifying tells of anything, naming the object when `object` is given.
    std::string detects() const {
        try {
            std::string found;
            for (const Damage& damage : verify()) found += damage.object + ": " + damage.what + "\n";
            return found;
        } catch (const base::Failure& failure) {
            return failure.what();
        }
    }

    Place place;
    std::vector<std::string> objects;
};

/// Two objects of one kind have the same name but for what tells them apart.
std::string kind_of(const std::string& object) {
    const auto name = parse_object_name(object);
    if (!name) return "foreign";
    if (name->what == ObjectName::What::marker) return "marker";
    if (name->what == ObjectName::What::slot) return "slot";
    return std::string(word(name->kind));
}

class DamageTest : public testing::TestWithParam<bool> {
protected:
    Victim victim{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Sealings, DamageTest, testing::Bool(), [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(DamageTest, AWholeRepositoryHasNone) {
    EXPECT_EQ(victim.detects(), "");
    std::set<std::string> kinds;
    for (const std::string& object : victim.objects) kinds.insert(kind_of(object));
    EXPECT_EQ(kinds.size(), GetParam() ? 12u : 11u) << "not every kind of object is there";
    EXPECT_EQ(kinds.count("foreign"), 0u);
    const Repository repository = victim.place.open();
    const CheckResult check = check_repository(repository, {});
    EXPECT_EQ(check.problems, std::vector<std::string>{});
    EXPECT_EQ(check.objects, victim.objects.size());
}

TEST_P(DamageTest, EveryObjectChangedCutOrLengthenedShows) {
    std::mt19937 random(testing::UnitTest::GetInstance()->random_seed() + 7);
    for (const std::string& object : victim.objects) {
        const std::string whole = victim.read(object);
        std::vector<std::size_t> places{0, 8, whole.size() / 2, whole.size() - 1, random() % whole.size()};
        for (const std::size_t at : places) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
            victim.write(object, changed);
            EXPECT_NE(victim.detects(), "") << object << " byte " << at;
        }
        victim.write(object, whole.substr(0, whole.size() - 1));
        EXPECT_NE(victim.detects(), "") << object << " cut at its end";
        victim.write(object, whole.substr(1));
        EXPECT_NE(victim.detects(), "") << object << " cut at its beginning";
        victim.write(object, whole + '\0');
        EXPECT_NE(victim.detects(), "") << object << " lengthened";
        victim.write(object, "");
        EXPECT_NE(victim.detects(), "") << object << " emptied";
        victim.write(object, whole);
    }
    EXPECT_EQ(victim.detects(), "");
}

TEST_P(DamageTest, ADamagedNewestLedgerEntryStopsNoChain) {
    const std::string newest =
        *std::ranges::max_element(victim.objects, {}, [](const std::string& name) { return name.starts_with(kLedgerPrefix) ? name : ""; });
    victim.write(newest, "x");
    const Repository repository = victim.place.open();
    Lease(repository, victim.place.area().lease_prefix(), "backup run", {}).release();
    EXPECT_NE(victim.detects(), "");
}

TEST_P(DamageTest, TheLedgerRecordsNoForeignNames) {
    const Repository repository = victim.place.open();
    const std::vector<std::string> foreign{"history/.nfs0001", "history/notes.txt", "backup/.nfs0001"};
    for (const std::string& name : foreign) victim.write(victim.place.area().prefix() + name, "x");
    write_ledger(repository, {});
    for (const std::string& name : foreign) fs::remove(victim.place.root() / (victim.place.area().prefix() + name));
    EXPECT_EQ(compare_ledger(repository), std::vector<std::string>{});
}

TEST_P(DamageTest, EveryDeletedObjectShows) {
    for (const std::string& object : victim.objects) {
        const std::string whole = victim.read(object);
        fs::remove(victim.place.root() / object);
        EXPECT_NE(victim.detects(), "") << object << " deleted";
        victim.write(object, whole);
    }
    EXPECT_EQ(victim.detects(), "");
}

TEST_P(DamageTest, EverySwapAndEveryOlderCopyShows) {
    for (const std::string& object : victim.objects) {
        const std::string whole = victim.read(object);
        for (const std::string& other : victim.objects) {
            if (other >= object || kind_of(other) != kind_of(object)) continue;
            const std::string older = victim.read(other);
            victim.write(object, older);
            EXPECT_NE(victim.detects(), "") << object << " replaced by " << other;
            victim.write(other, whole);
            EXPECT_NE(victim.detects(), "") << object << " swapped with " << other;
            victim.write(other, older);
            break;
        }
        victim.write(object, whole);
    }
    EXPECT_EQ(victim.detects(), "");
}

TEST_P(DamageTest, NothingWrongIsEverReadAsAFile) {
    const Repository clean = victim.place.open();
    const Backup backup = find_backup(clean, "main", "first");
    const Files files = read_backup(clean, backup);
    std::mt19937 random(5);
    for (const std::string& object : victim.objects) {
        if (kind_of(object) != "pack" && kind_of(object) != "tree" && kind_of(object) != "map") continue;
        const std::string whole = victim.read(object);
        for (int i = 0; i < 12; ++i) {
            std::string changed = whole;
            const std::size_t at = random() % whole.size();
            changed[at] = static_cast<char>(changed[at] ^ (1 << (random() % 8)));
            victim.write(object, changed);
            const Repository repository = victim.place.open();
            try {
                EXPECT_EQ(read_backup(repository, backup), files) << object << " byte " << at;
            } catch (const base::Failure& failure) {
                EXPECT_EQ(failure.kind(), base::FailureKind::operation) << failure.what();
            }
        }
        victim.write(object, whole);
    }
}

TEST_P(DamageTest, AForeignFileShows) {
    victim.write("cluster/main/notes.txt", "hello");
    EXPECT_NE(victim.detects().find("cluster/main/notes.txt"), std::string::npos);
}

TEST_P(DamageTest, DamageNamesTheBackupsThatNeedIt) {
    const Repository repository = victim.place.open();
    const auto backup = find_backup(repository, "main", "second");
    const Tree tree = read_tree(repository, backup.area, backup.root.trees[1].name);
    const std::string pack = backup.area.pack(tree.entries[0].extents[0].pack);
    std::string bytes = victim.read(pack);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    victim.write(pack, bytes);
    const auto damage = victim.verify();
    ASSERT_EQ(damage.size(), 1u);
    EXPECT_EQ(damage[0].object, pack);
    EXPECT_NE(damage[0].what.find("needed by backup second"), std::string::npos) << damage[0].what;
}

TEST_P(DamageTest, ALaterOperationDoesNotHideALoss) {
    fs::remove(victim.place.root() / victim.place.area().root("second"));
    fs::remove(victim.place.root() / victim.place.area().wal(segment_name(1)));
    const Repository repository = victim.place.open();
    write_backup(repository, "fourth", {{"x", "y"}}, {5u << 20});
    const std::string found = victim.detects();
    EXPECT_NE(found.find("backup/second"), std::string::npos) << found;
    EXPECT_NE(found.find(segment_name(1)), std::string::npos) << found;
}

}  // namespace
}  // namespace howdah::repository::test
