-- name: checkout
-- area: carts
-- weight: 14
-- kind: write
-- param 1: carts.id
-- param 2: carts.tenant_id
-- param 3: carts.user_id
WITH lines AS (
  SELECT i.product_id, i.variant_id, p.vendor_id, i.quantity, i.unit_price, i.currency
    FROM cart_items i JOIN products p ON p.id = i.product_id WHERE i.cart_id = $1
), sums AS (
  SELECT sum(quantity * unit_price) AS subtotal, min(currency) AS currency FROM lines HAVING count(*) > 0
), placed AS (
  INSERT INTO orders (tenant_id, user_id, subtotal, shipping, tax, total, currency, shipping_address)
  SELECT $2, $3, subtotal, 4.90, round(subtotal * 0.2, 2), subtotal + 4.90 + round(subtotal * 0.2, 2), currency, '{"city": "Berlin", "country": "DE"}'
    FROM sums RETURNING id, total, currency
), items AS (
  INSERT INTO order_items (order_id, product_id, variant_id, vendor_id, quantity, unit_price, line_total, currency)
  SELECT placed.id, product_id, variant_id, vendor_id, quantity, unit_price, quantity * unit_price, lines.currency FROM lines, placed
), paying AS (
  INSERT INTO payments (order_id, amount, currency, provider, provider_reference)
  SELECT id, total, currency, 'stripe', 'ch_' || id FROM placed
), history AS (
  INSERT INTO order_status_history (order_id, status, changed_by) SELECT id, 'pending', $3 FROM placed
)
UPDATE carts SET status = 'converted' WHERE id = $1 AND EXISTS (SELECT FROM placed);
