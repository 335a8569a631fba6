// Passwords by libcrypt (libxcrypt): new ones are yescrypt; bcrypt is accepted from imported users, whose next login
// replaces it (relygate.login). A user who does not exist costs the same as one who does: without a hash the password
// is checked against a fixed one of the same cost. crypt() can't be interrupted; its work is bounded by the hash's own
// cost (tens of milliseconds) and a password by 1,024 bytes.
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

constexpr std::size_t kLongestPassword = 1024;
constexpr char kScheme[] = "$y$";
// A yescrypt hash of the default cost whose password nobody knows: the hash of a random text that was thrown away.
constexpr std::string_view kNobody = "$y$j9T$gVcKcRE.ErlExkjhBttNP/$j9a7AneJBYgWTpghJCXFV7.rG6oRpyhGrUgLRnwtbv6";

// What crypt() is given. It reads 511 bytes at most, so a longer password goes in as the hexadecimal text of its
// SHA-512.
struct Phrase {
    char text[CRYPT_MAX_PASSPHRASE_SIZE];
};

void make_phrase(std::string_view password, Phrase &phrase) {
    std::memset(phrase.text, 0, sizeof phrase.text);
    if (password.size() < sizeof phrase.text) {
        password.copy(phrase.text, password.size()); // unlike memcpy, of an empty view too
        return;
    }
    unsigned char digest[SHA512_DIGEST_LENGTH];
    SHA512(reinterpret_cast<const unsigned char *>(password.data()), password.size(), digest);
    constexpr char kDigits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < sizeof digest; ++i) {
        phrase.text[2 * i] = kDigits[digest[i] >> 4];
        phrase.text[2 * i + 1] = kDigits[digest[i] & 15];
    }
}

bool is_known_scheme(std::string_view hash) {
    return hash.starts_with("$y$") || hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
}

// Room for crypt(): 32 kB, zeroed, and wiped before it is given back.
crypt_data *make_scratch() {
    return static_cast<crypt_data *>(palloc0(sizeof(crypt_data)));
}

void wipe(crypt_data *scratch, Phrase &phrase) {
    OPENSSL_cleanse(scratch, sizeof *scratch);
    OPENSSL_cleanse(&phrase, sizeof phrase);
    pfree(scratch);
}

bool hashes_to(const Phrase &phrase, std::string_view hash, crypt_data *scratch) {
    char setting[CRYPT_OUTPUT_SIZE] = "";
    if (hash.size() >= sizeof setting)
        return false;
    std::memcpy(setting, hash.data(), hash.size());
    const char *made = crypt_rn(phrase.text, setting, scratch, sizeof *scratch);
    return made != nullptr && std::strlen(made) == hash.size() && CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
}

} // namespace

// relygate.hash_password(text) text
RELYGATE_FUNCTION(relygate_hash_password) {
    const auto password = text_view(PG_GETARG_TEXT_PP(0));
    if (password.size() > kLongestPassword)
        raise_refusal({400, "password", "password is too long", "A password has at most 1024 bytes.", "password"});
    crypt_data *scratch = make_scratch();
    CHECK_FOR_INTERRUPTS();

    Phrase phrase;
    make_phrase(password, phrase);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    text *hash = nullptr;
    // No random bytes given: libcrypt takes them from the system.
    if (crypt_gensalt_rn(kScheme, 0, nullptr, 0, setting, sizeof setting) != nullptr) {
        const char *made = crypt_rn(phrase.text, setting, scratch, sizeof *scratch);
        if (made != nullptr)
            hash = make_text(made);
    }
    wipe(scratch, phrase);
    if (hash == nullptr)
        ereport(ERROR, errcode(ERRCODE_SYSTEM_ERROR), errmsg("could not hash a password: %m"));
    PG_RETURN_TEXT_P(hash);
}

// relygate.verify_password(text, hash text) boolean; never null: no hash, an unknown scheme and no password are all
// false.
RELYGATE_FUNCTION(relygate_verify_password) {
    const auto password = PG_ARGISNULL(0) ? std::string_view() : text_view(PG_GETARG_TEXT_PP(0));
    const auto hash = PG_ARGISNULL(1) ? std::string_view() : text_view(PG_GETARG_TEXT_PP(1));
    const bool may_match = !PG_ARGISNULL(0) && password.size() <= kLongestPassword && is_known_scheme(hash);
    crypt_data *scratch = make_scratch();
    CHECK_FOR_INTERRUPTS();

    Phrase phrase;
    make_phrase(password.substr(0, kLongestPassword), phrase);
    const bool matches = hashes_to(phrase, may_match ? hash : kNobody, scratch);
    wipe(scratch, phrase);
    PG_RETURN_BOOL(matches && may_match);
}

} // namespace relygate::pg
