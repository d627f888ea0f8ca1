"""The statement that partitions tables by hash, in PostgreSQL.

Rows are copied into a table with partitions, which then has the name, the constraints, the indexes and the grants of
the old one. The primary keys stay as they are: each is the key of the partitions.
"""

#: Returns the tables that have no partitions.
NOT_PARTITIONED = """
    SELECT c.relname AS name FROM pg_class AS c
    WHERE c.oid IN (CAST('{sessions}' AS regclass), CAST('{counters}' AS regclass), CAST('{audit}' AS regclass))
        AND c.relkind <> 'p'
    ORDER BY c.relname
"""
# `<number>` is that of the partitions. A statement of plpgsql takes no parameters.
PARTITION = """
    DO $body$
    DECLARE
        found RECORD;
        later TEXT[];
        statement TEXT;
    BEGIN
        FOR found IN
            SELECT CAST(t.name AS TEXT) AS name, t.key, c.oid, c.relname, quote_ident(n.nspname) AS home
            FROM (VALUES ('{sessions}', 'id'), ('{counters}', 'key'), ('{audit}', 'id')) AS t (name, key)
                JOIN pg_class AS c ON c.oid = CAST(t.name AS regclass)
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relkind <> 'p'
        LOOP
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', found.name);
            SELECT array_agg(made.text ORDER BY made.step) INTO later FROM (
                SELECT 1 AS step, format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.name, conname,
                    pg_get_constraintdef(oid)) AS text
                FROM pg_constraint WHERE conrelid = found.oid AND contype IN ('p', 'u', 'f', 'c')
                UNION ALL
                SELECT 2, pg_get_indexdef(i.indexrelid) FROM pg_index AS i
                WHERE i.indrelid = found.oid
                    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u'))
                UNION ALL
                SELECT 3, format('GRANT %s ON %s TO %s', a.privilege_type, found.name,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
                FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.oid = found.oid AND a.grantee <> c.relowner
            ) AS made;
            EXECUTE format('ALTER TABLE %s RENAME TO %I', found.name, found.relname || '_whole');
            EXECUTE format('CREATE TABLE %s (LIKE %s.%I INCLUDING DEFAULTS) PARTITION BY HASH (%I)', found.name,
                found.home, found.relname || '_whole', found.key);
            FOR part IN 0 .. <number> - 1 LOOP
                EXECUTE format('CREATE TABLE %s.%I PARTITION OF %s FOR VALUES WITH (MODULUS <number>, REMAINDER %s)',
                    found.home, found.relname || '_p' || part, found.name, part);
            END LOOP;
            EXECUTE format('INSERT INTO %s SELECT * FROM %s.%I', found.name, found.home, found.relname || '_whole');
            EXECUTE format('DROP TABLE %s.%I', found.home, found.relname || '_whole');
            FOREACH statement IN ARRAY later LOOP
                EXECUTE statement;
            END LOOP;
        END LOOP;
    END
    $body$
"""
