-- After data and constraints: sequences go behind the keys in use, the materialised view is filled, the generator goes away.
DO $$
DECLARE
  c record;
BEGIN
  FOR c IN SELECT a.attrelid::regclass AS relation, a.attname AS name FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
            WHERE r.relnamespace = 'marketplace'::regnamespace AND a.attidentity <> '' AND NOT a.attisdropped ORDER BY r.relname
  LOOP
    EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), max(%I)) FROM %s', c.relation::text, c.name, c.name, c.relation);
  END LOOP;
  PERFORM setval('marketplace.order_number_seq', 100000 + (SELECT max(id) FROM marketplace.orders));
  PERFORM setval('marketplace.invoice_number_seq', 500000 + (SELECT max(order_id) FROM marketplace.invoices));
END $$;
REFRESH MATERIALIZED VIEW marketplace.product_ratings;
ANALYZE marketplace.product_ratings;
DROP SCHEMA marketplace_generator CASCADE;
