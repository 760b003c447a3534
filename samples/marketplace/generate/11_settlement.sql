-- needs: 05_orders 03_vendors
-- What follows from the delivered orders: payouts, vendor figures, daily sales, stock movements.
CREATE TABLE marketplace_generator.earned AS
SELECT i.id AS item, i.vendor_id, v.tenant_id, i.currency, i.line_total AS gross, round(i.line_total * v.commission_percent / 100, 2) AS commission, date_trunc('month', o.delivered_at)::date AS month, o.status
  FROM orders o JOIN order_items i ON i.order_id = o.id JOIN vendors v ON v.id = i.vendor_id WHERE o.delivered_at IS NOT NULL;
CREATE TABLE marketplace_generator.payout_base AS
SELECT row_number() OVER (ORDER BY month, vendor_id) AS id, month, vendor_id, tenant_id, currency, sum(gross) AS gross, sum(commission) AS commission
  FROM marketplace_generator.earned WHERE status = 'delivered' GROUP BY month, vendor_id, tenant_id, currency;
ANALYZE marketplace_generator.earned, marketplace_generator.payout_base;

INSERT INTO payouts (id, tenant_id, vendor_id, bank_account_id, status, period_start, period_end, gross, commission, amount, currency, reference, paid_at, created_at)
SELECT id, tenant_id, vendor_id, vendor_id, (CASE WHEN month >= date '2025-12-01' THEN 'pending' WHEN month = date '2025-11-01' AND chance(id, 11001, 30) THEN 'processing' WHEN chance(id, 11002, 1) THEN 'failed' ELSE 'paid' END)::payout_status,
       month, (month + interval '1 month')::date, gross, commission, gross - commission, currency, 'PO-' || to_char(month, 'YYYYMM') || '-' || vendor_id,
       CASE WHEN month < date '2025-11-01' AND NOT chance(id, 11002, 1) THEN month + interval '1 month 5 days' WHEN month = date '2025-11-01' AND NOT chance(id, 11001, 30) AND NOT chance(id, 11002, 1) THEN timestamptz '2025-12-05 06:00:00+00' END,
       least(month + interval '1 month 1 day', timestamptz '2026-01-01 00:00:00+00')
  FROM marketplace_generator.payout_base;
INSERT INTO payout_items (payout_id, order_item_id, gross, commission, currency)
SELECT p.id, e.item, e.gross, e.commission, e.currency FROM marketplace_generator.earned e JOIN marketplace_generator.payout_base p ON p.vendor_id = e.vendor_id AND p.month = e.month WHERE e.status = 'delivered';

INSERT INTO vendor_performance (vendor_id, month, orders_count, revenue, currency, late_percent, return_percent, rating)
SELECT vendor_id, month, count(*), sum(gross), min(currency), r(vendor_id, 11101, 900) / 100.0, round(100.0 * count(*) FILTER (WHERE status = 'refunded') / count(*), 2), 3 + r(vendor_id, 11102, 200) / 100.0
  FROM marketplace_generator.earned GROUP BY vendor_id, month;

INSERT INTO daily_sales (tenant_id, day, orders_count, items_count, revenue, currency)
SELECT tenant_id, created_at::date, count(*), sum(items), sum(total), min(currency)
  FROM orders JOIN (SELECT order_id, sum(quantity) AS items FROM order_items GROUP BY 1) i ON i.order_id = id WHERE paid_at IS NOT NULL GROUP BY 1, 2;

INSERT INTO stock_movements (id, warehouse_id, variant_id, quantity, reason, order_id, note, moved_at)
SELECT i.id, (o.tenant_id - 1) * 3 + 1, i.variant_id, CASE WHEN o.status = 'refunded' THEN i.quantity ELSE -i.quantity END, CASE WHEN o.status = 'refunded' THEN 'return' ELSE 'sale' END, o.id, NULL, o.shipped_at
  FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.shipped_at IS NOT NULL AND chance(i.id, 11201, 70);
INSERT INTO stock_movements (id, warehouse_id, variant_id, quantity, reason, note, moved_at)
SELECT id * 4 + 10000000 + k, (tenant_of(product_id) - 1) * 3 + 1, id, CASE k WHEN 0 THEN 50 + r(id, 11301, 400) ELSE -1 - r(id, 11302, 4) END, CASE k WHEN 0 THEN 'receipt' ELSE pick('{count,damage}', id, 11303) END, CASE k WHEN 1 THEN pick('{box dented,miscounted,broken glass}', id, 11304) END, at(1704067200 + r(id, 11305, 60000000))
  FROM product_variants CROSS JOIN LATERAL generate_series(0, CASE WHEN chance(id, 11306, 20) THEN 1 ELSE 0 END) k WHERE chance(id, 11307, 50);
