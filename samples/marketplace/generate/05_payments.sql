-- needs: 05_orders
-- A payment method bears its owner's number.
INSERT INTO payment_methods (id, user_id, kind, card_brand, card_last4, card_expires, holder_name, provider_token, is_default, created_at, deleted_at)
SELECT i, i, kind, CASE kind WHEN 'card' THEN pick('{visa,visa,mastercard,mastercard,amex}', i, 5401) END, CASE kind WHEN 'card' THEN digits(i, 5402, 9)::int % 9000 + 1000 END,
       CASE kind WHEN 'card' THEN date '2025-06-30' + r(i, 5403, 1500) END, first_name(i, 1101) || ' ' || last_name(i, 1102), 'pm_' || token_of(i, 5404), true,
       at(joined_seconds(i, users_n()) + 600), CASE WHEN chance(i, 5405, 4) THEN at(data_end() - 86400) END
  FROM (SELECT i, pick('{card,card,card,card,paypal,paypal,direct_debit,wallet,invoice}', i, 5406) AS kind FROM generate_series(1, users_n()) i WHERE chance(i, 5407, 75) OFFSET 0) s;

INSERT INTO payments (id, order_id, payment_method_id, status, amount, currency, provider, provider_reference, failure_code, created_at, captured_at)
SELECT o.id * 2 - k, o.id, CASE WHEN chance(o.user_id, 5407, 75) THEN o.user_id END,
       (CASE WHEN k = 1 OR o.status = 'cancelled' THEN 'failed' WHEN o.status = 'pending' THEN 'initiated' WHEN o.status = 'refunded' THEN 'refunded' WHEN o.status = 'paid' THEN 'authorised' ELSE 'captured' END)::payment_status,
       o.total, o.currency, pick('{stripe,stripe,adyen,paypal}', o.tenant_id, 5501), 'ch_' || token_of(o.id * 2 - k, 5502),
       CASE WHEN k = 1 OR o.status = 'cancelled' THEN pick('{card_declined,insufficient_funds,expired_card,timeout}', o.id, 5503) END,
       o.created_at + (2 - k) * interval '9 seconds', CASE WHEN k = 0 THEN o.shipped_at END
  FROM orders o CROSS JOIN LATERAL generate_series(0, CASE WHEN chance(o.id, 5504, 5) THEN 1 ELSE 0 END) k;

INSERT INTO refunds (id, payment_id, amount, currency, reason, refunded_at)
SELECT row_number() OVER (ORDER BY id), id * 2, total, currency, pick('{return,return,goodwill,damaged,duplicate}', id, 5601), delivered_at + interval '6 days'
  FROM orders WHERE status = 'refunded' AND total > 0;

INSERT INTO invoices (id, order_id, number, billed_name, billed_address, vat_number, net, tax, gross, currency, issued_on, due_on, paid_on)
SELECT row_number() OVER (ORDER BY id), id, 'INV-' || 500000 + id, shipping_address ->> 'name', shipping_address - 'name', CASE WHEN organisation_id IS NOT NULL THEN (shipping_address ->> 'country') || digits(organisation_id, 1307, 9) END,
       total - tax, tax, total, currency, paid_at::date, paid_at::date + 14, CASE WHEN organisation_id IS NULL THEN paid_at::date WHEN chance(id, 5602, 90) THEN paid_at::date + r(id, 5603, 20) END
  FROM orders WHERE paid_at IS NOT NULL;
