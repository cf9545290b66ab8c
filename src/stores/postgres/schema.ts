/**
 * The version of the tables and functions below. A change that adds something raises it by one. Since 2 a fence may begin
 * its generation.
 */
export const SCHEMA_VERSION = 2;
/**
 * The oldest version of this library's schema that still works with these tables. At a rolling deploy the old process goes
 * on while the new one has migrated already, so a migration only adds.
 */
export const READABLE_FROM = 1;

/** How long a statement waits for a lock that another writer holds; it would be held only for milliseconds. */
const LOCK_TIMEOUT = '8s';

/**
 * The statements that make the schema, for a schema that may be there and empty.
 *
 * - `objects`: what is visible; `version` names the set of chunks and never changes its bytes.
 * - `chunks`: the bytes, not compressed, as a login hardly gets smaller and parts are read without the rest.
 * - `uploads`: sets of chunks that are being written; what is left here was left behind by a dead writer.
 * - `fences`: the highest generation of each name.
 *
 * All that must happen at once is one function, hence one statement: there is no transaction that a paused process could
 * leave open, and PgBouncer may give each statement another connection.
 */
export function migrationOf(schema: string): readonly string[] {
  const s = `"${schema}"`;
  return [
    `CREATE TABLE IF NOT EXISTS ${s}.meta (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      version integer NOT NULL,
      readable_from integer NOT NULL
    )`,
    `CREATE TABLE IF NOT EXISTS ${s}.objects (
      key text COLLATE "C" PRIMARY KEY,
      version uuid NOT NULL,
      size bigint NOT NULL,
      chunk_bytes integer NOT NULL,
      modified_at timestamptz NOT NULL
    )`,
    `CREATE TABLE IF NOT EXISTS ${s}.chunks (
      set_id uuid NOT NULL,
      no integer NOT NULL,
      bytes bytea NOT NULL,
      put_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (set_id, no)
    ) WITH (
      autovacuum_vacuum_scale_factor = 0.05,
      toast.autovacuum_vacuum_scale_factor = 0.05
    )`,
    // Only where it is not so yet: it waits for everybody who reads, such as `pg_dump`, and all others wait behind it.
    `DO $storage$ BEGIN
      IF EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = '${s}.chunks'::regclass AND attname = 'bytes' AND attstorage <> 'e'
      ) THEN
        ALTER TABLE ${s}.chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
      END IF;
    END $storage$`,
    `CREATE TABLE IF NOT EXISTS ${s}.uploads (
      set_id uuid PRIMARY KEY,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`,
    `CREATE TABLE IF NOT EXISTS ${s}.fences (
      name text COLLATE "C" PRIMARY KEY,
      generation bigint NOT NULL
    )`,
    publishOf(s, schema),
    removeOf(s),
    discardOf(s),
    sweepOf(s),
    `INSERT INTO ${s}.meta (version, readable_from) VALUES (${SCHEMA_VERSION}, ${READABLE_FROM})
      ON CONFLICT (only_row) DO UPDATE
      SET version = EXCLUDED.version, readable_from = EXCLUDED.readable_from`,
  ];
}

/**
 * Makes a value visible, or refuses it and drops its chunks. The conditions are compared under a lock of the key, which also
 * holds where there is no row yet. The fence is the last thing that is looked at, and stays locked until the end: a
 * successor either has written before, or waits for these few milliseconds. A negative generation is one that begins.
 */
