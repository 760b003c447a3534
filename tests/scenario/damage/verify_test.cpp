// backup verify finds every kind of damage to every object.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "victim.hpp"

namespace howdah::tests {
namespace {

/// What a finding must name. A repository that cannot be opened without this line says why in its own words; of a lease whose release was
/// removed the link before it is named.
std::string named_for(const std::string& object, const Mutation& mutation) {
    const auto kind = Victim::kind_of(object);
    if (kind == "marker" || kind == "slot") return "";
    if (kind == "lease" && std::string_view(mutation.name) == "deleted") return object.substr(0, object.rfind('/'));
    return object;
}

class VerifyFinds : public testing::TestWithParam<bool> {
protected:
    Victim& place = victim(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Sealings, VerifyFinds, testing::Bool(), [](const auto& sealing) { return sealing.param ? "encrypted" : "plain"; });

TEST_P(VerifyFinds, NothingInAWholeRepositoryOfEveryKind) {
    EXPECT_EQ(place.verify(), "");
    std::map<std::string, int> kinds;
    for (const auto& object : place.objects()) ++kinds[Victim::kind_of(object)];
    EXPECT_FALSE(kinds.contains("foreign"));
    std::vector<std::string> wanted{"marker", "root", "tree", "map", "pack", "wal", "history", "lease", "event", "ledger", "doomed"};
    if (GetParam()) wanted.push_back("slot");
    for (const auto& kind : wanted) EXPECT_TRUE(kinds.contains(kind)) << kind;
    std::string text;
    for (const auto& [kind, count] : kinds) text += fmt::format("{} {}, ", count, kind);
    RecordProperty("objects", text);
}

TEST_P(VerifyFinds, EveryDamageToEveryObject) {
    std::size_t damages = 0;
    for (const auto& object : place.objects()) {
        for (const auto& mutation : mutations()) {
            const Damaged damaged(place, object, mutation, ++damages);
            const auto found = place.verify();
            EXPECT_NE(found.find(named_for(object, mutation)), std::string::npos) << object << " " << mutation.name << ": " << found;
            EXPECT_NE(found, "") << object << " " << mutation.name << ": nothing found";
        }
    }
    EXPECT_EQ(place.verify(), "") << "a test left damage behind";
    RecordProperty("damages", static_cast<int>(damages));
    std::fprintf(stderr, "%zu damages to %zu objects\n", damages, place.objects().size());
}

TEST_P(VerifyFinds, EverySwapOfTwoOfAKind) {
    std::size_t swaps = 0;
    for (std::size_t i = 0; i < place.objects().size(); ++i) {
        const auto& object = place.objects()[i];
        for (std::size_t j = i + 1; j < place.objects().size(); ++j) {
            const auto& other = place.objects()[j];
            if (Victim::kind_of(other) != Victim::kind_of(object)) continue;
            const auto mine = place.read(object), its = place.read(other);
            place.write(object, its);
            place.write(other, mine);
            const auto found = place.verify();
            const bool line = Victim::kind_of(object) == "slot";
            EXPECT_TRUE(!found.empty() && (line || (found.find(object) != std::string::npos && found.find(other) != std::string::npos)))
                << object << " swapped with " << other << ": " << found;
            place.write(object, mine);
            place.write(other, its);
            ++swaps;
            break;
        }
    }
    EXPECT_EQ(place.verify(), "");
    std::fprintf(stderr, "%zu swaps\n", swaps);
}

/// The command itself, for the first object of each kind: exit code, name of the object, and a repository that stays as it is.
TEST_P(VerifyFinds, AndTheCommandSaysSo) {
    EXPECT_EQ(place.server().howdah({"backup", "verify"}).exit_code, 0);
    std::set<std::string> done;
    for (const auto& object : place.objects()) {
        const auto kind = Victim::kind_of(object);
        if (!done.insert(kind).second) continue;
        for (const auto& mutation : mutations()) {
            const Damaged damaged(place, object, mutation, done.size());
            const auto result = place.server().howdah({"--output", "json", "backup", "verify"});
            SCOPED_TRACE(object + " " + mutation.name + ": " + result.output + result.errors);
            if (kind == "marker" || kind == "slot") {
                EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 3 || result.exit_code == 5);
                EXPECT_TRUE(result.exit_code == 1 || result.errors.find("HINT") != std::string::npos);
            } else {
                EXPECT_EQ(result.exit_code, 1);
                EXPECT_NE(result.output.find(named_for(object, mutation)), std::string::npos);
            }
        }
    }
}

}  // namespace
}  // namespace howdah::tests
