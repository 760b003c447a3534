-- name: active_deals
-- area: marketing
-- weight: 10
-- kind: read
-- param 1: deals.tenant_id
-- param 2: days 0 30
SELECT d.name, d.discount_percent, p.id, p.title, x.deal_price
  FROM deals d JOIN deal_products x ON x.deal_id = d.id JOIN products p ON p.id = x.product_id
 WHERE d.tenant_id = $1 AND d.active_during @> $2::timestamptz ORDER BY d.is_featured DESC, d.id LIMIT 20;