function publishOf(s: string, schema: string): string {
  return `CREATE OR REPLACE FUNCTION ${s}.publish(
    p_key text, p_set uuid, p_size bigint, p_chunk_bytes integer, p_bytes bytea, p_sha256 bytea,
    p_absent boolean, p_version text, p_fence text, p_generation bigint
  ) RETURNS TABLE (outcome text, detail text, modified text, freed text)
  LANGUAGE plpgsql SET lock_timeout = '${LOCK_TIMEOUT}' AS $publish$
  DECLARE
    v_now timestamptz;
    v_old ${s}.objects%ROWTYPE;
    v_is_there boolean;
    v_stored bigint;
    v_chunks bigint;
    v_last integer;
    v_sha256 bytea;
    v_seen bigint;
    v_generation bigint := abs(p_generation);
    v_begins boolean := p_generation < 0;
    v_has_begun boolean := false;
  BEGIN
    IF p_bytes IS NULL THEN
      PERFORM FROM ${s}.uploads WHERE set_id = p_set FOR UPDATE;
      IF NOT FOUND THEN outcome := 'swept'; END IF;
      SELECT sum(octet_length(bytes)), count(*), max(no) INTO v_stored, v_chunks, v_last
        FROM ${s}.chunks WHERE set_id = p_set;
      IF outcome IS NULL AND (v_stored <> p_size OR v_chunks <> v_last + 1) THEN outcome := 'torn'; END IF;
      IF outcome IS NULL AND p_sha256 IS NOT NULL THEN
        SELECT sha256(string_agg(bytes, ''::bytea ORDER BY no)) INTO v_sha256
          FROM ${s}.chunks WHERE set_id = p_set;
      END IF;
    ELSE
      IF octet_length(p_bytes) <> p_size THEN outcome := 'torn'; END IF;
      v_sha256 := sha256(p_bytes);
    END IF;
    IF outcome IS NULL AND p_sha256 IS NOT NULL AND v_sha256 IS DISTINCT FROM p_sha256 THEN
      outcome := 'digest';
    END IF;

    IF outcome IS NULL THEN
      PERFORM pg_advisory_xact_lock(hashtextextended(p_key, hashtext('${schema}')));
      SELECT * INTO v_old FROM ${s}.objects WHERE key = p_key FOR UPDATE;
      v_is_there := FOUND;
      IF p_absent AND v_is_there THEN
        outcome := 'exists';
      ELSIF p_version IS NOT NULL AND NOT v_is_there THEN
        outcome := 'gone';
      ELSIF p_version IS NOT NULL AND v_old.version::text <> p_version THEN
        outcome := 'changed';
      END IF;
    END IF;

    IF outcome IS NULL AND p_fence IS NOT NULL THEN
      SELECT generation INTO v_seen FROM ${s}.fences WHERE name = p_fence;
      IF v_seen IS DISTINCT FROM v_generation THEN
        INSERT INTO ${s}.fences AS f (name, generation) VALUES (p_fence, v_generation)
          ON CONFLICT (name) DO UPDATE SET generation = EXCLUDED.generation
          WHERE f.generation < EXCLUDED.generation;
        v_has_begun := FOUND;
      END IF;
      SELECT generation INTO v_seen FROM ${s}.fences WHERE name = p_fence FOR SHARE;
      IF v_seen > v_generation OR (v_begins AND NOT v_has_begun) THEN
        outcome := 'fenced';
        detail := v_seen::text;
      END IF;
    END IF;

    IF outcome IS NOT NULL THEN
      DELETE FROM ${s}.chunks WHERE set_id = p_set;
      DELETE FROM ${s}.uploads WHERE set_id = p_set;
      freed := CASE WHEN p_bytes IS NULL THEN coalesce(v_stored, 0) ELSE 0 END::text;
      RETURN NEXT;
      RETURN;
    END IF;

    v_now := date_trunc('milliseconds', clock_timestamp());
    IF p_bytes IS NULL THEN
      DELETE FROM ${s}.uploads WHERE set_id = p_set;
    ELSIF p_size > 0 THEN
      INSERT INTO ${s}.chunks (set_id, no, bytes)
        SELECT p_set, i, substr(p_bytes, i * p_chunk_bytes + 1, p_chunk_bytes)
        FROM generate_series(0, ((p_size - 1) / p_chunk_bytes)::integer) AS i;
    END IF;
    INSERT INTO ${s}.objects (key, version, size, chunk_bytes, modified_at)
      VALUES (p_key, p_set, p_size, p_chunk_bytes, v_now)
      ON CONFLICT (key) DO UPDATE SET version = EXCLUDED.version, size = EXCLUDED.size,
        chunk_bytes = EXCLUDED.chunk_bytes, modified_at = EXCLUDED.modified_at;
    IF v_is_there THEN DELETE FROM ${s}.chunks WHERE set_id = v_old.version; END IF;
    outcome := 'done';
    modified := floor(extract(epoch FROM v_now) * 1000)::bigint::text;
    freed := coalesce(v_old.size, 0)::text;
    RETURN NEXT;
  END
  $publish$`;
}

