#include "many_files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/file.hpp"

namespace howdah::tests {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 8192;
constexpr std::array<const char*, 5> kOdd{"a blank ", "\xc3\xbc", "semi;colon", "new\nline", "100%"};

fs::path database_folder(ProtectedServer& protectee) {
    return protectee.server().data_directory() / "base" /
           protectee.session().value("SELECT oid FROM pg_database WHERE datname = 'postgres'");
}

std::string name_of(unsigned number) {
    if (number % 1000 == 7) return kOdd[number / 1000 % kOdd.size()] + std::to_string(number);
    const char* fork = number % 50 == 3 ? "_vm" : number % 50 == 4 ? "_fsm" : "";
    return std::to_string(number) + fork;
}

base::File make_file(const fs::path& path, const base::User& owner) {
    auto file = base::File::open(path, O_WRONLY | O_CREAT, 0600);
    if (::geteuid() == 0 && ::fchown(file.descriptor(), owner.uid, owner.gid) != 0)
        throw std::system_error(errno, std::generic_category(), "fchown");
    return file;
}

void set_size(const base::File& file, std::uint64_t size) {
    if (::ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0) throw std::system_error(errno, std::generic_category(), "ftruncate");
}

}  // namespace

ProtectedServer::Options without_checksums() {
    ProtectedServer::Options options;
    options.scratch.checksums = false;
    options.scratch.settings = {{"fsync", "off"}};
    return options;
}

void add_files(ProtectedServer& protectee, unsigned first, unsigned count) {
    const auto folder = database_folder(protectee);
    for (unsigned number = first; number < first + count; ++number) {
        const auto file = make_file(folder / name_of(number), protectee.server().user());
        if (number % 10 == 9) continue;
        file.write_at(base::as_bytes(fmt::format("file {}", number)), 16);
        set_size(file, kPage);
    }
}

void change_files(ProtectedServer& protectee, unsigned first, unsigned count) {
    const auto folder = database_folder(protectee);
    for (unsigned number = first; number < first + count; ++number)
        if (number % 1000 == 3)
            base::File::open(folder / name_of(number), O_WRONLY).write_at(base::as_bytes(std::string_view("changed")), 4000);
    add_files(protectee, first + count, count / 100);
}

void lose_segment(ProtectedServer& protectee) {
    std::string lost;
    for (int round = 0; round < 2; ++round) {
        auto session = protectee.session();
        session.query("SELECT pg_switch_wal()");
        session.query("SELECT pg_logical_emit_message(true, 'howdah', 'a record')");
        if (lost.empty()) lost = session.value("SELECT pg_walfile_name(pg_current_wal_lsn())");
        protectee.archive_everything();
        session.query("CHECKPOINT");
    }
    for (const auto& entry : fs::recursive_directory_iterator(protectee.repository()))
        if (entry.path().filename() == lost) fs::remove(entry.path());
    fs::remove(protectee.server().data_directory() / "pg_wal" / lost);
}

std::uint32_t add_sparse_relation(ProtectedServer& protectee, unsigned segments) {
    constexpr std::uint32_t kNumber = 3'000'000;
    const auto folder = database_folder(protectee);
    for (unsigned segment = 0; segment < segments; ++segment) {
        const auto name = segment == 0 ? std::to_string(kNumber) : fmt::format("{}.{}", kNumber, segment);
        const auto file = make_file(folder / name, protectee.server().user());
        if (segment % 8 == 5)
            file.write_at(base::as_bytes(std::string(kPage, static_cast<char>('a' + segment % 20))), (1000 + segment) * kPage);
        set_size(file, 1u << 30);
    }
    return kNumber;
}

}  // namespace howdah::tests
