#include "faulty_store.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

namespace howdah::tests {

using base::FailureKind;
using base::SystemFailure;
using storage::Created;
using storage::Listed;
using storage::Store;

namespace {

constexpr std::size_t kMostCalls = 20'000;
constexpr std::size_t kNameBytes = 127;

struct Note {
    CallKind kind;
    std::array<char, kNameBytes> object;
};

}  // namespace

struct CallBook::Shared {
    Fault fault;
    std::atomic<std::uint64_t> count;
    std::array<Note, kMostCalls> notes;
};

CallBook::CallBook() {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
    shared_ = new (memory) Shared;
    reset({});
}

CallBook::~CallBook() { ::munmap(shared_, sizeof(Shared)); }

void CallBook::reset(const Fault& fault) {
    shared_->fault = fault;
    shared_->count = 0;
}

std::vector<Call> CallBook::calls() const {
    std::vector<Call> calls(shared_->count);
    for (std::size_t i = 0; i < calls.size() && i < kMostCalls; ++i) calls[i] = {shared_->notes[i].kind, shared_->notes[i].object.data()};
    return calls;
}

const Call* CallBook::struck() const {
    const auto number = shared_->fault.call;
    if (number == 0 || number > shared_->count || number > kMostCalls) return nullptr;
    const Note& note = shared_->notes[number - 1];
    struck_ = {note.kind, note.object.data()};
    return &struck_;
}

Shape CallBook::shape() const { return shared_->fault.shape; }

void CallBook::fail(CallKind kind, const std::string& object, int error) const {
    throw SystemFailure(FailureKind::repository, fmt::format("injected: {} of {}", word(kind), object), error);
}

bool CallBook::note(CallKind kind, const std::string& object) {
    const auto number = ++shared_->count;
    if (number <= kMostCalls) {
        Note& note = shared_->notes[number - 1];
        note.kind = kind;
        const auto length = std::min(object.size(), kNameBytes - 1);
        std::memcpy(note.object.data(), object.data(), length);
        note.object[length] = '\0';
    }
    const Fault& fault = shared_->fault;
    if (fault.call == 0 || number < fault.call) return false;
    if (fault.shape == Shape::outage) fail(kind, object, EIO);
    if (number > fault.call) return false;
    if (fault.shape == Shape::error) fail(kind, object, EIO);
    if (fault.shape == Shape::full) fail(kind, object, ENOSPC);
    return true;
}

namespace {

CallBook* current_book = nullptr;

class FaultyReader final : public storage::Reader {
public:
    FaultyReader(CallBook& book, std::string object, std::unique_ptr<Reader> real, bool cut)
        : book_(book), object_(std::move(object)), real_(std::move(real)), size_(cut ? real_->size() / 2 : real_->size()) {}

    std::uint64_t size() const override { return size_; }
    void read(std::span<std::byte> into, std::uint64_t offset) const override {
        const bool struck = book_.note(CallKind::read, object_);
        if (offset + into.size() > size_) book_.fail(CallKind::read, object_, EIO);
        if (struck && book_.shape() == Shape::cut) {
            real_->read(into.first(into.size() / 2), offset);
            book_.fail(CallKind::read, object_, EIO);
        }
        real_->read(into, offset);
        if (struck && !into.empty()) into[into.size() / 2] ^= std::byte{0x10};
    }

private:
    CallBook& book_;
    std::string object_;
    std::unique_ptr<Reader> real_;
    std::uint64_t size_;
};

class FaultyWriter final : public storage::Writer {
public:
    FaultyWriter(CallBook& book, std::string object, std::unique_ptr<Writer> real)
        : book_(book), object_(std::move(object)), real_(std::move(real)) {}

    void append(std::span<const std::byte> bytes) override {
        book_.note(CallKind::append, object_);
        real_->append(bytes);
    }
    Created commit() override {
        const bool struck = book_.note(CallKind::commit, object_);
        const Created created = real_->commit();
        if (struck) book_.fail(CallKind::commit, object_, EIO);
        return created;
    }

private:
    CallBook& book_;
    std::string object_;
    std::unique_ptr<Writer> real_;
};

class FaultyStore final : public Store {
public:
    FaultyStore(CallBook& book, std::unique_ptr<Store> real) : book_(book), real_(std::move(real)) {}

    const std::string& location() const override { return real_->location(); }

    std::unique_ptr<storage::Writer> create(const std::string& name) override {
        book_.note(CallKind::create, name);
        return std::make_unique<FaultyWriter>(book_, name, real_->create(name));
    }

    std::unique_ptr<storage::Reader> open(const std::string& name) override {
        const bool cut = book_.note(CallKind::open, name);
        auto reader = real_->open(name);
        if (!reader) return nullptr;
        return std::make_unique<FaultyReader>(book_, name, std::move(reader), cut);
    }

    void list(const std::string& prefix, const std::function<void(const Listed&)>& visit) override {
        if (!book_.note(CallKind::list, prefix)) return real_->list(prefix, visit);
        std::vector<Listed> found;
        real_->list(prefix, [&](const Listed& object) { found.push_back(object); });
        for (std::size_t i = 0; i < found.size() / 2; ++i) visit(found[i]);
        book_.fail(CallKind::list, prefix, EIO);
    }

    std::vector<std::string> list_folders(const std::string& prefix) override {
        book_.note(CallKind::folders, prefix);
        return real_->list_folders(prefix);
    }

    bool remove(const std::string& name) override {
        const bool struck = book_.note(CallKind::remove, name);
        const bool removed = real_->remove(name);
        if (struck) book_.fail(CallKind::remove, name, EIO);
        return removed;
    }

    void sync_removals() override {
        const bool struck = book_.note(CallKind::sync, "");
        real_->sync_removals();
        if (struck) book_.fail(CallKind::sync, "", EIO);
    }

    base::Timestamp now() override {
        book_.note(CallKind::now, "");
        return real_->now();
    }

    std::vector<Listed> leftovers(base::Timestamp until, bool clean) override {
        const bool struck = book_.note(CallKind::leftovers, "");
        auto found = real_->leftovers(until, clean);
        if (struck) book_.fail(CallKind::leftovers, "", EIO);
        return found;
    }

private:
    CallBook& book_;
    std::unique_ptr<Store> real_;
};

}  // namespace

void intercept_stores(CallBook* book) { current_book = book; }

/// The linker gives every call of storage::open_store to the second one, and the first is what it is in the program (--wrap in
/// tests/CMakeLists.txt).
std::unique_ptr<Store> real_open_store(const std::string& url, bool create) asm("__real_" HOWDAH_OPEN_STORE);
std::unique_ptr<Store> wrapped_open_store(const std::string& url, bool create) asm("__wrap_" HOWDAH_OPEN_STORE);

std::unique_ptr<Store> wrapped_open_store(const std::string& url, bool create) {
    if (!current_book) return real_open_store(url, create);
    current_book->note(CallKind::connect, url);
    return std::make_unique<FaultyStore>(*current_book, real_open_store(url, create));
}

}  // namespace howdah::tests