/** Deletes objects with their chunks; tells of each that was there what became of it. Locks in the order of the keys. */
function removeOf(s: string): string {
  return `CREATE OR REPLACE FUNCTION ${s}.remove(p_keys text[], p_version text)
  RETURNS TABLE (removed text, outcome text, freed text)
  LANGUAGE plpgsql SET lock_timeout = '${LOCK_TIMEOUT}' AS $remove$
  DECLARE
    v_found ${s}.objects%ROWTYPE;
  BEGIN
    FOR v_found IN SELECT * FROM ${s}.objects WHERE key = ANY (p_keys) ORDER BY key FOR UPDATE LOOP
      removed := v_found.key;
      IF p_version IS NOT NULL AND v_found.version::text <> p_version THEN
        outcome := 'changed';
        freed := '0';
      ELSE
        DELETE FROM ${s}.chunks WHERE set_id = v_found.version;
        DELETE FROM ${s}.objects WHERE key = v_found.key;
        outcome := 'deleted';
        freed := v_found.size::text;
      END IF;
      RETURN NEXT;
    END LOOP;
  END
  $remove$`;
}

/**
 * Drops the chunks of a put that failed. One of its statements may still be running: the lock waits for it, and only the
 * next statement sees what it has inserted.
 */
function discardOf(s: string): string {
  return `CREATE OR REPLACE FUNCTION ${s}.discard(p_set uuid) RETURNS TABLE (freed text)
  LANGUAGE plpgsql SET lock_timeout = '${LOCK_TIMEOUT}' AS $discard$
  DECLARE
    v_bytes bigint;
  BEGIN
    PERFORM FROM ${s}.uploads WHERE set_id = p_set FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT coalesce(sum(octet_length(bytes)), 0) INTO v_bytes FROM ${s}.chunks WHERE set_id = p_set;
    DELETE FROM ${s}.chunks WHERE set_id = p_set;
    DELETE FROM ${s}.uploads WHERE set_id = p_set;
    freed := v_bytes::text;
    RETURN NEXT;
  END
  $discard$`;
}

/** Drops what dead writers left behind: uploads that got no chunk for so long. */
function sweepOf(s: string): string {
  return `CREATE OR REPLACE FUNCTION ${s}.sweep(p_older_than interval)
  RETURNS TABLE (removed text, freed text)
  LANGUAGE plpgsql SET lock_timeout = '${LOCK_TIMEOUT}' AS $sweep$
  DECLARE
    v_set uuid;
    v_bytes bigint;
  BEGIN
    FOR v_set IN
      SELECT u.set_id FROM ${s}.uploads u
      WHERE u.started_at <= clock_timestamp() - p_older_than AND NOT EXISTS (
        SELECT FROM ${s}.chunks c WHERE c.set_id = u.set_id AND c.put_at > clock_timestamp() - p_older_than
      )
      FOR UPDATE SKIP LOCKED
    LOOP
      SELECT coalesce(sum(octet_length(bytes)), 0) INTO v_bytes FROM ${s}.chunks WHERE set_id = v_set;
      DELETE FROM ${s}.chunks WHERE set_id = v_set;
      DELETE FROM ${s}.uploads WHERE set_id = v_set;
      removed := v_set::text;
      freed := v_bytes::text;
      RETURN NEXT;
    END LOOP;
  END
  $sweep$`;
}
