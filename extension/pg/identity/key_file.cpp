// See key_file.hpp.
#include "pg/identity/key_file.hpp"

#include "core/crypto/sealing.hpp"
#include "pg/boundary.hpp"

#include <cerrno>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

namespace relygate::pg {
namespace {

constexpr std::size_t kLargestFile = 4096;

char *path = nullptr;

struct Loaded {
    bool is_good = false;
    struct stat facts = {};
    core::FileKeys keys;
    std::uint64_t generation = 0;
};
Loaded loaded;

void forget() {
    OPENSSL_cleanse(&loaded.keys, sizeof loaded.keys);
    loaded.is_good = false;
    loaded.generation++;
}

bool check_path(char **value, void **, GucSource) {
    if (**value == '\0' || is_absolute_path(*value))
        return true;
    GUC_check_errdetail("The key file must be named by an absolute path.");
    return false;
}

void assign_path(const char *, void *) {
    forget();
}

bool is_same_file(const struct stat &a, const struct stat &b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mode == b.st_mode &&
           a.st_uid == b.st_uid && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
           a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

// The rule of PostgreSQL's own private key for TLS.
const char *problem_of(const struct stat &facts) {
    if (!S_ISREG(facts.st_mode))
        return "it is not a regular file";
    if (facts.st_uid != geteuid() && facts.st_uid != 0)
        return "it belongs neither to the server's user nor to root";
    if (facts.st_mode & (facts.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO))
        return "others may read or write it; its mode must be 0600, or 0640 where it is root's";
    if (static_cast<std::size_t>(facts.st_size) > kLargestFile)
        return "it is larger than 4096 bytes";
    return nullptr;
}

// Nothing here can raise, so the descriptor is always closed.
const char *read_keys(int file) {
    if (fstat(file, &loaded.facts) != 0)
        return "its owner and mode cannot be read";
    if (const char *problem = problem_of(loaded.facts))
        return problem;
    char text[kLargestFile + 1];
    std::size_t size = 0;
    ssize_t count;
    while (size < sizeof text && (count = read(file, text + size, sizeof text - size)) != 0) {
        if (count < 0 && errno != EINTR)
            return "it cannot be read";
        size += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    const char *problem =
        size > kLargestFile ? "it is larger than 4096 bytes" : core::read_key_file({text, size}, loaded.keys);
    OPENSSL_cleanse(text, sizeof text);
    return problem;
}

const char *load() {
    struct stat facts;
    if (loaded.is_good && stat(path, &facts) == 0 && is_same_file(facts, loaded.facts))
        return nullptr;
    forget();
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return errno == ENOENT ? "it does not exist" : "the server's user may not open it";
    const char *problem = read_keys(file);
    close(file);
    if (problem != nullptr)
        forget();
    loaded.is_good = problem == nullptr;
    return problem;
}

// A label never holds a line end: kids are base64url, purposes words.
std::string_view label_of(std::string_view kid, std::string_view purpose) {
    StringInfoData label;
    initStringInfo(&label);
    appendBinaryStringInfo(&label, kid.data(), static_cast<int>(kid.size()));
    appendStringInfoChar(&label, '\n');
    appendBinaryStringInfo(&label, purpose.data(), static_cast<int>(purpose.size()));
    return {label.data, static_cast<std::size_t>(label.len)};
}

[[noreturn]] void raise_closed(core::Opening how) {
    if (how == core::Opening::other_key)
        ereport(ERROR, errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("a key of this installation cannot be opened"),
                errdetail("It was sealed under a key that the key file does not hold."),
                errhint("Let relygate.key_file name the right file; if that is lost, see \"A lost key file\" in "
                        "docs/administration.md."));
    ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED), errmsg("a key of this installation cannot be opened"),
            errdetail("What is stored is not what was sealed for this key."),
            errhint("Restore the row of relygate_global.signing_keys from a backup, or make a new key."));
    pg_unreachable();
}

} // namespace

void define_key_file() {
    DefineCustomStringVariable("relygate.key_file", "The file with the key that keys in the database are sealed under.",
                               "Empty: they stand in the database as they are.", &path, "", PGC_SUSET,
                               GUC_SUPERUSER_ONLY | GUC_NOT_IN_SAMPLE, check_path, assign_path, nullptr);
}

bool has_key_file() {
    return path != nullptr && *path != '\0';
}

const char *key_file_problem() {
    return has_key_file() ? load() : nullptr;
}

const core::FileKeys &file_keys() {
    if (!has_key_file())
        ereport(
            ERROR, errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("no key file is named"),
            errhint("A superuser names it: ALTER SYSTEM SET relygate.key_file = '/...'; see docs/administration.md."));
    if (const char *problem = load())
        ereport(ERROR, errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("the key file cannot be used: %s", problem),
                errdetail_log("The file is \"%s\".", path),
                errhint("The setting relygate.key_file names it; see docs/administration.md."));
    return loaded.keys;
}

std::uint64_t key_file_generation() {
    if (has_key_file())
        load();
    return loaded.generation;
}

std::string_view open_secret(std::string_view sealed, std::string_view kid, std::string_view purpose) {
    const core::FileKeys &keys = file_keys();
    const std::string_view label = label_of(kid, purpose);
    ContextMemory memory;
    const auto opened = run_rule([&] { return core::open_sealed(keys.all(), label, sealed, memory); });
    if (opened.how != core::Opening::opened)
        raise_closed(opened.how);
    return opened.secret;
}

} // namespace relygate::pg

