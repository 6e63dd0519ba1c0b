#!/bin/sh
# Secrets of compose.yaml, made once: what is there stays. Usage: secrets.sh [DIRECTORY]
#
# The directory is open to its owner alone; the files in it can be read by the users of the containers, which get each
# only what it needs. To change one, remove its file and run this again; the database keeps its password in itself.
set -eu
directory=${1:-secrets}
umask 077
mkdir -p "$directory"
chmod 700 "$directory"

random() { openssl rand -hex 32; }
save() { # NAME, from standard input
    cat >"$directory/$1.new"
    chmod 644 "$directory/$1.new"
    mv "$directory/$1.new" "$directory/$1"
    echo "made $directory/$1" >&2
}
is_there() { [ -s "$directory/$1" ]; }

is_there database_password || random | tr -d '\n' | save database_password
is_there database_url ||
    printf 'postgresql://pairstream:%s@timescale:5432/pairstream' "$(cat "$directory/database_password")" | save database_url # pragma: allowlist secret

# By it the page signs to the API for whom it asks.
is_there identity_key || random | tr -d '\n' | save identity_key

# The page itself only reads; people change things under their own names. Further keys: pairstream keys new NAME --file FILE.
if ! is_there page_key || ! is_there api_keys; then
    key=ps_$(random)
    printf '%s' "$key" | save page_key
    digest=$(printf '%s' "$key" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
    { grep -v '^page ' "$directory/api_keys" 2>/dev/null || true; echo "page read $digest"; } | save api_keys
fi
if ! is_there page_login; then
    password=$(openssl rand -hex 12)
    printf 'desk:%s\n' "$(printf '%s' "$password" | openssl passwd -apr1 -stdin)" | save page_login
    echo "login of the page, shown once: desk $password"
fi
[ -e .env ] || { cp .env.example .env && echo "made .env" >&2; }
