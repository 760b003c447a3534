#include "repository/initialise.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "repository/key_slots.hpp"
#include "repository/ledger.hpp"
#include "repository/repository.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;

namespace {

/// How long nothing may have been added to what an interrupted repo init left before another one takes it away: a live one is faster.
constexpr std::chrono::seconds kUnfinishedAge{5};

bool is_of_a_beginning(const std::string& name) { return name.starts_with(kSlotPrefix) || name == std::string(kLedgerPrefix) + "00000001"; }

/// What an interrupted repo init left: objects that only a marker makes a repository of. Failure when there is anything else.
std::vector<storage::Listed> find_unfinished(storage::Store& store) {
    if (store.exists(kMarkerName))
        throw Failure(FailureKind::operation, fmt::format("place holds a repository already: {}", store.location()),
                      "use it as it is, or choose an empty place");
    std::vector<storage::Listed> left;
    std::string foreign;
    store.list("", [&](const storage::Listed& listed) {
        if (is_of_a_beginning(listed.name))
            left.push_back(listed);
        else if (foreign.empty())
            foreign = listed.name;
    });
    if (!foreign.empty())
        throw Failure(FailureKind::operation, fmt::format("place is not empty: {} holds {}", store.location(), foreign),
                      "choose an empty place");
    return left;
}

/// Refuses a place with anything in it but the beginning that an interrupted repo init left.
void check_place_is_empty(const base::RepositoryConfig& config) {
    constexpr std::string_view file = "file://";
    struct stat status{};
    if (config.url.starts_with(file) && ::stat(config.url.c_str() + file.size(), &status) != 0) return;
    find_unfinished(*storage::open_store(config.url));
}

/// Two that work at once find out in the end: see Making::expect_own_slots.
void remove_unfinished(storage::Store& store) {
    for (;;) {
        const auto left = find_unfinished(store);
        if (left.empty()) return;
        base::Timestamp newest = left.front().modified;
        for (const auto& listed : left) newest = std::max(newest, listed.modified);
        const auto wait = kUnfinishedAge - (store.now() - newest);
        if (wait <= wait.zero()) {
            for (const auto& listed : left) store.remove(listed.name);
            store.sync_removals();
            return;
        }
        base::log_warning("an interrupted repo init left {} in {}: taken away when it is {} old", left.front().name, store.location(),
                          base::text_duration(kUnfinishedAge));
        std::this_thread::sleep_for(std::min<base::Duration>(wait, kUnfinishedAge));
    }
}

/// Objects of a repository in the making, taken away again when it cannot be finished. A put that fails may have been done all the same,
/// so that each is looked at: only this run's own go.
class Making {
public:
    explicit Making(const Repository& repository) : repository_(repository), store_(repository.store()) {}
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
    ~Making() {
        if (done_) return;
        try {
            for (const auto& [name, line] : slots_)
                if (holds(name, line)) store_.remove(name);
            if (newest_ledger_mark(repository_).number == 1) store_.remove(std::string(kLedgerPrefix) + "00000001");
        } catch (const Failure& failure) {
            base::log_warning("not all of the beginning of a repository could be removed: {}", failure.what());
        }
    }

    void put_slot(const std::string& name, const std::string& line) {
        slots_.emplace_back(name, line);
        if (store_.put(name, base::as_bytes(line)) == storage::Created::exists) fail_beside_another();
    }

    /// From here on the repository exists.
    void put_marker(const std::string& line) {
        try {
            if (store_.put(kMarkerName, base::as_bytes(line)) == storage::Created::exists) fail_beside_another();
        } catch (const Failure& failure) {
            if (failure.kind() != FailureKind::repository) throw;
            // Until the contrary is known the repository may be there, and then it needs its slots.
            done_ = true;
            const bool there = holds(kMarkerName, line);
            done_ = there;
            if (!there) throw;
            base::log_warning("stored nevertheless: {}", failure.what());
        }
        done_ = true;
        expect_own_slots();
    }

private:
    bool holds(const std::string& name, const std::string& line) { return store_.get(name) == line; }

    /// Another repo init may have taken these slots for an interrupted one's.
    void expect_own_slots() {
        for (const auto& [name, line] : slots_) {
            if (holds(name, line)) continue;
            store_.remove(kMarkerName);
            done_ = false;
            fail_beside_another();
        }
    }

    [[noreturn]] void fail_beside_another() {
        throw Failure(FailureKind::operation, fmt::format("another repo init is at work in {}", store_.location()),
                      "wait for it, or choose another place");
    }

    const Repository& repository_;
    storage::Store& store_;
    std::vector<std::pair<std::string, std::string>> slots_;
    bool done_ = false;
};

}  // namespace

void check_initialise(const base::RepositoryConfig& config, bool encrypt) {
    if (encrypt && !credentials_configured(config))
        throw Failure(FailureKind::configuration,
                      fmt::format("repository {} has no key: neither key_file nor passphrase_file is set", config.name),
                      "set key_file in the configuration, or use --no-encryption");
    if (!encrypt && credentials_configured(config))
        throw Failure(FailureKind::configuration,
                      fmt::format("repository {} has a key configured and is to be made without encryption", config.name),
                      "remove key_file and passphrase_file from its configuration, or leave --no-encryption out");
    check_place_is_empty(config);
}

Initialised initialise(const base::RepositoryConfig& config, bool encrypt) {
    check_initialise(config, encrypt);
    Initialised result{.id = base::random_hex(16), .encrypted = encrypt, .key_file = config.key_file};
    if (encrypt && !config.key_file.empty()) result.key_file_made = make_key_file(config.key_file);
    const Credentials credentials = read_credentials(config);
    crypto::Key secret = unencrypted_key(result.id);
    if (encrypt) base::fill_random(secret);

    const Sealing sealing = encrypt ? Sealing::aes_256_gcm : Sealing::none;
    const Repository repository(config.name, result.id, storage::open_store(config.url, true), sealing, secret);
    const DataKey& key = repository.key();
    const base::Timestamp now = repository.store().now();
    remove_unfinished(repository.store());
    Making making(repository);
    std::uint64_t slot = 0;
    for (const bool passphrase : {false, true}) {
        if (!encrypt || !(passphrase ? credentials.passphrase.has_value() : credentials.file_key.has_value())) continue;
        ++slot;
        making.put_slot(slot_name(slot), encode_slot(wrap_data_key(slot, secret, result.id, credentials, passphrase), now, key));
    }
    crypto::wipe(secret);
    write_first_ledger(repository);
    making.put_marker(encode_marker({result.id, sealing}, now, key));
    return result;
}

}  // namespace howdah::repository