using namespace relygate;
using namespace relygate::pg;

// relygate.seal_secret(secret bytea, kid text, purpose text) bytea
RELYGATE_FUNCTION(relygate_seal_secret) {
    const auto secret = text_view(PG_GETARG_BYTEA_PP(0));
    const auto label = label_of(text_view(PG_GETARG_TEXT_PP(1)), text_view(PG_GETARG_TEXT_PP(2)));
    const core::FileKeys &keys = file_keys();
    std::array<std::uint8_t, core::kNonceSize> nonce;
    if (!pg_strong_random(nonce.data(), nonce.size()))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random bytes"));
    ContextMemory memory;
    const auto sealed = run_rule([&] { return core::seal(keys.keys[0], label, secret, nonce, memory); });
    if (sealed.empty())
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not seal a key"));
    PG_RETURN_BYTEA_P(reinterpret_cast<bytea *>(make_text(sealed)));
}

// relygate.open_secret(sealed bytea, kid text, purpose text) bytea
RELYGATE_FUNCTION(relygate_open_secret) {
    const auto sealed = text_view(PG_GETARG_BYTEA_PP(0));
    const auto secret = open_secret(sealed, text_view(PG_GETARG_TEXT_PP(1)), text_view(PG_GETARG_TEXT_PP(2)));
    PG_RETURN_BYTEA_P(reinterpret_cast<bytea *>(make_text(secret)));
}

// relygate.sealed_under(sealed bytea) int
RELYGATE_FUNCTION(relygate_sealed_under) {
    const auto sealed = text_view(PG_GETARG_BYTEA_PP(0));
    if (!has_key_file() || key_file_problem() != nullptr)
        PG_RETURN_INT32(0);
    const core::FileKeys &keys = file_keys();
    PG_RETURN_INT32(run_rule([&] { return core::sealed_under(keys.all(), sealed); }));
}

// relygate.has_key_file() boolean
RELYGATE_FUNCTION(relygate_has_key_file) {
    PG_RETURN_BOOL(has_key_file());
}

// relygate.key_file_problem() text
RELYGATE_FUNCTION(relygate_key_file_problem) {
    const char *problem = key_file_problem();
    if (problem == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(problem));
}

// Trigger keys_changed of relygate_global.signing_keys: every backend reads its keys anew after the commit.
RELYGATE_FUNCTION(relygate_keys_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("keys_changed is a trigger function"));
    CacheInvalidateRelcache(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_relation);
    PG_RETURN_POINTER(nullptr);
}
