#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "repository/pack_id.hpp"

namespace howdah::repository {

/// Where a run of a file's bytes lies. A run of one pack may cross frames: it goes on at the start of the next frame, and every frame
/// it leaves behind is full (kFrameBytes plain bytes).
struct Extent {
    std::uint64_t length = 0;    ///< Plain bytes.
    PackId pack;                 ///< Empty: the run is zeros and nothing is stored.
    std::uint32_t frame = 0;     ///< The first frame.
    std::uint32_t position = 0;  ///< Plain byte offset in that frame.
};

/// A page whose checksum was wrong in the live cluster as well, so that the backup holds it as it was found.
struct RecordedBadPage {
    std::uint32_t block = 0;
    std::uint16_t expected = 0;
    std::uint16_t found = 0;
};

enum class EntryType : std::uint8_t { file = 0, directory = 1, symlink = 2 };

/// One path of a backup. Extents cover a file's bytes exactly, in order.
struct FileEntry {
    std::string path;  ///< Relative to the subtree's root, "/"-separated.
    EntryType type = EntryType::file;
    std::uint32_t mode = 0600;  ///< Permission bits.
    std::uint64_t size = 0;
    std::int64_t modified_us = 0;  ///< mtime in microseconds since 1970 as the host had it; informative only (T20).
    std::string target;            ///< Of a symlink.
    std::vector<Extent> extents;   ///< Of small files; large ones have a map object of their own.
    std::string map;               ///< Name of the map object when extents are not inline.
    std::vector<RecordedBadPage> bad_pages;
};

/// Files of one folder of the cluster (a database of a tablespace, or everything else), at most kTreeEntries, sorted by path. Encoded
/// as bytes by encode_tree and named by the keyed hash of these bytes, so that equal subtrees are one object.
struct Tree {
    std::vector<FileEntry> entries;
};
inline constexpr std::size_t kTreeEntries = 10'000;
inline constexpr std::size_t kInlineExtents = 16;  ///< More extents than this go into a map object.

std::string encode_tree(const Tree& tree);
Tree decode_tree(std::string_view bytes, const std::string& name);
std::string encode_map(const std::vector<Extent>& extents);
std::vector<Extent> decode_map(std::string_view bytes, const std::string& name);

/// A subtree as the root names it.
struct TreeReference {
    /// Where its paths begin: "" for the data directory, "base/16384", "pg_tblspc/16400/PG_15_202209061/5", kOutsideRoot.
    std::string root;
    std::string name;  ///< 32 hex digits.
    std::uint64_t files = 0;
    base::Bytes bytes;
};

struct TablespaceReference {
    std::uint32_t oid = 0;
    std::string name;
    std::string location;  ///< Where the link pointed; empty for one in place.
};

/// Root of the tree whose paths are the host's and not the data directory's, of which none can begin so.
inline constexpr const char* kOutsideRoot = "/";

/// The path in the data directory, or on the host (with a leading "/"), of an entry of a tree with that root.
std::string whole_path(const std::string& root, const std::string& path);

/// A configuration file that lives outside the data directory (Debian keeps them in /etc), stored in the tree of kOutsideRoot.
struct OutsideFile {
    std::string path;    ///< Absolute, on the host of the backup.
    std::string stored;  ///< Path within that tree.
    std::string role;    ///< config_file, hba_file, ident_file or include.
};

/// A backup's root: small, JSON (docs/internals/repository.md), the moment it exists the backup exists.
struct Root {
    std::string id;    ///< "20261121T021530Z-7f3a": the server's time and four random hex digits; never used for order.
    std::string type;  ///< "full" or "incr"; either names every byte of every file.
    std::string cluster;
    base::SystemIdentifier system_identifier;
    int server_version = 0;
    std::uint32_t catalog_version = 0;
    std::uint32_t control_version = 0;
    base::Timeline timeline;
    base::Lsn start, stop;                    ///< Redo point of the start; end of the stop record.
    base::Timestamp start_time, stop_time;    ///< The server's.
    std::string first_segment, last_segment;  ///< WAL needed to be consistent.
    std::uint32_t wal_segment_size = 0;
    std::uint32_t block_size = 0;
    std::uint32_t data_checksum_version = 0;
    bool from_standby = false;
    std::string backup_label, tablespace_map;
    std::vector<TreeReference> trees;
    std::vector<TablespaceReference> tablespaces;
    std::vector<OutsideFile> outside;
    std::uint64_t files = 0;
    base::Bytes bytes;         ///< Plain bytes of all files.
    base::Bytes bytes_read;    ///< Read from the cluster.
    base::Bytes stored_bytes;  ///< New objects of this backup.
    double seconds = 0;
    std::uint64_t bad_pages = 0;
    std::uint64_t vanished_files = 0;
    std::string parent;                  ///< Of an incremental: the backup whose stored bytes it names again. Not needed for anything.
    std::vector<std::string> fallback;   ///< Of an incremental: why every file was read, as the WAL did not tell what changed.
    std::uint64_t unlogged_changes = 0;  ///< Of an incremental: pages that its audit found changed although WAL tells nothing of it.
    std::string alarm;                   ///< Of an incremental: the backup whose audit found such pages, when no full one came between.
    std::string program_version;
    std::string host;
    std::string previous_id;    ///< Root before this one of the same cluster, empty for the first.
    std::string previous_hash;  ///< Keyed hash of that root's document.
};
std::string encode_root(const Root& root);
Root decode_root(std::string_view document, const std::string& name);

}  // namespace howdah::repository
