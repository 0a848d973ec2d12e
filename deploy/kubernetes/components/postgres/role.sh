#!/bin/sh
# Run once by the image, when the database is new: a role for the assistants that owns one database and can do nothing
# else, no superuser. Its tables (votes, log of questions) the assistants make themselves.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$MSALS_PASSWORD" -U "${POSTGRES_USER:-postgres}" -d postgres <<'SQL'
CREATE ROLE msals LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 200;
CREATE DATABASE msals OWNER msals;
REVOKE CONNECT ON DATABASE msals FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
