#include "small_repository.hpp"

#include <fmt/core.h>

#include <cstring>
#include <random>

#include "repository/initialise.hpp"
#include "repository/ledger.hpp"
#include "repository/pack_reader.hpp"
#include "repository/wal_trailer.hpp"

namespace howdah::repository::test {

namespace {

constexpr std::uint32_t kSegment = 1u << 20;

void store_file(PackWriter& packs, const std::string& content, FileEntry& entry) {
    entry.size = content.size();
    if (content.size() <= 64 * 1024) return packs.add_small(base::as_bytes(content), entry.extents);
    for (std::size_t at = 0; at < content.size(); at += kFrameBytes) {
        const std::size_t part = std::min(kFrameBytes, content.size() - at);
        std::memcpy(packs.frame_space().data(), content.data() + at, part);
        packs.add_frame(part, entry.extents);
    }
}

}  // namespace

std::filesystem::path fast_folder() {
    const std::filesystem::path memory = "/dev/shm";
    constexpr std::uint64_t kMuch = 2ull << 30;
    return std::filesystem::is_directory(memory) && base::space_of(memory).available.count >= kMuch ? memory : std::filesystem::path();
}

Place::Place(const Place& other) : config(other.config) {
    std::filesystem::copy(other.folder.path(), folder.path(), std::filesystem::copy_options::recursive);
    config.url = "file://" + root().native();
    if (!config.key_file.empty()) config.key_file = folder.path() / "repository.key";
}

Place::Place(bool encrypted) {
    config.name = "main";
    config.url = "file://" + root().native();
    if (encrypted) config.key_file = folder.path() / "repository.key";
    initialise(config, encrypted);
}

std::string page_like(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes;
    bytes.reserve(size + 64);
    while (bytes.size() < size) {
        bytes += fmt::format("{:08x} customer-{} balance {} ", random(), random() % 1000, random() % 100000);
        if (random() % 8 == 0) bytes.append(48, '\0');
    }
    bytes.resize(size);
    return bytes;
}

Files sample_files(unsigned seed) {
    Files files;
    files["empty"] = "";
    files["zeros"] = std::string(300'000, '\0');
    files["base/5/16384"] = page_like(1'200'000, seed);
    files["base/5/16385"] = page_like(2 * kFrameBytes, seed + 1);
    for (unsigned i = 0; i < 12; ++i) files[fmt::format("base/5/small-{}", i)] = page_like(1 + 7000 * i, seed + 10 + i);
    std::string holes;
    for (unsigned i = 0; i < 24; ++i) {
        holes += page_like(kFrameBytes, seed + 100 + i);
        holes.append(kFrameBytes, '\0');
    }
    files["base/5/holes"] = holes;
    return files;
}

Root write_backup(const Repository& repository, const std::string& id, const Files& files, base::Lsn start) {
    const ClusterArea area("main", kSystem);
    Lease lease(repository, area.lease_prefix(), "backup run", {});
    PackWriter packs(repository, area, 1);
    Tree rest, database;
    for (const auto& [path, content] : files) {
        FileEntry entry;
        entry.path = path.starts_with("base/5/") ? path.substr(7) : path;
        entry.modified_us = 1'700'000'000'000'000 + static_cast<std::int64_t>(content.size());
        store_file(packs, content, entry);
        (path.starts_with("base/5/") ? database : rest).entries.push_back(entry);
    }
    FileEntry link;
    link.path = "pg_wal-link";
    link.type = EntryType::symlink;
    link.target = "/somewhere/else";
    rest.entries.push_back(link);
    packs.finish();
    TreeWriter trees(repository, area);
    for (FileEntry& entry : database.entries) trees.settle_extents(entry);
    Root root;
    root.id = id;
    root.type = "full";
    root.cluster = "main";
    root.system_identifier = kSystem;
    root.timeline = {1};
    root.start = start;
    root.stop = start + base::Bytes{100};
    root.first_segment = root.last_segment = segment_name(static_cast<unsigned>(start.value / kSegment));
    root.wal_segment_size = kSegment;
    root.backup_label = "START WAL LOCATION\n";
    root.trees = {{"", trees.write(rest), rest.entries.size(), {}}, {"base/5", trees.write(database), database.entries.size(), {}}};
    publish_backup(repository, area, root, [&] { lease.confirm(); });
    write_ledger(repository);
    return root;
}

Files read_backup(const Repository& repository, const Backup& backup) {
    Files files;
    for (const TreeReference& reference : backup.root.trees) {
        for (const FileEntry& entry : read_tree(repository, backup.area, reference.name).entries) {
            if (entry.type != EntryType::file) continue;
            const std::string path = reference.root.empty() ? entry.path : reference.root + "/" + entry.path;
            files[path] = read_bytes(repository, backup.area, read_extents(repository, backup.area, entry), entry.size);
        }
    }
    return files;
}

std::string segment_name(unsigned number) { return fmt::format("{:08X}{:08X}{:08X}", 1, number / 4096, number % 4096); }
std::string segment_bytes(unsigned number) { return page_like(kSegment, 5000 + number); }

void write_segment(const Repository& repository, unsigned number) {
    const ClusterArea area("main", kSystem);
    WalTrailer trailer;
    trailer.segment = segment_name(number);
    trailer.system_identifier = kSystem;
    trailer.segment_size = kSegment;
    trailer.timeline = {1};
    trailer.begin = {std::uint64_t{number} * kSegment};
    trailer.end = {(std::uint64_t{number} + 1) * kSegment};
    SealContext context;
    ObjectWriter writer(repository.store(), repository.key(), context, Kind::wal, area.wal(trailer.segment));
    const std::string bytes = segment_bytes(number);
    for (std::size_t at = 0; at < bytes.size(); at += kFrameBytes) writer.add_frame(base::as_bytes(bytes).subspan(at, kFrameBytes));
    writer.add_frame(base::as_bytes(encode_wal_trailer(trailer)), FrameClass::trailer);
    writer.commit();
}

}  // namespace howdah::repository::test
