# Stand-in of the entry point of timescale/timescaledb: gives its volume to postgres, makes the database, and runs it.
set -eu
data=/var/lib/postgresql/18/docker
mkdir -p "$data" /var/run/postgresql
chown -R postgres /var/lib/postgresql /var/run/postgresql
chmod 700 "$data"
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
if ! [ -s "$data/PG_VERSION" ]; then
    cat "$POSTGRES_PASSWORD_FILE" >/tmp/password
    chown postgres /tmp/password
    as_postgres initdb --encoding UTF8 --locale C.UTF-8 --pgdata "$data" --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 >/dev/null
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    as_postgres pg_ctl --pgdata "$data" --options "-c listen_addresses=''" --wait start >/dev/null
    PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") as_postgres createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
    as_postgres pg_ctl --pgdata "$data" --wait stop >/dev/null
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D "$data" -c listen_addresses='*'
