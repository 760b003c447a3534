#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "base/units.hpp"

namespace howdah::storage {

/// One object in a listing.
struct Listed {
    std::string name;
    base::Bytes size;
    base::Timestamp modified;  ///< By the store's clock.
};

enum class Created { yes, exists };

/// An object being written. Nothing is visible under its name before commit() returned.
class Writer {
public:
    virtual ~Writer() = default;  ///< Uncommitted: the bytes vanish.
    /// Appends; the store may start sending them.
    virtual void append(std::span<const std::byte> bytes) = 0;
    /// Makes the object durable and visible at once, if no object has that name. After `exists` nothing was changed.
    virtual Created commit() = 0;
};

/// An object open for reading; reads may come from several threads.
class Reader {
public:
    virtual ~Reader() = default;
    virtual std::uint64_t size() const = 0;
    /// Exactly `into.size()` bytes from `offset`, or Failure(repository) naming the object and the range.
    virtual void read(std::span<std::byte> into, std::uint64_t offset) const = 0;
};

/// A place for immutable objects: create if absent (atomic, durable), ranged get, list, delete. Nothing is ever overwritten or renamed,
/// so that it works with append-only credentials; only expire and gc delete. Names are "/"-separated words of [A-Za-z0-9._-], never
/// beginning with a dot. All members are thread-safe. Every failure is base::Failure of kind `repository` with the store's location in
/// it; "does not exist" is reported only when the store said so while the repository itself is there, never for an outage.
class Store {
public:
    virtual ~Store() = default;

    /// "file:///var/lib/howdah/repository", for messages; no secrets.
    virtual const std::string& location() const = 0;

    virtual std::unique_ptr<Writer> create(const std::string& name) = 0;
    /// None when no such object exists.
    virtual std::unique_ptr<Reader> open(const std::string& name) = 0;
    /// Objects whose names begin with `prefix` (ending in "/" or empty), in order of name, at any depth.
    virtual void list(const std::string& prefix, const std::function<void(const Listed&)>& visit) = 0;
    /// The first level below `prefix`: words of names that go on after them.
    virtual std::vector<std::string> list_folders(const std::string& prefix) = 0;
    /// False when it was not there. A power cut may bring the object back until sync_removals() returned.
    virtual bool remove(const std::string& name) = 0;
    /// Makes every remove() of this store so far durable. Nothing to do for a store whose answer to a deletion is final.
    virtual void sync_removals() {}
    /// The store's clock, which ages of objects are measured against; this host's where nothing may be written.
    virtual base::Timestamp now() = 0;
    /// Temporary files of writes that were interrupted or still run, last written to at or before `until` by the store's clock; removed
    /// when `clean`. They are no objects. A writer whose file is removed fails when it commits.
    virtual std::vector<Listed> leftovers(base::Timestamp until, bool clean) = 0;

    /// Conveniences over the above.
    Created put(const std::string& name, std::span<const std::byte> bytes);
    std::optional<std::string> get(const std::string& name, base::Bytes limit = {256u << 20});
    bool exists(const std::string& name) { return open(name) != nullptr; }
};

/// Opens the store of a URL ("file:///path"; "s3://", "azure://", "gs://" come later and are refused by name). `create` makes the root
/// folder of a directory store (0700) when its parent exists; otherwise a missing root is Failure(repository).
std::unique_ptr<Store> open_store(const std::string& url, bool create = false);

}  // namespace howdah::storage
