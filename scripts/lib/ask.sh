# shellcheck shell=bash
# How scripts speak to a database as its superuser: to $url, with names that are the system's where they have no schema. With the
# usual search path PostgreSQL takes a function of public before its own if the arguments fit it better, whoever made it.
# It is set by a statement and not by PGOPTIONS, since options of a URL or of a service file take the place of those.
export SAFE_PATH="SET search_path = pg_catalog, pg_temp"
# Takes a password out of $url: libpq gets it by the environment, since arguments stand in lists of processes.
hide_password() {
    local password=
    if [[ $url =~ ^(postgres(ql)?://[^@/?:]*):([^@/?]*)(@.*)$ ]]; then
        password=${BASH_REMATCH[3]} url=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
    fi
    if [[ $url =~ ^([^?]*\?(.*&)?)password=([^&]*)\&?(.*)$ ]]; then
        password=${BASH_REMATCH[3]} url=${BASH_REMATCH[1]}${BASH_REMATCH[4]}
    fi
    [ -z "$password" ] || { PGPASSWORD=$(decoded "$password"); export PGPASSWORD; }
}
decoded() {     # %-escapes of a URL
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}
# Its columns come between unit separators.
ask() { psql -XAtq -v ON_ERROR_STOP=1 -F $'\x1f' -d "${url:?}" -c "$SAFE_PATH" -c "$1"; }
