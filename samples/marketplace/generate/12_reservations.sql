-- needs: 05_carts
INSERT INTO stock_reservations (id, warehouse_id, variant_id, cart_id, quantity, expires_at, released_at)
SELECT row_number() OVER (ORDER BY i.id), (c.tenant_id - 1) * 3 + 1, i.variant_id, c.id, i.quantity, i.added_at + interval '30 minutes', CASE WHEN c.status <> 'open' THEN i.added_at + interval '30 minutes' END
  FROM carts c JOIN cart_items i ON i.cart_id = c.id WHERE c.status = 'open' OR chance(i.id, 12001, 12);
