#include "models/explore/store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "sim/spec/diagnostics.hpp"

namespace mlosim::explore {
namespace {

constexpr const char* kSchema = "mlosim/store/1";

}  // namespace

class Store::Database {
 public:
  explicit Database(std::string path) : path_(std::move(path)), was_there_(std::filesystem::exists(path_)) {
    const int code = sqlite3_open_v2(path_.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (code != SQLITE_OK) {
      const std::string why = handle_ ? sqlite3_errmsg(handle_) : "out of memory";
      sqlite3_close(handle_);
      refuse("the store cannot be opened", why);
    }
  }
  ~Database() {
    std::error_code error;
    if (is_locked_ && !was_there_ && !has_results_) std::filesystem::remove(path_, error);
    for (sqlite3_stmt* statement : {put_, find_}) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[noreturn]] void refuse(const std::string& message, const std::string& hint) const {
    throw spec::InputError({{.place = {path_, 0, 0}, .path = "", .message = message, .hint = hint}});
  }

  // What to say of a failed call.
  [[noreturn]] void refuse_code(int code) const {
    const std::string why = sqlite3_errmsg(handle_);
    switch (code & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        refuse("the store is in use by another process", "wait for it, or name another file with --store");
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT:
        refuse("the file is no store of a study, or it is damaged", "name another file with --store");
      case SQLITE_FULL:
        refuse("the store cannot be written: the disk is full", "what is in it is kept; make room and add --resume");
      case SQLITE_READONLY:
      case SQLITE_CANTOPEN:
        refuse("the store cannot be written", why);
      default:
        refuse("the store cannot be read or written", why + "; what is in it is kept");
    }
  }

  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) refuse_code(code);
  }

  void run(const char* sql) const { check(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)); }

  sqlite3_stmt* prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr));
    return statement;
  }

  // The text of the first column of the first row; empty without one.
  std::string text(const char* sql) const {
    sqlite3_stmt* statement = prepare(sql);
    const int code = sqlite3_step(statement);
    std::string text;
    if (code == SQLITE_ROW) {
      if (const auto* bytes = sqlite3_column_text(statement, 0)) text = reinterpret_cast<const char*>(bytes);
    }
    sqlite3_finalize(statement);
    check(code);
    return text;
  }

  void set(const char* key, const std::string& value) const {
    sqlite3_stmt* statement = prepare("INSERT OR REPLACE INTO owner VALUES (?, ?)");
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, value.c_str(), -1, SQLITE_TRANSIENT);
    const int code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    check(code);
  }

  // Throws where the file is another database.
  void check_kind() const {
    if (text("SELECT name FROM sqlite_master WHERE name = 'owner'").empty())
      refuse("the file is a database, but no store of a study", "name another file with --store");
    if (const std::string schema = text("SELECT value FROM owner WHERE key = 'schema'"); schema != kSchema)
      refuse(fmt::format("the store is of the kind '{}', and this mlosim writes '{}'", schema, kSchema),
             "name another file with --store");
  }

  void check_owner(const StoreOwner& owner) const {
    if (const std::string study = text("SELECT value FROM owner WHERE key = 'study'"); study != owner.study)
      refuse(fmt::format("the store holds another study: '{}'", study), "name another file with --store");
    if (const std::string version = text("SELECT value FROM owner WHERE key = 'version'"); version != owner.version)
      refuse(fmt::format("the store was written by mlosim {}, and this is {}", version, owner.version),
             "remove it to start again, or name another file with --store");
    if (text("SELECT value FROM owner WHERE key = 'fingerprint'") != owner.fingerprint)
      refuse("the study, or what it refers to, has changed since its results were stored",
             "remove the store to start again, or name another file with --store");
  }

  std::string path_;
  bool was_there_;  // before it was opened
  sqlite3* handle_ = nullptr;
  sqlite3_stmt *put_ = nullptr, *find_ = nullptr;
  bool in_transaction_ = false;
  bool is_locked_ = false, has_results_ = false;
};

Store::Store(const std::string& path, const StoreOwner& owner, bool resumes)
    : database_(std::make_unique<Database>(path)) {
  Database& db = *database_;
  // The lock is held until the end, so that no second process ever adds to the same study.
  db.run("PRAGMA locking_mode = EXCLUSIVE");
  const bool has_tables = !db.text("SELECT name FROM sqlite_master LIMIT 1").empty();
  if (has_tables) db.check_kind();
  db.has_results_ = has_tables && !db.text("SELECT number FROM chunks LIMIT 1").empty();
  if (db.has_results_) {
    db.check_owner(owner);
    if (!resumes)
      db.refuse("there are results of this study already", "add --resume to go on from them, or remove the file");
  }
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = NORMAL");
  db.run("BEGIN EXCLUSIVE");
  db.is_locked_ = true;
  if (!has_tables) {
    db.run("CREATE TABLE owner (key TEXT PRIMARY KEY, value TEXT)");
    db.run("CREATE TABLE chunks (number INTEGER PRIMARY KEY, result BLOB NOT NULL)");
    db.set("schema", kSchema);
  }
  if (!db.has_results_) {
    db.set("study", owner.study);
    db.set("version", owner.version);
    db.set("fingerprint", owner.fingerprint);
  }
  db.run("COMMIT");
  db.put_ = db.prepare("INSERT OR IGNORE INTO chunks VALUES (?, ?)");
  db.find_ = db.prepare("SELECT result FROM chunks WHERE number = ?");
}

Store::~Store() = default;

std::set<std::uint64_t> Store::chunks() const {
  std::set<std::uint64_t> numbers;
  sqlite3_stmt* statement = database_->prepare("SELECT number FROM chunks");
  int code = sqlite3_step(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement))
    numbers.insert(static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0)));
  sqlite3_finalize(statement);
  database_->check(code);
  return numbers;
}

std::optional<std::string> Store::find(std::uint64_t chunk) const {
  sqlite3_stmt* statement = database_->find_;
  sqlite3_bind_int64(statement, 1, static_cast<sqlite3_int64>(chunk));
  const int code = sqlite3_step(statement);
  std::optional<std::string> result;
  if (code == SQLITE_ROW) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, 0));
    result.emplace(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
  }
  sqlite3_reset(statement);
  database_->check(code);
  return result;
}

void Store::put(std::uint64_t chunk, const std::string& result) {
  Database& db = *database_;
  if (!db.in_transaction_) db.run("BEGIN");
  db.in_transaction_ = true;
  sqlite3_bind_int64(db.put_, 1, static_cast<sqlite3_int64>(chunk));
  sqlite3_bind_blob64(db.put_, 2, result.data(), result.size(), SQLITE_STATIC);
  const int code = sqlite3_step(db.put_);
  sqlite3_reset(db.put_);
  db.check(code);
}

void Store::commit() {
  if (!database_->in_transaction_) return;
  database_->run("COMMIT");
  database_->in_transaction_ = false;
  database_->has_results_ = true;
}

}  // namespace mlosim::explore
